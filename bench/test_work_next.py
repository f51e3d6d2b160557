"""How long the next item takes, on both engines, with many queued, alone and among eight."""

import multiprocessing
import os
import random
import sys
import time
from pathlib import Path
from statistics import quantiles

import pytest
from gates import TRIES, awake_s, kept

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))
from work_world import world

from state.paths import locate
from state.store.work_records import Claimed, New

QUEUED = 2_000
ROUNDS = 300
WORKERS = 8
EACH = 50
P50_MS = 10
P99_MS = {"alone": 100, "among eight": 1_000}
SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def place(tmp_path):
    (tmp_path / ".git").mkdir()
    return locate(str(tmp_path), os.environ)


def filled(place):
    dice = random.Random(1)
    queue = world(place)
    needs = [
        tuple(f"I-{n}" for n in dice.sample(range(number), dice.choice((0, 0, 1)))) if number else ()
        for number in range(QUEUED)
    ]
    queue.add(*[New("x" * 200, f"I-{number}", f"P{number % 4}", need) for number, need in enumerate(needs)])
    return queue


def times(queue, rounds, clock):
    """Milliseconds of each claim; each item is completed beside it."""
    took = []
    for _ in range(rounds):
        began = clock()
        found = queue.take("me", 3600, 100)
        took.append((clock() - began) * 1000)
        assert isinstance(found, Claimed)
        queue.work.complete(found.item.id, found.claim.token, None, queue.tell)
    return took


def _work(place, ready, go, results):
    queue = world(place)
    ready.put(1)
    go.wait(300)
    results.put(times(queue, EACH, time.perf_counter))  # that they wait for each other counts


def among_eight(place):
    ready, go, results = SPAWN.Queue(), SPAWN.Event(), SPAWN.Queue()
    workers = [SPAWN.Process(target=_work, args=(place, ready, go, results)) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    for _ in workers:
        ready.get(timeout=300)
    go.set()
    took = [one for _ in workers for one in results.get(timeout=300)]
    for worker in workers:
        worker.join(60)
    return took


@pytest.mark.parametrize("how", P99_MS)
def test_the_next_item_comes_quickly(how, place, dialect, benchmark, capsys):
    queue = filled(place)
    for _ in range(TRIES):
        took = times(queue, ROUNDS, awake_s) if how == "alone" else among_eight(place)
        cuts = quantiles(took, n=100)
        if cuts[98] <= P99_MS[how] and (cuts[49] <= P50_MS or how != "alone"):
            break
    with capsys.disabled():
        print(f"\nnext, {dialect}, {how}, {QUEUED} queued: p50 {cuts[49]:.2f} ms, p99 {cuts[98]:.2f} ms of {len(took)}")
    benchmark.pedantic(lambda: None, rounds=1)
    if how == "alone":
        assert kept(benchmark, cuts[49], P50_MS)
    assert kept(benchmark, cuts[98], P99_MS[how])
