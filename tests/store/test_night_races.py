"""Many runners at the jobs of one night; some are killed."""

import multiprocessing
import os
import signal
from collections import Counter

import pytest

from state.store import open_user_store
from state.store.night_records import New

pytestmark = pytest.mark.slow
FORKS = multiprocessing.get_context("forkserver")
NOW = 1_795_000_000.0
JOBS = 20
RUNNERS = 6


def silent(_changes):
    return []


def _runner(place, start, found, owner):
    with open_user_store(place) as store:
        start.wait()
        for job in store.nights.jobs():
            fence = store.nights.claim(job.id, owner, 60, NOW, silent)
            if fence is not None:
                found.put((job.code, owner, fence))


def _recoverer(place, start, found, owner):
    with open_user_store(place) as store:
        start.wait()
        for job in store.nights.requeue_lost(NOW + 61, lambda name: False, 3, silent):
            found.put((job.code, owner, job.attempts))


def _dying(place, started):
    with open_user_store(place) as store:

        def dies(_changes):
            os.kill(os.getpid(), signal.SIGKILL)

        started.set()
        store.nights.claim("J-1", "dying", 60, NOW, dies)


def together(target, place, count):
    start, found = FORKS.Event(), FORKS.SimpleQueue()
    children = [FORKS.Process(target=target, args=(place, start, found, f"r{n}"), daemon=True) for n in range(count)]
    for child in children:
        child.start()
    start.set()
    for child in children:
        child.join(100)
    assert [child.exitcode for child in children] == [0] * count
    told = []
    while not found.empty():
        told.append(found.get())
    return told


@pytest.fixture
def queued(place):
    with open_user_store(place) as store:
        store.nights.add([New(f"job {n}", "/p") for n in range(JOBS)], NOW, silent)
    return place


def test_of_many_runners_one_gets_each_job(queued):
    claimed = together(_runner, queued, RUNNERS)
    assert Counter(code for code, _, _ in claimed) == {f"J-{n}": 1 for n in range(1, JOBS + 1)}
    with open_user_store(queued) as store:
        assert {(job.code, job.owner, job.fence) for job in store.nights.jobs()} == set(claimed)


def test_what_is_lost_is_taken_back_once(queued):
    together(_runner, queued, 1)
    back = together(_recoverer, queued, RUNNERS)
    assert Counter(code for code, _, _ in back) == {f"J-{n}": 1 for n in range(1, JOBS + 1)}


def test_who_is_killed_while_he_claims_has_claimed_nothing(queued):
    started = FORKS.Event()
    child = FORKS.Process(target=_dying, args=(queued, started), daemon=True)
    child.start()
    child.join(100)
    assert (started.is_set(), child.exitcode) == (True, -signal.SIGKILL)
    with open_user_store(queued) as store:
        assert (store.nights.one("J-1").status, store.nights.one("J-1").fence) == ("queued", 0)
        assert store.nights.claim("J-1", "next", 60, NOW, silent) == 1
