"""The status line: its own part, without a command of the user's, against a Python that does nothing."""

import json
import time

import pytest
from gates import BURN, figure, held, kept, over_floor

from orchestrate.install import status_line
from orchestrate.install.interpreter import Interpreter
from orchestrate.measure import cases
from orchestrate.measure.runner import Case, interleaved, once
from state import quota

LINE = 1.5  # of the floor
P50_MS = 25
ROUNDS = 40


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


def test_its_median(box, benchmark):
    line = case(box)
    series = interleaved([line, cases.floor(box)], ROUNDS)
    benchmark.extra_info["floor p50 ms"] = round(series[cases.FLOOR].wall_ms, 2)
    assert kept(benchmark, series["status line"].wall_ms, P50_MS)
    benchmark.pedantic(lambda: once(line), rounds=5, warmup_rounds=1)
    assert set(read_at(box)) == set(quota.LENGTH_S)


@pytest.mark.parametrize("module", ["orchestrate/statusline.py"])
def test_a_slow_one_exceeds_its_gate(module, slowed):
    box = slowed(module, "answer", BURN)
    assert figure(over_floor(case(box), box), LINE) > LINE
