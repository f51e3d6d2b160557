"""What the mod adds to a step: the time between two requests of one turn, with it and without, in one interleaved run.

The plugin with the mod against the one without, in the real client: the same hooks, the same model, a fake API that
answers at once, turns of 25 steps. The model is decided for every step, so all of the mod's work is there.
"""

import json
import shutil
import subprocess
import sys
from itertools import chain
from pathlib import Path
from statistics import median

import gates
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "client"))
import rig

CELL = Path(__file__).with_name("mod_cell.py")
STEPS = 25
ROUNDS = 6
TRIES = 3  # a figure counts as exceeded when it is so each time: a busy machine slows the client as much as us
LIMIT_MS = 3.0
PROMPT = "Find the race condition in the scheduler and prove that the fix is right"
OURS = "const own = "  # in the mod: a line that every step comes by
SLOW = "await $.clock.sleep(10)\n    "


@pytest.fixture
def world(tmp_path):
    if reason := rig.lacking():
        pytest.skip(reason)
    world = rig.World(tmp_path / "world")
    world.orchestrate("install", "--scope", "plugin")
    (world.project / "README.md").write_text("one line\n")
    return world


@pytest.fixture
def plugin(tmp_path):
    """A copy that nobody changes while it is measured."""
    folder = tmp_path / "hooks"
    shutil.copytree(rig.REPO / "hooks", folder)
    return folder


def gaps(world, plugin, rounds):
    """Two lists of turns, with the mod and without: the milliseconds between the requests of each."""
    read = [{"name": "Read", "input": {"file_path": str(world.project / "README.md")}}]
    env = {**world.client_env, "ORCHESTRATOR_ENFORCEMENT": "session"}
    argv = [str(rig.CLIENT), "-p", PROMPT, "--model", "opus", "--plugin-dir"]
    commands = [
        {"args": [*argv, str(folder)], "env": env, "cwd": str(world.project)} for folder in (plugin, plugin / "classic")
    ]
    job = {"rules": [{"times": STEPS - 1, "tool_use": read}], "commands": commands, "rounds": rounds}
    done = subprocess.run(
        [*rig.UNSHARE, sys.executable, str(CELL)], input=json.dumps(job), text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def added(world, plugin, rounds=ROUNDS):
    ours, others = gaps(world, plugin, rounds)
    assert {len(turn) for turn in ours + others} == {STEPS - 1}
    return median(chain(*ours)) - median(chain(*others))


def asked(world):
    """What the mod set, step by step: no figure may be that of a mod that had nothing to do."""
    files = world.home.glob(".orchestrator/projects/*/sessions/*/steps.jsonl")
    return [json.loads(line)["asked"] for file in files for line in file.read_text().splitlines()]


@pytest.mark.timeout(400)
def test_what_the_mod_adds_to_a_step(world, plugin, benchmark):
    figure = benchmark.pedantic(added, (world, plugin), rounds=1)
    tries = 1
    while figure > LIMIT_MS and tries < TRIES:
        figure, tries = added(world, plugin), tries + 1
    assert gates.kept(benchmark, figure, LIMIT_MS)
    assert asked(world) == ["opus"] * STEPS * ROUNDS * tries


def test_a_slow_mod_exceeds_the_gate(world, plugin):
    mod = plugin / "register.ts"
    assert mod.read_text().count(OURS) == 1
    mod.write_text(mod.read_text().replace(OURS, SLOW + OURS))
    assert added(world, plugin, rounds=1) > LIMIT_MS
