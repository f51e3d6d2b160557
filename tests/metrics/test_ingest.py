"""Every complete line of the logs is taken exactly once, whatever happens to the files."""

import json
import os
from pathlib import Path

import pytest

from metrics.ingest import Ingested, ingest
from state import codec, journal
from state.paths import LOG, session_dir

ALWAYS = ("2000-01-01T00:00:00.000Z", "2100-01-01T00:00:00.000Z")
QUIET = Ingested(events=0, files=1, bad_lines=0, torn=0, unreadable=0, hook_errors=0)


@pytest.fixture
def log(place):
    """The file of session `s`."""
    folder = Path(session_dir(place, "s"))
    folder.mkdir(parents=True)
    return folder / LOG


@pytest.fixture
def line(entry):
    """The line of one event of session `s`, and a way to tell it from another."""

    def make(at="2026-11-21T10:00:00.000Z", **payload):
        return codec.dumps(entry("turn.end", at=at, **payload)) + b"\n"

    return make


def stored(store):
    return sorted(event.id for event in store.events_between(*ALWAYS))


def written(*lines):
    return sorted(json.loads(line)["id"] for line in lines)


def test_no_log_at_all(place, store):
    assert ingest(place, store) == QUIET._replace(files=0)


def test_what_the_hooks_recorded_is_there_once(place, store, record):
    made = [record("turn.end", session=session) for session in ("s", "t", "../evil") for _ in range(3)]
    assert ingest(place, store) == QUIET._replace(events=9, files=3)
    assert ingest(place, store) == QUIET._replace(files=3)
    assert stored(store) == sorted(entry["id"] for entry in made)


def test_only_what_came_since_is_read(place, store, log, line):
    first, second = line(note="x" * 1000), line()
    log.write_bytes(first)
    ingest(place, store)
    log.write_bytes(first.replace(b"x", b'"') + second)  # whoever reads it again finds a bad line
    with log.open("r+b") as file:
        file.write(first[:500])
    assert ingest(place, store) == QUIET._replace(events=1)
    assert stored(store) == written(first, second)


def test_a_torn_line_waits_for_its_newline(place, store, log, line):
    first, second = line(), line()
    log.write_bytes(first + second[:40])
    assert ingest(place, store) == QUIET._replace(events=1, torn=1)
    assert ingest(place, store) == QUIET._replace(torn=1)
    with log.open("ab") as file:
        file.write(second[40:])
    assert ingest(place, store) == QUIET._replace(events=1)
    assert stored(store) == written(first, second)


def test_a_line_that_stays_torn_is_one_bad_line(place, store, log, line):
    first, torn, last = line(), line(), line()
    log.write_bytes(first + torn[:40])
    ingest(place, store)
    journal.append(str(log), last[:-1])  # begins with a newline, as the line before has none
    assert ingest(place, store) == QUIET._replace(events=1, bad_lines=1)
    assert stored(store) == written(first, last)
    assert store.bad_lines() == 1


def test_garbage_is_counted_and_never_fatal(place, store, log, line):
    good = [line() for _ in range(3)]
    log.write_bytes(good[0] + b"\x00\xff garbage\n\n" + good[1] + b"[]\n" + b"{" * 5000 + b"\n  \n" + good[2])
    assert ingest(place, store) == QUIET._replace(events=3, bad_lines=3)
    assert ingest(place, store) == QUIET
    assert stored(store) == written(*good)


@pytest.mark.parametrize("chunk_bytes", [1, 100, 1000, 100_000])
def test_the_size_of_a_chunk_changes_nothing(place, store, log, line, chunk_bytes):
    lines = [line(note="x" * size) for size in (0, 10, 5000, 300, 0)]
    log.write_bytes(b"".join(lines) + b"torn")
    assert ingest(place, store, chunk_bytes) == QUIET._replace(events=5, torn=1)
    assert stored(store) == written(*lines)


def test_a_rotated_log_is_read_to_its_end_under_its_new_name(place, store, log, line):
    lines = [line() for _ in range(4)]
    log.write_bytes(lines[0] + b"bad\n")
    ingest(place, store)
    with log.open("ab") as file:
        file.write(lines[1])
    log.rename(f"{log}.1")
    log.write_bytes(lines[2])
    assert ingest(place, store) == QUIET._replace(events=2, files=2)
    with log.open("ab") as file:
        file.write(lines[3])
    assert ingest(place, store) == QUIET._replace(events=1, files=2)
    assert stored(store) == written(*lines)


