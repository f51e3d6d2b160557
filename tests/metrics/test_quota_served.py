"""The work that this machine knows of, read from the ledgers of its projects."""

import os
import time
from datetime import UTC, datetime

import pytest

from metrics.quota_served import gather
from metrics.quota_tokens import KINDS
from state import journal
from state.paths import Place
from state.store import Position, open_store

SINCE = datetime(2026, 11, 21, 9, tzinfo=UTC).timestamp()
UNTIL = SINCE + 4 * 3600
OPUS = slice(2 * len(KINDS), None)


@pytest.fixture
def serve(message):
    """Put messages into the ledger of a project."""

    def add(place, *messages):
        os.makedirs(place.state, exist_ok=True)
        with open_store(place) as store:
            rows = [message._replace(after_error=False) for message in messages]
            store.add_served(rows, None, Position(f"log {time.monotonic_ns()}", "1", 1, "h", 0, None))

    return add


@pytest.fixture
def elsewhere(place):
    """Another project whose state is with the user, and which was at work in these hours."""
    other = Place("", "other", f"{place.user}/projects/other", place.user, False)
    log = f"{other.state}/sessions/s/log.jsonl"
    journal.append(log, b"{}")
    os.utime(log, (UNTIL, UNTIL))
    return other


def total(place):
    return gather(place, SINCE, UNTIL).between(SINCE, UNTIL)


def test_nothing_served_is_no_work(place):
    assert total(place) == (0.0,) * 12


def test_the_messages_of_this_project_count(place, serve, message):
    serve(place, message("claude-opus-5-5"), message("claude-haiku-5-5", input_tokens=7))
    assert total(place) == (7, 5, 100, 20, 0, 0, 0, 0, 10, 5, 100, 20)


def test_those_of_other_projects_count_too_and_each_once(place, elsewhere, serve, message):
    shared = message("claude-opus-5-5")
    serve(place, shared)
    serve(elsewhere, shared, message("claude-opus-5-5", output_tokens=1))
    assert total(place)[OPUS] == (20, 6, 200, 40)


def test_a_project_that_rested_is_not_opened(place, elsewhere, serve, message):
    serve(elsewhere, message("claude-opus-5-5"))
    log = f"{elsewhere.state}/sessions/s/log.jsonl"
    os.utime(log, (SINCE - 1,) * 2)
    assert total(place) == (0.0,) * 12


def test_a_project_that_cannot_be_read_is_as_another_device(place, elsewhere, serve, message):
    serve(place, message("claude-opus-5-5"))
    with open(f"{elsewhere.state}/store.db", "w") as broken:
        broken.write("no database" * 1000)
    assert total(place)[OPUS] == (10, 5, 100, 20)


@pytest.mark.parametrize(
    "fields",
    [
        {"served": None},
        {"served": "claude-opus-5-5", "is_copy": True},
        {"served": "claude-opus-5-5", "ts": "2026-11-21T08:59:59.000Z"},
        {"served": "claude-opus-5-5", "ts": "2026-11-21T13:00:01.000Z"},
        {"served": "claude-opus-5-5", "ts": "long ago"},
    ],
)
def test_what_is_no_work_of_these_hours_does_not_count(fields, place, serve, message):
    serve(place, message(**fields))
    assert total(place) == (0.0,) * 12
