"""What the mod adds to a step: the time between two requests of one turn, with it and without, in one interleaved run.

The plugin with the mod against the one without, in the real client: the same hooks, the same model, turns of 25 steps,
and a fake API whose answers come event by event. The model is decided for each step, so all of the mod's work is there.
A third plugin has a mod that hands everything through: what the client itself takes for any mod, which is most of it
and depends on the machine. Where that leaves less than 1 ms of the limit, ours may take 1 ms more than it, or a
quarter as much again where a slow machine makes that more.
"""

import json
import os
import shutil
import subprocess
import sys
from itertools import chain
from pathlib import Path
from statistics import median
from typing import NamedTuple

import gates
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "client"))
import rig

CELL = Path(__file__).with_name("mod_cell.py")
STEPS = 25
ROUNDS = 6
TRIES = 3  # a figure counts as exceeded when it is so each time: a busy machine slows the client as much as us
PACE_S = 0.005
LIMIT_MS = 3.0
OWN_MS = 1.0
OWN_SHARE = 0.25  # of what any mod takes
PROMPT = "Find the race condition in the scheduler and prove that the fix is right"
THROUGH = (
    "export const register = on => {\n  on('turn.step', async function* ($, e, next) { return yield* next(e) })\n}\n"
)
BUSY = 0.8  # of its steps, at the least: a prompt whose hook gave up leaves it nothing to do
OURS = "const own = "  # in the mod: a line that every step comes by
SLOW = "await $.clock.sleep(400)\n    "  # more than a busy machine takes


class Added(NamedTuple):
    """The medians of milliseconds per step beyond those of no mod."""

    ours: float
    through: float

    @property
    def limit(self):
        return max(LIMIT_MS, self.through + OWN_MS, self.through * (1 + OWN_SHARE))

    @property
    def holds(self):
        return self.ours <= self.limit


@pytest.fixture
def world(tmp_path):
    if reason := rig.lacking():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    world = rig.World(tmp_path / "world")
    world.orchestrate("install", "--scope", "plugin")
    (world.project / "README.md").write_text("one line\n")
    return world


@pytest.fixture
def plugins(tmp_path):
    """Copies that nobody changes meanwhile: ours, one that hands everything through, one without a mod."""
    ours, through = tmp_path / "ours", tmp_path / "through"
    for folder in (ours, through):
        shutil.copytree(rig.REPO / "hooks", folder)
    (through / "register.ts").write_text(THROUGH)
    return ours, through, ours / "classic"


def gaps(world, plugins, rounds):
    """For each plugin its turns: the milliseconds between the requests of each."""
    read = [{"name": "Read", "input": {"file_path": str(world.project / "README.md")}}]
    argv = [str(rig.CLIENT), "-p", PROMPT, "--model", "opus", "--plugin-dir"]
    at = {"env": {**world.client_env, "ORCHESTRATOR_ENFORCEMENT": "session"}, "cwd": str(world.project)}
    job = {
        "rules": [{"times": STEPS - 1, "tool_use": read}],
        "commands": [{"args": [*argv, str(folder)], **at} for folder in plugins],
        "rounds": rounds,
        "pace_s": PACE_S,
    }
    done = subprocess.run(
        [*rig.UNSHARE, sys.executable, str(CELL)], input=json.dumps(job), text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def added(world, plugins, rounds=ROUNDS):
    measured = gaps(world, plugins, rounds)
    assert {len(turn) for turns in measured for turn in turns} == {STEPS - 1}
    ours, through, none = [median(chain(*turns)) for turns in measured]
    return Added(ours - none, through - none)


def asked(world):
    """What the mod set, step by step: no figure may be that of a mod that had nothing to do."""
    files = world.home.glob(".orchestrator/projects/*/sessions/*/steps.jsonl")
    return [json.loads(line)["asked"] for file in files for line in file.read_text().splitlines()]


def test_what_the_mod_adds_to_a_step(world, plugins, benchmark):
    figures = [benchmark.pedantic(added, (world, plugins), rounds=1)]
    while not figures[-1].holds and len(figures) < TRIES:
        figures.append(added(world, plugins))
    gates.kept(benchmark, figures[-1].ours, figures[-1].limit)
    assert figures[-1].holds, figures
    steps = asked(world)
    assert (len(steps), set(steps) <= {"opus", None}) == (STEPS * ROUNDS * len(figures), True)
    assert steps.count("opus") >= BUSY * len(steps)


def test_a_slow_mod_exceeds_the_gate(world, plugins):
    mod = plugins[0] / "register.ts"
    assert mod.read_text().count(OURS) == 1
    mod.write_text(mod.read_text().replace(OURS, SLOW + OURS))
    assert not added(world, plugins, rounds=2).holds
