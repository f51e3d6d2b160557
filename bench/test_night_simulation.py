"""Thirty nights on a simulated clock and a real store: by the rules of `orchestrate overnight`, and without any.

Windows are reset early and late, runners die at 03:00 with their agents alive, two run at once without the lock that
keeps them apart, machines sleep, clocks are set, and some nights are an hour longer or shorter. The baselines begin
every job at once, or three at a time, claim nothing and look at no limit. All print; the bounds are ours.
"""

import random
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from night_account import Account, Child, truths

from orchestrate.overnight import budget, night, window
from orchestrate.overnight.job import ATTEMPTS_MOST
from orchestrate.overnight.limits import Limits
from orchestrate.overnight.window import Night
from state import quota
from state.errors import UserError
from state.paths import locate
from state.store import open_user_store
from state.store.night_records import New
from state.store.nights import Nights

NIGHTS = 30
JOBS = 60
TICK_S = 15.0  # as often as a runner looks
TTL_S = 900.0
RENEW_S = 60.0
ZONE = ZoneInfo("Europe/Berlin")
WHEN = Night(time(23), time(6), ZONE)
LIMITS = Limits(weekly_pace=False)
FLOOR_AT = 100 - LIMITS.floor_percent
CHANGES = (date(2026, 10, 24), date(2027, 3, 27))
LEAST_UTILISATION = 0.8
LEAST_COMPLETION = 0.9


class Scenario(NamedTuple):
    seed: int
    evening: date
    used: float
    week: float
    resets_in_s: float
    moved_s: float = 0.0
    crashes: bool = False
    runners: int = 1
    sleeps: bool = False
    clock_s: float = 0.0
    is_cold: bool = False  # nobody has read the limits
    tells_reset: bool = True
    is_early_bird: bool = False


class Outcome(NamedTuple):
    breaches: int
    breach: float
    probed: float  # points that probes used beyond the floor before they brought a reading
    doubles: int
    begun: int
    shipped: int
    burnt: float
    capacity: float

    @property
    def utilisation(self) -> float:
        return self.burnt / self.capacity if self.capacity else 1.0


class Rules(NamedTuple):
    moves: Callable
    claim: Callable = Nights.claim
    sweeps: bool = True  # a new runner ends what a dead one has left running


OURS = Rules(night.moves)


