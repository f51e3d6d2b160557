"""Those who follow the events: told by another process, at once on PostgreSQL and within a moment on SQLite."""

import multiprocessing
import time

from state.store import Event, open_store

EVENT = Event("a", "2026-11-21T10:00:00.000Z", "orchestration.turn.end", "s", None, "hook", "prompt", "", "{}")


def _emit(place, asked, told, keys):
    with open_store(place) as store:
        for key in keys:
            asked.acquire()
            store.emit([EVENT._replace(id=key)])
            told.release()


def test_what_is_there_already_is_not_waited_for(store):
    assert not store.wait_for_events(0, 0.0)
    store.emit([EVENT])
    assert store.wait_for_events(0, 0.0)
    assert store.wait_for_events(0, 30.0)
    assert not store.wait_for_events(store.newest_seq(), 0.05)


def test_what_another_process_tells_ends_the_wait(place, store):
    spawn = multiprocessing.get_context("spawn")
    asked, told = spawn.Semaphore(0), spawn.Semaphore(0)
    other = spawn.Process(target=_emit, args=(place, asked, told, ["a", "a", "b"]), daemon=True)
    other.start()
    asked.release()
    assert store.wait_for_events(0, 60.0)
    first = store.newest_seq()
    asked.release()  # the same event again is none
    assert not store.wait_for_events(first, 0.3)
    assert told.acquire(timeout=60) and told.acquire(timeout=60)
    assert not store.wait_for_events(first, 0.0)
    started = time.monotonic()
    asked.release()
    assert store.wait_for_events(first, 100.0)
    assert time.monotonic() - started < 50  # of the waiting itself: no timeout was needed
    other.join(60)
    assert (other.exitcode, store.newest_seq() > first) == (0, True)
