"""The status line: its own part, without a command of the user's, against a Python that does nothing."""

import json
import time

import pytest
from gates import BURN, figure, held, over_floor

from orchestrate.install import status_line
from orchestrate.install.interpreter import Interpreter
from orchestrate.measure import cases
from orchestrate.measure.runner import Case, interleaved, once
from state import quota

LINE = 1.5  # of the floor
P50_MS = 25
FLOORS = 2.8  # so many times the floor, where that is more: other programs have the machine too


def case(box, own=""):
    """Every call brings a reading, so every call writes."""
    soon = int(time.time()) + 3600
    payload = {
        "session_id": "s",
        "cwd": str(box.project),
        "model": {"id": "claude-sonnet-5-5"},
        "workspace": {"project_dir": str(box.project)},
        "rate_limits": {name: {"used_percentage": 42, "resets_at": soon} for name in quota.LENGTH_S},
    }
    file = box.home.parent / "statusline.json"
    file.write_text(json.dumps(payload))
    line = status_line.command(Interpreter(box.python, box.package), own)
    return Case("status line", ["/bin/sh", "-c", line], str(file), box.env)


def read_at(box):
    return {name: reading.read_at for name, reading in quota.read(box.place.user).items()}


def test_its_own_part(box, benchmark):
    line = case(box)
    started = time.time()
    assert held(benchmark, over_floor(line, box), LINE, lambda: once(line))
    assert min(read_at(box).values()) > started


def median_ms(line, box):
    """A measure: its median on the clock, as of a machine that has nothing else to do."""

    def measure(rounds):
        series = interleaved([line, cases.floor(box)], rounds)
        floor_ms = series[cases.FLOOR].wall_ms
        return series["status line"].wall_ms * min(1.0, P50_MS / (FLOORS * floor_ms))

    return measure


def test_its_median(box, benchmark):
    line = case(box)
    assert held(benchmark, median_ms(line, box), P50_MS, lambda: once(line))
    assert set(read_at(box)) == set(quota.LENGTH_S)


def test_one_that_waits_exceeds_its_median(slowed):
    box = slowed("orchestrate/statusline.py", "answer", "import time; time.sleep(0.2)")
    assert figure(median_ms(case(box), box), P50_MS) > P50_MS


@pytest.mark.parametrize("module", ["orchestrate/statusline.py"])
def test_a_slow_one_exceeds_its_gate(module, slowed):
    box = slowed(module, "answer", BURN)
    assert figure(over_floor(case(box), box), LINE) > LINE
