"""What we add to an agent: from the start of `orchestrate-request` to its exit, less a run of the real client alone.

Both in one network namespace with a fake API that answers at once: the same arguments, the same request, in turn.
"""

import json
import os
import shlex
import shutil
import sys
from pathlib import Path
from statistics import fmean, median

import gates
import pytest

from orchestrate import hookline

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "client"))
import rig

TIMES = 20
TRIES = 3  # of a pair that is above the worst: on a busy machine two runs of the client alone differ by as much
BATCH = 10  # as many pairs as a cell has time for on a slow machine
LIMITS_MS = {"mean": (fmean, 250.0), "p50": (median, 250.0), "worst": (max, 500.0)}
PROMPT = "Fix typo in README.md"
REQUEST = "import sys; sys.path.insert(0, sys.argv.pop(1)); from orchestrate.cli import request; request()"
SPY = """\
#!/bin/sh
printf '%s\\0' "$@" > "$HOME/arguments"
exec claude "$@"
"""
PAIRS = """\
import json, os, sys
sys.path.insert(0, sys.argv[1])
from orchestrate.measure.runner import Case, interleaved
rounds, *cases = json.loads(sys.argv[2])
series = interleaved([Case(name, argv, stdin, os.environ) for name, argv, stdin in cases], rounds)
json.dump([[sample.wall_ms for sample in series[name].samples] for name, _, _ in cases], sys.stdout)
"""


@pytest.fixture
def world(tmp_path):
    """A user who has our agents, and the client."""
    if reason := rig.lacking():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    world = rig.World(tmp_path / "world")
    shutil.copytree(rig.REPO / "hooks" / "agents", world.config / "agents")
    return world


def two_cases(world, package):
    """Through us and alone: (name, command line, stdin). The client tells us itself how we call it."""
    python = hookline.here()[0]
    ours = [python, "-c", REQUEST, str(package), PROMPT]
    spy, said = world.home / "spy", world.home / "request"
    said.write_text(PROMPT)
    spy.write_text(SPY)
    spy.chmod(0o755)
    called = world.shell(shlex.join(ours), ORCHESTRATOR_CLAUDE_BINARY=str(spy))
    assert (called.rc, called.stdout) == (0, "ok\n"), called.stderr
    *arguments, _ = (world.home / "arguments").read_text().split("\0")
    own = arguments.index("--session-id")  # a session cannot be begun twice
    alone = [str(rig.CLIENT), *arguments[:own], *arguments[own + 2 :]]
    return ("through us", ours, os.devnull), ("alone", alone, str(said))


def added(world, cases, package, times):
    """The milliseconds that we add, one figure for each pair."""
    job = json.dumps([times, *cases])
    done = world.shell(shlex.join([sys.executable, "-c", PAIRS, str(package), job]))
    assert done.rc == 0, done.stderr
    return [ours - alone for ours, alone in zip(*json.loads(done.stdout), strict=True)]


def measured(world, package):
    """The figures of TIMES pairs, those above the worst measured anew; and how many times that was done."""
    cases = two_cases(world, package)
    figures = [figure for _ in range(TIMES // BATCH) for figure in added(world, cases, package, BATCH)]
    again = 0
    for _ in range(TRIES - 1):
        kept = [figure for figure in figures if figure <= LIMITS_MS["worst"][1]]
        if missing := TIMES - len(kept):
            figures = kept + added(world, cases, package, missing)
            again += missing
    return figures, again


def exceeded(figures):
    return [name for name, (of, limit) in LIMITS_MS.items() if of(figures) > limit]


def reported(figures, again, benchmark):
    benchmark.group = "gates"
    benchmark.extra_info["measured anew"] = again
    for name, (of, limit) in LIMITS_MS.items():
        gates.figures[f"{benchmark.name}[{name}]"] = (of(figures), limit)
        benchmark.extra_info[name] = round(of(figures), 3)


def outcomes(world):
    """Of all runs of ours: no figure may be that of a run that failed."""
    runs = world.home.glob(".orchestrator/projects/*/runs/*/run.json")
    return [json.loads(run.read_text())["outcome"] for run in runs]


@pytest.mark.timeout(300)
def test_what_we_add_to_an_agent(world, package, benchmark):
    figures, again = benchmark.pedantic(measured, (world, package), rounds=1)
    reported(figures, again, benchmark)
    assert exceeded(figures) == []
    assert len(figures) == TIMES
    assert set(outcomes(world)) == {"ok"}


def test_a_slow_start_of_the_agent_exceeds_every_gate(world, slowed):
    package = slowed("orchestrate/agents/conduct.py", "conduct", "time.sleep(0.6)").package
    figures = added(world, two_cases(world, package), package, 1)
    assert exceeded(figures) == list(LIMITS_MS)
    assert set(outcomes(world)) == {"ok"}
