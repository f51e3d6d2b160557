"""Many processes at one queue; some are killed."""

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from contextlib import contextmanager

import pytest
from work_world import START, world

from orchestrate.work import claiming
from state.errors import REFUSED, UserError
from state.store.clock import later
from state.store.work_records import Claimed, New

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["work_world", "orchestrate.work.claiming", "psycopg"])
ENDS = ("completed", "failed", "released", "expired")


def begun(target, *arguments):
    child = FORKS.Process(target=_child, args=(dict(os.environ), target, *arguments), daemon=True)
    child.start()
    return child


def _child(environment, target, *arguments):
    os.environ.clear()  # a fork server has that of its own beginning
    os.environ.update(environment)
    target(*arguments)


def all_end(children, within_s=500):
    deadline = time.monotonic() + within_s
    for child in children:
        child.join(max(0, deadline - time.monotonic()))
    assert [child.exitcode for child in children] == [0] * len(children)


def most_at_once(queue):
    held, most = 0, 0
    for verb, _, _ in queue.told():
        held += (verb == "claimed") - (verb in ENDS)
        most = max(most, held)
    return most


def _race(place, alone, start, wins, name):
    with alone:  # a server has so much time to take a connection
        queue = world(place)
    start.wait()
    if isinstance(queue.take(name, 60), Claimed):
        wins.put(name)


def test_of_32_racers_one_wins(place, dialect):
    queue = world(place)
    queue.add("A")
    alone, start, wins = FORKS.Lock(), FORKS.Barrier(32), FORKS.SimpleQueue()
    all_end([begun(_race, place, alone, start, wins, f"racer-{number}") for number in range(32)])
    winner = wins.get()
    assert wins.empty()
    assert [told[2]["owner"] for told in queue.told() if told[0] == "claimed"] == [winner]
    assert queue.work.one("A").attempts == 1


def _work_off(place, start, done, limit, meet=None):
    """As `orchestrate work next --wait` in a loop, until all is done; a line for each item that was worked on. Who has
    one of the first goes on once all of those are held."""
    queue = world(place)
    start.wait()
    while True:
        found = claiming.claim(queue.store, queue.tell, str(os.getpid()), 600, limit, 5)
        if not isinstance(found, Claimed):
            if not found.queued:
                return
            continue
        if meet and found.item.id in [f"I-{number}" for number in range(limit)]:
            meet.wait(500)
        with open(done, "a") as file:
            file.write(f"{found.item.id}\n")
        queue.work.complete(found.item.id, found.claim.token, None, queue.tell)


def test_8_processes_do_each_of_400_items_once(place, dialect, tmp_path):
    queue = world(place)
    queue.add(*[New("", f"I-{number}") for number in range(400)])
    start, done = FORKS.Barrier(8), tmp_path / "done"
    all_end([begun(_work_off, place, start, str(done), 8) for _ in range(8)])
    assert Counter(done.read_text().split()) == dict.fromkeys([f"I-{number}" for number in range(400)], 1)
    assert Counter(verb for verb, _, _ in queue.told()) == {"added": 400, "claimed": 400, "completed": 400}


def test_16_racers_never_exceed_the_limit(place, dialect, tmp_path):
    queue = world(place)
    queue.add(*[New("", f"I-{number}", needs=(f"I-{number - 7}",) if number >= 7 else ()) for number in range(80)])
    start, meet, done = FORKS.Barrier(16), FORKS.Barrier(3), tmp_path / "done"
    all_end([begun(_work_off, place, start, str(done), 3, meet) for _ in range(16)])
    assert len(done.read_text().split()) == 80
    assert most_at_once(queue) == 3


class Shown:
    """A clock that every process reads, and the test sets."""

    def __init__(self, path):
        self.path = path
        path.write_text(START)

    def __call__(self):
        return self.path.read_text()

    def move(self, seconds):
        self.path.write_text(later(self(), seconds))


