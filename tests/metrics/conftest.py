"""Logs as the hooks write them, and the events that come of them."""

from datetime import datetime
from itertools import count

import pytest
from sessions import Machine

from metrics.lines import parse_event
from state import codec, journal
from state.store import Served, open_store

TEN = "2026-11-21T10:00:00.000Z"
DECIDED = {
    "mode": "directive",
    "context": "interactive",
    "decision": "direct",
    "action": "delegate",
    "agent": "haiku-general",
    "tier": "haiku",
    "rung": "directive",
    "degraded": None,
    "abstained": False,
    "override": False,
    "overhead_ms": 10.0,
}


@pytest.fixture
def store(place):
    with open_store(place) as store:
        yield store


@pytest.fixture
def entry(place):
    """One event as `journal.event` makes it; only its kind has to be said."""

    def make(kind, session="s", prompt_id="p", at=TEN, entity=("prompt", "p"), actor="hook", **payload):
        now = datetime.fromisoformat(at).timestamp()
        if kind == "prompt.decided":
            payload = {**DECIDED, **payload}
        return journal.event(place, f"orchestration.{kind}", session, prompt_id, entity, payload, now, actor)

    return make


@pytest.fixture
def record(place, entry):
    """Append an event to its session's log, with the real journal."""

    def append(kind, **fields):
        made = entry(kind, **fields)
        journal.record(place, made)
        return made

    return append


@pytest.fixture
def event(entry):
    """An event as the store has it."""

    def make(kind, **fields):
        return parse_event(codec.dumps(entry(kind, **fields)))

    return make


@pytest.fixture
def machine(place, tmp_path):
    return Machine(place, tmp_path / "projects")


@pytest.fixture
def message():
    """One message of a model as the store has it; the number of each makes its id and its time."""
    numbers = count(1)

    def make(served, **fields):
        number = next(numbers)
        told = dict.fromkeys(Served._fields) | {
            "message_id": f"m{number}",
            "session": "s",
            "prompt_id": "p",
            "served": served,
            "requested": served,
            "ts": f"2026-11-21T10:00:00.{number:03}Z",
            "is_sidechain": "agent_id" in fields,
            "is_copy": False,
            "input_tokens": 10,
            "output_tokens": 5,
            "cache_read_tokens": 100,
            "cache_write_tokens": 20,
        }
        return Served(**(told | fields))

    return make