def scenario(seed):
    dice = random.Random(seed)
    evening = CHANGES[seed // 10 % 2] if seed % 10 == 3 else date(2026, 11, 1) + timedelta(days=seed)
    return Scenario(
        seed,
        evening,
        used=dice.choice((0.0, dice.uniform(5, 40), dice.uniform(40, 88), 95.0)),
        week=84.0 if seed % 15 == 8 else dice.uniform(5, 50),
        resets_in_s=dice.uniform(0.3, 4.5) * 3600,
        moved_s=dice.choice((-2400.0, 1800.0, 5400.0)) if seed % 2 == 0 else 0.0,
        crashes=seed % 3 == 0,
        runners=2 if seed % 4 == 1 else 1,
        sleeps=seed % 7 == 5,
        clock_s=dice.choice((-3600.0, 1200.0)) if seed % 5 == 4 else 0.0,
        is_cold=seed % 6 == 2,
        tells_reset=seed % 10 != 7,
        is_early_bird=seed % 8 == 6,
    )


def new_jobs(seed):
    dice = random.Random(seed + 1000)
    made = []
    for number in range(1, JOBS + 1):
        points = None if dice.random() < 0.2 else round(dice.lognormvariate(1.5, 0.5), 1)
        needs = (f"J-{dice.randrange(1, number)}",) if number > 1 and dice.random() < 0.15 else ()
        minutes = None if dice.random() < 0.2 else dice.uniform(10, 40)
        made.append(New(f"job {number}", "/p", f"P{dice.randrange(4)}", dice.uniform(1, 5), points, minutes, needs))
    return made


def silent(_changes):
    return []


class Runner:
    """A process, as far as it can die."""

    def __init__(self, name, world):
        self.name, self.world = name, world
        self.is_dead = False
        self.renewed = world.monotonic
        self.fences = {}
        self.last, self.due = None, 0.0
        span = WHEN.from_now(world.wall)
        self.state = night.opened(span, LIMITS, world.wall, world.monotonic)
        if world.rules.sweeps:
            world.children = [one for one in world.children if one.owner not in world.dead]
        world.nights.requeue_lost(world.wall, world.dead.__contains__, ATTEMPTS_MOST, silent)

    def is_due(self):
        return self.world.rings or self.world.monotonic >= self.due

    def think(self, jobs):
        world = self.world
        readings = window.readings(quota.read(world.user), {}, world.wall)
        found = world.rules.moves(self.state, world.wall, world.monotonic, readings, jobs, False)
        self.state, self.last = found.state, found
        self.due = world.monotonic + found.wait_s

    def act(self):
        world = self.world
        for name in self.last.ends:
            self.land(next(one for one in world.children if one.job.id == name and one.owner == self.name))
        for start in self.last.starts:
            fence = world.rules.claim(world.nights, start.job.id, self.name, TTL_S, world.wall, silent)
            if fence is not None:
                self.fences[start.job.id] = fence
                self.state = night.begun(self.state, start, world.monotonic)
                world.start(start.job, self.name, start.is_probe)
        for child in [one for one in world.children if one.owner == self.name and one.outcome]:
            self.land(child)

    def renew(self):
        if self.world.monotonic - self.renewed >= RENEW_S:
            self.renewed = self.world.monotonic
            for name, fence in self.fences.items():
                self.world.nights.renew(name, fence, TTL_S, self.world.wall)

    def land(self, child):
        world, name = self.world, child.job.id
        world.children.remove(child)
        self.due = 0.0
        self.state = night.ended(self.state, name, child.used)
        status = {"passed": "shipped", "red": "failed"}.get(child.outcome)
        fence = self.fences.pop(name)
        try:
            if status:
                world.nights.finish(name, fence, status, None, world.wall, silent, child.used)
            else:
                world.nights.requeue(name, fence, "ended", world.wall, silent, is_counted=False, points=child.used)
        except UserError:
            assert world.rules is not OURS  # the claim was another's
        if status == "shipped":
            world.shipped.add(name)


class Reckless(Runner):
    """Begins all that is not shipped at once, claims nothing, and knows of no limit."""

    def __init__(self, name, world):
        super().__init__(name, world)
        self.begun = set()

    def think(self, jobs):
        self.due = self.world.monotonic + night.LOOK_S
        done = self.world.shipped
        self.todo = [job for job in jobs if job.id not in self.begun | done and done.issuperset(job.depends)]

    def act(self):
        for job in self.todo:
            self.begun.add(job.id)
            self.world.start(job, self.name)
        for child in [one for one in self.world.children if one.owner == self.name and one.outcome]:
            self.world.children.remove(child)
            if child.outcome == "passed":
                self.world.shipped.add(child.job.id)


class InTurn(Reckless):
    """As many at a time as ours, and as careless."""

    def think(self, jobs):
        super().think(jobs)
        mine = sum(one.owner == self.name for one in self.world.children)
        self.todo = self.todo[: max(0, LIMITS.max_concurrent - mine)]


class World:
    """One night."""

    def __init__(self, given, folder, rules, kind=Runner):
        self.given, self.rules, self.kind = given, rules, kind
        place = locate(str(folder), {"HOME": str(folder)})
        self.user = place.user
        self.store = open_user_store(place)
        self.nights = self.store.nights
        self.span = WHEN.span(datetime.combine(given.evening, time(20), ZONE).timestamp())
        self.true, self.monotonic, self.skew = self.span.begins, 5000.0, 0.0
        self.children, self.dead, self.shipped, self.begun = [], set(), set(), set()
        self.doubles, self.rings = 0, True
        self.dice = random.Random(given.seed + 2000)
        jobs = [self.nights.add([new], self.wall, silent)[0] for new in new_jobs(given.seed)]
        self.truths = truths(jobs, given.seed)
        rate = sum(one.points for one in self.truths.values()) / sum(one.minutes for one in self.truths.values())
        self.most_a_tick = LIMITS.max_concurrent * rate * TICK_S / 60
        self.account = Account(
            self.user, self.true, given.used, given.week, given.resets_in_s, FLOOR_AT, given.tells_reset
        )
        if not given.is_cold:
            self.account.tell(self.true - 600)
        self.free = Room(self.account)

    @property
    def wall(self):
        return self.true + self.skew

    def play(self):
        runners = [self.kind(f"r{number}", self) for number in range(self.given.runners)]
        while self.true < self.span.ends + 600:
            runners = self._events(runners)
            awake = [one for one in runners if one.is_due()]
            jobs = self.nights.jobs() if awake else []
            for runner in awake:
                runner.think(jobs)
            for runner in awake:
                runner.act()
            for runner in runners:
                runner.renew()
            runners = [one for one in runners if not (getattr(one.last, "stop", None) and not one.state.flights)]
            self._tick()
        self.store.close()
        told = self.account
        done = (self.doubles, len(self.begun), len(self.shipped))
        return Outcome(told.breaches, told.breach, told.probed, *done, told.burnt, self.free.points)

    def start(self, job, owner, is_probe=False):
        self.doubles += job.id in self.shipped or any(one.job.id == job.id for one in self.children)
        self.begun.add(job.id)
        self.children.append(Child(job, self.truths[job.id], owner, self.dice, is_probe))

    def _tick(self):
        self.true += TICK_S
        self.monotonic += TICK_S
        if self.true <= self.span.ends:
            self.free.tick(self.true, self.most_a_tick)
        told = self.account.told
        for child in list(self.children):
            child.work(TICK_S, self.account, self.true)
        self.rings = told != self.account.told or any(one.outcome for one in self.children)
        self.children = [one for one in self.children if not (one.outcome and one.owner in self.dead)]

    def _events(self, runners):
        given, hours = self.given, (self.true - self.span.begins) / 3600
        if self._is_at(hours, 2.0) and given.moved_s and self.account.resets_at:
            self.account.resets_at = max(self.true + 60, self.account.resets_at + given.moved_s)
            self.free.moved(self.account.resets_at)
        if self._is_at(hours, 3.0) and given.clock_s:
            self.skew = self.account.skew_s = given.clock_s
        if self._is_at(hours, 5.0) and given.sleeps:
            self.true += 3600.0
        if given.is_early_bird and hours > 6.2 and self.dice.random() < 0.3:
            self.account.used_by_user(0.3, self.true)
        if self._is_at(hours, 4.0) and given.crashes and runners:
            self.dead.add(runners[0].name)
            runners = runners[1:]
        if self._is_at(hours, 4.1) and given.crashes:
            runners = [*runners, self.kind("again", self)]
        return runners

    def _is_at(self, hours, when):
        return when <= hours < when + TICK_S / 3600


class Room:
    """What a night could have used: of each window what lies above the floor, and no more than its runners can burn in
    the time. The week has the last word."""

    def __init__(self, account):
        self._left = max(0.0, FLOOR_AT - account.used)
        self._resets_at = account.resets_at
        self._week = max(0.0, (FLOOR_AT - account.week) / 0.12)
        self._tells_reset = account.tells_reset
        self.points = 0.0

    def moved(self, resets_at):
        self._resets_at = resets_at

    def tick(self, now, most):
        if self._resets_at is not None and now >= self._resets_at:
            self._left, self._resets_at = FLOOR_AT, None
        taken = min(most, self._left, self._week)
        if taken and self._resets_at is None:
            self._resets_at = now + quota.LENGTH_S[window.FIVE_HOUR]
        self._left -= taken
        self._week -= taken
        self.points += taken


def played(tmp_path, rules=OURS, kind=Runner, seeds=range(NIGHTS), only=lambda given: True):
    found = []
    for given in filter(only, map(scenario, seeds)):
        folder = tmp_path / f"{kind.__name__}-{given.seed}"
        folder.mkdir()
        found.append((given, World(given, folder, rules, kind).play()))
    return found


def summed(found):
    return Outcome(*(sum(column) for column in zip(*(outcome for _, outcome in found), strict=True)))


def completion(one):
    return one.shipped / one.begun if one.begun else 1.0


def line(name, one, nights):
    return (
        f"{name:34}{one.breaches:9}{one.breach:8.1f}{one.probed:8.1f}{one.doubles:9}{one.utilisation:13.1%}{completion(one):12.1%}"
        f"{one.shipped / nights:9.1f}"
    )


def show(capsys, rows):
    with capsys.disabled():
        nights = max(map(len, rows.values()))
        print(f"\n{nights} nights, {JOBS} jobs each")
        print(
            f"{'':34}{'breaches':>9}{'points':>8}{'probes':>8}{'doubles':>9}{'utilisation':>13}{'completion':>12}{'shipped':>9}"
        )
        for name, found in rows.items():
            print(line(name, summed(found), len(found)))


def is_kept(one):
    """The gate."""
    return (
        (one.breaches, one.doubles) == (0, 0)
        and one.utilisation > LEAST_UTILISATION
        and completion(one) > LEAST_COMPLETION
    )


def without_a_floor(state, *seen):
    return night.moves(state._replace(limits=state.limits._replace(floor_percent=0.0)), *seen)


def without_a_claim(nights, name, *claim):
    return nights.claim(name, *claim) or 0


BROKEN = {
    "no floor": (Rules(without_a_floor), lambda given: given.seed in (1, 3), "breaches"),
    "no claims, two runners": (Rules(night.moves, without_a_claim), lambda given: given.runners == 2, "doubles"),
    "agents of the dead run on": (Rules(night.moves, sweeps=False), lambda given: given.crashes, "doubles"),
}


@pytest.mark.slow
def test_thirty_nights_keep_the_floor_and_begin_nothing_twice(tmp_path, capsys):
    rows = {
        "ours": played(tmp_path),
        "all at once, no claims": played(tmp_path, kind=Reckless),
        "three at a time, no claims": played(tmp_path, kind=InTurn),
    }
    show(capsys, rows)
    ours, *baselines = map(summed, rows.values())
    assert is_kept(ours)
    assert ours.probed < NIGHTS * budget.GUARD
    assert [one.breaches > 0 and one.doubles > 0 for one in baselines] == [True, True]
    assert all(completion(one) < completion(ours) for one in baselines)


@pytest.mark.slow
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_makes_the_gate_red(name, tmp_path, capsys):
    rules, only, figure = BROKEN[name]
    found = played(tmp_path, rules, seeds=range(10), only=only)
    show(capsys, {name: found})
    assert getattr(summed(found), figure) > 0
    assert not is_kept(summed(found))


def test_a_night_with_a_crash_and_two_runners(tmp_path):
    found = played(tmp_path, seeds=[9])
    assert [(given.crashes, given.runners) for given, _ in found] == [(True, 2)]
    assert is_kept(summed(found))
