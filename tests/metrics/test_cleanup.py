"""What is old goes; what the current session told, and what is new, stays."""

import os
from pathlib import Path

import pytest

from metrics.cleanup import Removed, clean
from metrics.ingest import ingest
from state.paths import LOG, session_dir
from state.store import Kept

CUTOFF = "2026-08-23T00:00:00.000Z"
OLD, NEW = "2026-08-22T23:59:59.999Z", "2026-08-23T00:00:00.000Z"
ALWAYS = ("2000-01-01T00:00:00.000Z", "2100-01-01T00:00:00.000Z")


def log(place, session):
    return Path(session_dir(place, session), LOG)


def cleaned(place, store, dry_run=False):
    ingest(place, store)
    return clean(place, store, CUTOFF, dry_run)


def test_old_facts_and_the_logs_of_old_sessions_are_removed(place, store, record):
    for session, at in (("old", OLD), ("mixed", OLD), ("mixed", NEW), ("new", NEW)):
        record("turn.end", session=session, at=at)
    assert cleaned(place, store) == Removed(Kept(2, 0), [str(log(place, "old"))])
    assert sorted(event.session for event in store.events_between(*ALWAYS)) == ["mixed", "new"]
    assert [log(place, session).exists() for session in ("old", "mixed", "new")] == [False, True, True]
    assert cleaned(place, store) == Removed(Kept(0, 0), [])


def test_a_dry_run_tells_the_same_and_removes_nothing(place, store, record):
    record("turn.end", session="old", at=OLD)
    told = cleaned(place, store, dry_run=True)
    assert log(place, "old").exists()
    assert len(list(store.events_between(*ALWAYS))) == 1
    assert cleaned(place, store) == told == Removed(Kept(1, 0), [str(log(place, "old"))])


def test_the_log_of_the_current_session_stays(place, store, record):
    record("turn.end", session="../it", at=OLD)
    Path(place.state, "current").write_text("../it\n")
    assert cleaned(place, store) == Removed(Kept(1, 0), [])
    assert log(place, "../it").exists()


def test_a_rotated_log_goes_with_the_rest_of_its_session(place, store, record):
    for session, at in (("old", OLD), ("live", NEW)):
        record("turn.end", session=session, at=OLD)
        log(place, session).rename(f"{log(place, session)}.1")
        record("turn.end", session=session, at=at)
    assert cleaned(place, store).logs == [f"{log(place, 'old')}.1", str(log(place, "old"))]


@pytest.mark.parametrize(("written", "gone"), [("2026-08-01", True), ("2026-11-01", False)])
def test_a_log_whose_events_do_not_tell_is_as_old_as_its_file(place, store, record, written, gone):
    from datetime import datetime

    record("turn.end", session="torn", at=OLD)
    with log(place, "torn").open("ab") as file:
        file.write(b"no newline")
    os.utime(log(place, "torn"), (datetime.fromisoformat(written).timestamp(),) * 2)
    cleaned(place, store)
    assert log(place, "torn").exists() is not gone