def _beat(place, clock, ttl_s, asked, told):
    queue = world(place, clock)
    queue.take("victim", ttl_s)
    while True:
        told.release()
        asked.acquire()
        queue.work.extend("A", 1, ttl_s)


def test_an_item_is_its_owners_as_long_as_his_heart_beats(place, dialect, tmp_path):
    clock = Shown(tmp_path / "clock")
    queue = world(place, clock)
    queue.add("A")
    asked, told = FORKS.Semaphore(0), FORKS.Semaphore(0)
    victim = begun(_beat, place, clock, 1.5, asked, told)
    assert told.acquire(timeout=60)
    for _ in range(4):
        clock.move(1)
        asked.release()
        assert told.acquire(timeout=60)
        assert not isinstance(queue.take("heir"), Claimed)
    os.kill(victim.pid, signal.SIGKILL)
    victim.join(60)
    clock.move(1.499)
    assert not isinstance(queue.take("heir"), Claimed)
    clock.move(0.001)
    found = queue.take("heir")
    assert (found.item.id, found.claim.token) == ("A", 2)
    assert queue.verbs() == ["added A", "claimed A", "expired A", "claimed A"]


def _hold(place, held, ttl_s):
    held.put(world(place).take("victim", ttl_s).claim)
    signal.pause()


def test_the_item_of_a_killed_worker_is_anothers_after_the_claims_time(place, dialect):
    queue = world(place)
    queue.add("A")
    held = FORKS.SimpleQueue()
    victim = begun(_hold, place, held, 1.5)
    lost = held.get()
    os.kill(victim.pid, signal.SIGKILL)
    victim.join(60)
    killed = time.monotonic()
    found = claiming.claim(queue.store, queue.tell, "heir", 60, 3, 100)
    assert (found.item.id, lost.token, found.claim.token) == ("A", 1, 2)
    assert found.claim.acquired_at >= lost.expires_at
    assert time.monotonic() - killed < 50  # it has waited for that time, and not for the end of its own
    assert queue.verbs() == ["added A", "claimed A", "expired A", "claimed A"]


@contextmanager
def late():
    """On a busy machine a claim of one second may be another's by now."""
    try:
        yield
    except UserError as error:
        assert error.code == REFUSED


def _labour(place, seed):
    queue, dice = world(place), random.Random(seed)
    while True:
        found = claiming.claim(queue.store, queue.tell, f"w{seed}", 1, 4, 0.5)
        if isinstance(found, Claimed):
            time.sleep(dice.random() * 0.05)
            with late():
                if dice.random() < 0.2:
                    queue.work.fail(found.item.id, found.claim.token, "red", 0.05, queue.tell)
                else:
                    queue.work.complete(found.item.id, found.claim.token, None, queue.tell)


def test_whoever_is_killed_when_every_item_is_completed_once(place, dialect):
    queue = world(place)
    queue.add(*[New("", f"I-{number}", max_attempts=1000) for number in range(120)])
    dice, deadline = random.Random(4), time.monotonic() + 500
    workers = [begun(_labour, place, seed) for seed in range(5)]
    kills = 0
    while len(set(queue.states().values())) > 1 or "completed" not in queue.states().values():
        assert time.monotonic() < deadline, (Counter(queue.states().values()), queue.told()[-6:])
        time.sleep(0.15)
        if kills < 25:
            number = dice.randrange(len(workers))
            os.kill(workers[number].pid, signal.SIGKILL)
            workers[number].join(60)
            kills += 1
            workers[number] = begun(_labour, place, 100 + kills)
    for worker in workers:
        os.kill(worker.pid, signal.SIGKILL)
        worker.join(60)
    verbs = Counter(verb for verb, _, _ in queue.told())
    assert (verbs["completed"], verbs["dead"]) == (120, 0)
    assert verbs["claimed"] == verbs["completed"] + verbs["failed"] + verbs["expired"]
    assert most_at_once(queue) <= 4
