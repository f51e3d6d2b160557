"""Readers that are killed, and readers at the same time: nothing is lost and nothing doubled."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from killing import kill_each

from metrics.ingest import ingest
from state import codec
from state.paths import LOG, session_dir
from state.store import open_store

pytestmark = pytest.mark.timeout(600)  # many processes, in each other's way

REPO = Path(__file__).resolve().parent.parent.parent
ALWAYS = ("2000-01-01T00:00:00.000Z", "2100-01-01T00:00:00.000Z")
READ = """
import os, sys
sys.path.insert(0, sys.argv[1])
from metrics.ingest import ingest
from state.paths import locate
from state.store import open_store

place = locate(sys.argv[2], os.environ)
with open_store(place) as store:
    print("ready", flush=True)
    print(*ingest(place, store, chunk_bytes=int(sys.argv[3])))
"""
STEPS = """
import os, sys
sys.path.insert(0, sys.argv[1])
from metrics.ingest import ingest
from state.paths import locate
from state.store import open_store

def step(_added):
    print("step", flush=True)
    sys.stdin.readline()

place = locate(sys.argv[2], os.environ)
with open_store(place) as store:
    ingest(place, store, 4096, step)
"""
SESSIONS, EVENTS = 3, 4000


@pytest.fixture
def logs(place, entry, dialect):
    """Three sessions of 4,000 events and 40 bad lines each; the ids."""
    ids = []
    for number in range(SESSIONS):
        folder = Path(session_dir(place, f"s{number}"))
        folder.mkdir(parents=True)
        made = [entry("turn.end", session=f"s{number}") for _ in range(EVENTS)]
        ids += [each["id"] for each in made]
        lines = [codec.dumps(each) + (b"\nbad\n" if at % 100 == 0 else b"\n") for at, each in enumerate(made)]
        (folder / LOG).write_bytes(b"".join(lines))
    return sorted(ids)


def reader(project, chunk_bytes):
    command = [sys.executable, "-c", READ, str(REPO), str(project), str(chunk_bytes)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)


def stored(store):
    return sorted(event.id for event in store.events_between(*ALWAYS))


@pytest.mark.slow
def test_a_reader_killed_at_any_moment_loses_and_doubles_nothing(project, place, logs):
    kill_each([sys.executable, "-c", STEPS, str(REPO), str(project)], 25, random.Random(8))
    with open_store(place) as store:
        with store._engine.writing():  # a server may not have done yet with what the last of them said
            before = len(stored(store))
        last = ingest(place, store)
        assert stored(store) == logs
        assert last.events == len(logs) - before
        assert store.bad_lines() == SESSIONS * EVENTS // 100


@pytest.mark.slow
def test_readers_at_the_same_time_share_the_work(project, place, logs):
    readers = [reader(project, 8192) for _ in range(4)]
    told = [process.communicate(timeout=500)[0].split() for process in readers]
    assert [process.returncode for process in readers] == [0] * 4
    with open_store(place) as store:
        assert stored(store) == logs
        assert store.bad_lines() == SESSIONS * EVENTS // 100
    events, bad_lines = (sum(int(line[at]) for line in told) for at in (1, 3))
    assert (events, bad_lines) == (len(logs), SESSIONS * EVENTS // 100)


@pytest.mark.slow
def test_twenty_thousand_events_are_read_in_four_seconds(place, logs):
    started = time.process_time()
    with open_store(place) as store:
        taken = ingest(place, store).events
    assert taken / (time.process_time() - started) >= 5000