def test_a_log_copied_away_and_cut_is_read_from_its_beginning(place, store, log, line):
    lines = [line() for _ in range(3)]
    log.write_bytes(lines[0] + b"bad\n" + lines[1])
    ingest(place, store)
    Path(f"{log}.1").write_bytes(log.read_bytes())
    os.truncate(log, 0)
    ingest(place, store)
    with log.open("ab") as file:
        file.write(lines[2])
    assert ingest(place, store) == QUIET._replace(events=1, files=2)
    assert stored(store) == written(*lines)
    assert store.bad_lines() == 1


def test_a_log_cut_short_is_read_from_its_beginning(place, store, log, line):
    first, second, third = line(note="x" * 1000), line(note="y" * 1000), line()
    log.write_bytes(first + second)
    ingest(place, store)
    log.write_bytes(first + third)
    assert ingest(place, store) == QUIET._replace(events=1)
    assert stored(store) == written(first, second, third)


def test_another_file_in_the_place_of_the_inode_is_read_from_its_beginning(place, store, log, line):
    lines = [line() for _ in range(5)]
    log.write_bytes(b"".join(lines[:2]))
    ingest(place, store)
    inode = log.stat().st_ino
    with log.open("r+b") as file:  # as when the file system gives the number of a deleted file to a new one
        file.write(b"".join(lines[2:]))
    assert log.stat().st_ino == inode
    assert ingest(place, store) == QUIET._replace(events=3)
    assert stored(store) == written(*lines)


def test_a_deleted_log_is_forgotten_and_its_events_stay(place, store, log, line):
    first, second = line(), line()
    log.write_bytes(first)
    ingest(place, store)
    log.unlink()
    assert ingest(place, store) == QUIET._replace(files=0)
    assert store.positions() == {}
    log.write_bytes(second)
    assert ingest(place, store) == QUIET._replace(events=1)
    assert stored(store) == written(first, second)


def test_what_is_no_file_is_no_log(place, store, log, line):
    os.mkfifo(log)
    Path(session_dir(place, "t"), LOG).mkdir(parents=True)
    Path(place.state, "sessions", "a file").write_bytes(line())
    assert ingest(place, store) == QUIET._replace(files=0)


def test_a_log_that_cannot_be_opened_is_counted(place, store, log, record):
    log.symlink_to(log)
    record("turn.end", session="t")
    assert ingest(place, store) == QUIET._replace(events=1, files=2, unreadable=1)


def test_errors_of_hooks_are_counted_without_their_words(place, store):
    file = Path(place.state, "hook-errors.log")
    told = {
        "ts": "2026-11-21T10:00:00.000Z",
        "event": "Stop",
        "session": "s",
        "where": "persist",
        "error": "OSError: the secret",
        "traceback": "the secret",
    }
    file.write_bytes(codec.dumps(told) + b"\nnot JSON\n")
    assert ingest(place, store) == QUIET._replace(hook_errors=1, bad_lines=1)
    file.rename(f"{file}.1")
    file.write_bytes(codec.dumps({**told, "where": "decode", "error": "ValueError"}) + b"\n")
    assert ingest(place, store) == QUIET._replace(files=2, hook_errors=1)
    found = [error[1:] for error in store.hook_errors_between(*ALWAYS)]
    assert sorted(found) == [
        ("2026-11-21T10:00:00.000Z", "Stop", "s", "decode", "ValueError"),
        ("2026-11-21T10:00:00.000Z", "Stop", "s", "persist", "OSError"),
    ]
    assert b"secret" not in Path(place.state, "store.db").read_bytes() + Path(place.state, "store.db-wal").read_bytes()


def test_a_position_knows_the_newest_event(place, store, log, line):
    log.write_bytes(line(at="2026-11-21T12:00:00.000Z") + line(at="2026-11-21T11:00:00.000Z"))
    ingest(place, store)
    with log.open("ab") as file:
        file.write(line(at="2026-11-21T10:00:00.000Z"))
    ingest(place, store)
    assert [position.last_ts for position in store.positions().values()] == ["2026-11-21T12:00:00.000Z"]
