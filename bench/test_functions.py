"""The functions of the hot path within one process, for profiling a change; their gates are those of the cold hook."""

import pytest

from orchestrate import entry, payloads
from orchestrate.hookline import EVENTS
from routing import routing_core
from state import journal

ROUNDS = {"rounds": 60, "warmup_rounds": 3, "iterations": 5}
CALLS = 60 * 5
PROMPTS = {
    "short": payloads.PROMPT,
    "long": "Find the race between the two workers and prove the fix. See src/lease.py line 40.\n" * 100,
}


@pytest.mark.parametrize("event", EVENTS)
def test_handle(event, box, benchmark):
    raw = payloads.line(event, str(box.project), str(box.transcript))
    benchmark.pedantic(entry.handle, (raw, dict(box.env)), **ROUNDS)
    assert box.records() > CALLS


@pytest.mark.parametrize("prompt", PROMPTS)
def test_decide(prompt, benchmark):
    decision = benchmark.pedantic(routing_core.decide, (PROMPTS[prompt],), **ROUNDS)
    assert decision.tier == ("haiku" if prompt == "short" else "opus")


def test_append(box, benchmark):
    log = box.log()
    benchmark.pedantic(journal.append, (str(log), b"x" * 1200), **ROUNDS)
    assert log.stat().st_size > 1201 * CALLS
