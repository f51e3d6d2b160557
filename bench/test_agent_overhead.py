"""What we add to an agent: from our start to the client's, and from its end to ours.

The client is a script, run by itself and through `orchestrate-request` in turn: the difference in wall time is ours.
"""

import json
import os
import shutil
from pathlib import Path
from statistics import fmean

import gates
import pytest

from orchestrate import hookline
from orchestrate.agents import runs
from orchestrate.measure.runner import WARM_UPS, Case, interleaved, once

TIMES = 20
MEAN_MS, WORST_MS = 250.0, 500.0
# It takes a while, as a real one does: what we do beside it is no overhead.
CLIENT = """\
#!/bin/sh
cat > /dev/null
sleep 0.1
echo '{"type":"system","subtype":"init","model":"claude-haiku-5-5","apiKeySource":"none"}'
echo '{"type":"assistant","message":{"id":"m","model":"claude-haiku-5-5","content":[{"type":"text","text":"done"}]}}'
echo '{"type":"result","subtype":"success","is_error":false,"result":"done","modelUsage":{"claude-haiku-5-5":{}}}'
"""
_REQUEST = "import sys; sys.path.insert(0, sys.argv.pop(1)); from orchestrate.cli import request; request()"


def through_us_and_alone(box):
    """The two cases, in a home where the agents are installed."""
    client = box.home / "bin" / "claude"
    client.parent.mkdir()
    client.write_text(CLIENT)
    client.chmod(0o755)
    shutil.copytree(Path(hookline.here()[1], "hooks", "agents"), box.home / ".claude" / "agents")
    env = {**box.env, "PATH": f"{client.parent}:{os.defpath}"}
    words = ["--project-root", str(box.project), "Fix typo in README.md"]
    return (
        Case("through us", [box.python, "-c", _REQUEST, box.package, *words], os.devnull, env),
        Case("alone", [str(client)], os.devnull, env),
    )


def added(of, ours, alone):
    """A measure: `of` the milliseconds that we add, one for each round."""

    def measure(rounds):
        series = interleaved([ours, alone], rounds)
        pairs = zip(series[ours.name].samples, series[alone.name].samples, strict=True)
        return of(mine.wall_ms - its.wall_ms for mine, its in pairs)

    return measure


def ran(box):
    """How many runs are recorded, all of them good."""
    outcomes = [kept.record["outcome"] for kept in runs.listed(box.place)]
    assert set(outcomes) == {"ok"}, json.dumps(outcomes)
    return len(outcomes)


@pytest.mark.parametrize(("of", "limit"), [(fmean, MEAN_MS), (max, WORST_MS)], ids=["mean", "worst"])
def test_what_we_add_to_an_agent(of, limit, box, benchmark):
    ours, alone = through_us_and_alone(box)
    measure = added(of, ours, alone)
    value = measure(TIMES)
    value = value if value <= limit else measure(TIMES)  # once more before it counts, as other gates do
    assert gates.kept(benchmark, value, limit)
    benchmark.pedantic(lambda: once(ours), rounds=3)
    assert ran(box) >= WARM_UPS + TIMES + 3


@pytest.mark.parametrize(("of", "limit"), [(fmean, MEAN_MS), (max, WORST_MS)], ids=["mean", "worst"])
def test_a_slow_start_of_the_agent_exceeds_its_gate(of, limit, slowed):
    box = slowed("orchestrate/agents/conduct.py", "conduct", "time.sleep(0.6)")
    assert added(of, *through_us_and_alone(box))(3) > limit
    assert ran(box) == WARM_UPS + 3
