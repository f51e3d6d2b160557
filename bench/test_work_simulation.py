"""What claims are worth: the same work done by the same workers with and without them, on a simulated clock.

Without claims a worker sees what is completed and takes the next item of what is not: by the queue's own order, or any.
With claims he takes it from the queue, and its files too, or gives it back. Both print; the bounds are ours.
"""

import heapq
import random
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))
from work_world import Hands, world

from state.paths import locate
from state.store.work_records import Claimed, New

SEEDS = range(5)
WORKERS = 5
ITEMS = 120
FILES = 150
LONGEST_S = 900
TTL_S = 3600
CONFLICTS_MOST = 0.05  # of all items
REDUNDANT_MOST = 0.5  # of what the better baseline wastes


class Job(NamedTuple):
    name: str
    needs: tuple[str, ...]
    priority: str
    files: frozenset[str]
    takes_s: int


class Outcome(NamedTuple):
    redundant: int  # times that an item was worked on again, or by two at once
    conflicts: int  # items whose files another worked on at the same time
    took_s: float
    refused: int = 0  # times that a claim on files was refused, and the item given back


def jobs(seed):
    dice = random.Random(seed)
    made = []
    for number in range(ITEMS):
        needs = dice.sample(range(number), min(number, dice.choice((0, 0, 0, 1, 2))))
        touched = frozenset(f"f{int(FILES * dice.random() ** 2)}.py" for _ in range(dice.choice((1, 2, 3))))
        priority = f"P{dice.randrange(4)}"
        made.append(Job(f"I-{number}", tuple(f"I-{n}" for n in needs), priority, touched, dice.randint(60, LONGEST_S)))
    return made


class Floor:
    """Who works at what until when."""

    def __init__(self, made):
        self.jobs = {job.name: job for job in made}
        self.now = 0.0
        self.active = []  # (end, worker, job)
        self.began = dict.fromkeys(self.jobs, 0)
        self.done = set()
        self.conflicting = set()

    def begin(self, worker, job):
        for _, _, other in self.active:
            if other.name != job.name and other.files & job.files:
                self.conflicting |= {job.name, other.name}
        self.began[job.name] += 1
        heapq.heappush(self.active, (self.now + job.takes_s, worker, job))

    def end(self):
        self.now, worker, job = heapq.heappop(self.active)
        self.done.add(job.name)
        return worker, job

    def outcome(self, refused=0):
        redundant = sum(times - 1 for times in self.began.values())
        return Outcome(redundant, len(self.conflicting), self.now, refused)


def without_claims(seed, is_ordered):
    floor, dice = Floor(jobs(seed)), random.Random(seed)
    idle = list(range(WORKERS))
    while len(floor.done) < ITEMS:
        mine = {worker: job for _, worker, job in floor.active}
        for worker in [one for one in idle if one not in mine]:
            open_ones = [job for job in floor.jobs.values() if job.name not in floor.done]
            ready = [job for job in open_ones if floor.done.issuperset(job.needs)]
            waiting = {job.name: sum(job.name in other.needs for other in open_ones) for job in ready}
            ready.sort(key=lambda job: (-waiting[job.name], job.priority, int(job.name[2:])))
            floor.begin(worker, ready[0] if is_ordered else dice.choice(ready))
        floor.end()
    return floor.outcome()


def with_claims(seed, folder):
    made = jobs(seed)
    floor, clock = Floor(made), Hands()
    start = clock.ts
    queue = world(locate(str(folder), {"HOME": str(folder)}), clock)
    queue.add(*[New("", job.name, job.priority, job.needs, max_attempts=1000) for job in made])
    held, refused, idle = {}, 0, set(range(WORKERS))
    while len(floor.done) < ITEMS:
        for worker in sorted(idle):
            while isinstance(found := queue.take(f"w{worker}", TTL_S, WORKERS), Claimed):
                job = floor.jobs[found.item.id]
                taking = queue.claims.take("file", sorted(job.files), f"w{worker}", TTL_S, lambda taking: [])
                if taking.claims:
                    held[worker] = (found.claim, taking.claims)
                    idle.discard(worker)
                    floor.begin(worker, job)
                    break
                refused += 1
                queue.work.release(job.name, found.claim.token, "its files are another's", 1, queue.tell)
        worker, job = _next_end(floor, clock, start)
        if worker is None:
            continue
        claim, files = held.pop(worker)
        queue.work.complete(job.name, claim.token, None, queue.tell)
        for one in files:
            queue.claims.release("file", one.key, one.token, [])
        idle.add(worker)
    queue.store.close()
    return floor.outcome(refused)


def _next_end(floor, clock, start):
    """The next that is finished; where nobody works, what was put off comes back."""
    ended = floor.end() if floor.active else (None, None)
    floor.now += 2 if ended[0] is None else 0
    clock.ts = start
    clock.move(floor.now)
    return ended


@pytest.mark.slow
def test_claims_leave_no_work_done_twice_and_no_file_in_two_hands(tmp_path, capsys):
    rows = {"no claims, queue's order": [], "no claims, any item": [], "claims": []}
    for seed in SEEDS:
        folder = tmp_path / str(seed)
        (folder / ".git").mkdir(parents=True)
        rows["no claims, queue's order"].append(without_claims(seed, True))
        rows["no claims, any item"].append(without_claims(seed, False))
        rows["claims"].append(with_claims(seed, folder))
    means = {
        name: Outcome(*(sum(column) / len(SEEDS) for column in zip(*row, strict=True))) for name, row in rows.items()
    }
    with capsys.disabled():
        print(f"\n{WORKERS} workers, {ITEMS} items, {len(SEEDS)} seeds, means")
        print(f"{'':26}{'redundant':>10}{'in conflict':>13}{'hours':>7}{'given back':>12}")
        for name, mean in means.items():
            took = f"{mean.took_s / 3600:7.1f}{mean.refused:12.1f}"
            print(f"{name:26}{mean.redundant:10.1f}{mean.conflicts / ITEMS:13.1%}{took}")
    ours, *baselines = means["claims"], means["no claims, queue's order"], means["no claims, any item"]
    assert ours.conflicts / ITEMS < CONFLICTS_MOST
    assert (ours.conflicts, ours.redundant) == (0, 0)
    assert all(base.redundant > 0 and base.conflicts / ITEMS > CONFLICTS_MOST for base in baselines)
    assert ours.redundant <= REDUNDANT_MOST * min(base.redundant for base in baselines)
