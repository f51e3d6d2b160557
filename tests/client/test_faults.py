"""Whatever becomes of our hook, the user's prompt goes on as if there were none."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrate.hookline import EVENTS, command

pytestmark = pytest.mark.client

REPO = Path(__file__).resolve().parent.parent.parent
PROMPT = "Fix typo in README.md"
VENV, HOME = "venv", "home"  # what lies in a test's `place`


def remove_package(place):
    shutil.rmtree(place / HOME)


def remove_file(place):
    (place / HOME / "orchestrate" / "entry.py").unlink()


def remove_part(place):
    """As an upgrade leaves it that was cut short."""
    shutil.rmtree(place / HOME / "orchestrate" / "request")


def break_syntax(place):
    (place / HOME / "orchestrate" / "entry.py").write_text("def main(:\n")


def exit_on_import(place):
    (place / HOME / "orchestrate" / "entry.py").write_text("raise SystemExit(2)\n")


def crash_in_handler(place):
    """The one boundary of the hot path has to take this."""
    for module in (place / HOME / "orchestrate" / "request").glob("*.py"):
        if module.name in ("prompt.py", "spawn.py", "agent.py", "stop.py", "session.py"):
            module.write_text("raise RuntimeError('broken on purpose')\n")


def hang_in_handler(place):
    """The alarm of the hot path ends this, before the client's own timeout does."""
    (place / HOME / "orchestrate" / "request" / "prompt.py").write_text("while True:\n    pass\n")


def move_venv(place):
    (place / VENV).rename(place / "moved")


def remove_interpreter(place):
    (place / VENV / "bin" / "python").unlink()


FAULTS = [
    remove_package,
    remove_file,
    remove_part,
    break_syntax,
    exit_on_import,
    crash_in_handler,
    hang_in_handler,
    move_venv,
    remove_interpreter,
]


@pytest.fixture
def place(tmp_path):
    """A copy of our packages and an interpreter of its own, to be broken."""
    place = tmp_path / "place"
    for package in ("orchestrate", "routing", "state"):
        shutil.copytree(REPO / package, place / HOME / package, ignore=shutil.ignore_patterns("_hot", "__pycache__"))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place / VENV)], check=True)
    return place


@pytest.fixture
def world(new_world, place):
    """Hooked to `place` for every event that we handle."""
    world = new_world(installed=False)
    line = command(str(place / VENV / "bin" / "python"), str(place / HOME))
    hooks = {event: [{"hooks": [{"type": "command", "command": line, "timeout": 60}]}] for event in EVENTS}
    (world.config / "settings.json").write_text(json.dumps({"hooks": hooks}))
    return world


def told(run):
    """What the model heard, without what differs from run to run: paths, ids, the day and the clock."""
    return re.sub(r"/\S+|[0-9a-f-]{36}|\d{4}-\d\d-\d\d|\d\d:\d\d(:\d\d)?", "~", run.heard)


def test_the_copy_works_until_it_is_broken(world):
    assert 'subagent_type "haiku-general"' in world.claude(PROMPT).heard


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_broken_hook_leaves_the_prompt_untouched(world, place, unhooked, fault):
    fault(place)
    run = world.claude(PROMPT)
    assert (run.rc, run.result["result"], run.stderr) == (0, "ok", "")
    assert told(run) == told(unhooked)


def test_a_crash_is_told_in_the_error_log(world, place):
    crash_in_handler(place)
    world.claude(PROMPT)
    (log,) = world.home.rglob("hook-errors.log")
    events = {json.loads(line)["event"] for line in log.read_text().splitlines()}
    assert events == {"SessionStart", "UserPromptSubmit", "Stop", "SessionEnd"}
