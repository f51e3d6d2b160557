"""Days of many sessions by a virtual clock, over both changes of the clocks: resets move, users come back, a session
hits the next limit, two resumers look, and some are killed. What must never happen is counted."""

import random
from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
from tiers import some

from orchestrate.overnight import resuming, resuming_quiet
from orchestrate.overnight.resuming import Rules, Watched
from orchestrate.overnight.resuming_quiet import Quiet
from orchestrate.overnight.resuming_reset import Limit
from state.quota import Reading
from state.store import open_user_store
from state.store.resume_records import Ended

BERLIN = ZoneInfo("Europe/Berlin")
QUIET = Quiet(time(22), time(7))
RULES = Rules(quiet=QUIET, max_points=60.0, give_up_after=3, jitter_s=300.0)
TICK_S, HOUR = 300.0, 3600.0
FIVE_HOURS = 5 * HOUR


class Account:
    """One five-hour window after the other; sometimes a reset moves, and readings tell of it a while later."""

    def __init__(self, dice, now):
        self.dice, self.resets_at, self.used = dice, now + FIVE_HOURS, 0.0
        self.reading = None

    def tick(self, now):
        if now >= self.resets_at:
            self.resets_at, self.used = now + FIVE_HOURS, 0.0
        self.used = min(self.used + self.dice.random() * 4, 100.0)
        if self.used >= 100 and self.dice.random() < 0.02:
            self.resets_at += self.dice.choice([-HOUR, HOUR, 2 * HOUR])
        if self.dice.random() < 0.4:
            self.reading = Reading(round(self.used), self.resets_at, now, "statusline")

    @property
    def is_full(self):
        return self.used >= 100


class Week:
    def __init__(self, store, seed, begins, count=12):
        self.dice, self.store, self.now = random.Random(seed), store, begins
        self.account = Account(self.dice, begins)
        self.limits = {f"s{number}": None for number in range(count)}
        self.numbers = 0
        self.begun, self.wrong = [], []
        for name in self.limits:
            store.resumes.opt(name, "/p", True, begins)

    def sessions(self):
        attempts = self.store.resumes.attempts()
        return [
            Watched(name, "/p", True, RULES, limit, attempts=tuple(each for each in attempts if each.session == name))
            for name, limit in self.limits.items()
        ]

    def run(self, days):
        ends = self.now + days * 24 * HOUR
        while self.now < ends:
            self.account.tick(self.now)
            self._users()
            for resumer in ("one", "two"):
                self._look(resumer)
            self.now += TICK_S

    def _users(self):
        for name, limit in self.limits.items():
            if limit is None and self.account.is_full and self.dice.random() < 0.3:
                self._limit(name)
            elif limit is not None and self.dice.random() < 0.005:
                self.limits[name] = None  # its user is back

    def _limit(self, name):
        self.numbers += 1
        is_told = self.dice.random() < 0.7
        resets_at = self.account.resets_at if is_told else None
        self.limits[name] = Limit(f"l{self.numbers}", self.now, resets_at, "five_hour")

    def _look(self, resumer):
        for row in self._rows():
            if row.verdict == "resume" and self._is_due(row):  # as the resumer looks anew once there is a place
                self._go(resumer, row)

    def _is_due(self, row):
        return any((one.session, one.verdict) == (row.session, "resume") for one in self._rows())

    def _rows(self):
        readings = {"five_hour": self.account.reading} if self.account.reading else {}
        return resuming.due(self.sessions(), readings, self.now, BERLIN)

    def _go(self, resumer, row):
        fence = self.store.resumes.claim(row.session, row.limit.id, row.limit.at, resumer, 60.0, self.now)
        if fence is None or self.dice.random() < 0.1:  # killed before it began
            return
        if not self.store.resumes.begin(row.session, row.limit.id, fence, self.now):
            return
        self.begun.append((row.session, row.limit.id))
        if resuming_quiet.until(QUIET, self.now, BERLIN):
            self.wrong.append(("quiet", datetime.fromtimestamp(self.now, BERLIN)))
        if row.resets_at is not None and self.now < row.resets_at:
            self.wrong.append(("early", row))
        if self.dice.random() < 0.05:
            return  # killed at work: what became of it nobody knows
        outcome = "rate_limited" if self.account.is_full else "ok"
        points = None if self.dice.random() < 0.1 else 0.0 if self.account.is_full else self.dice.random() * 9
        self.account.used = min(self.account.used + (points or 3), 100)
        self.store.resumes.finish(row.session, row.limit.id, fence, Ended(outcome, None, points), self.now)
        self.limits[row.session] = None
        if outcome == "rate_limited":
            self._limit(row.session)


def spent(attempts, now):
    return sum(each.points or 0 for each in attempts if each.ended_at and now - 24 * HOUR < each.ended_at <= now)


@pytest.mark.parametrize(
    ("day", "seed"),
    some([(day, seed) for day in ("2026-03-27", "2026-10-23") for seed in range(3)], 1),
)
def test_no_session_goes_on_twice_early_in_quiet_hours_or_beyond_the_cap(day, seed, place):
    with open_user_store(place) as store:
        week = Week(store, seed, datetime.fromisoformat(day).replace(hour=6, tzinfo=BERLIN).timestamp())
        week.run(days=4)
        attempts = store.resumes.attempts()
    assert week.wrong == []
    assert len(week.begun) == len(set(week.begun)) > 10
    most = max(each.points or 0 for each in attempts)
    assert max(spent(attempts, each.ended_at) for each in attempts if each.ended_at) <= RULES.max_points + most
    answered = [each for each in attempts if each.outcome == "ok"]
    assert len(answered) > len(week.begun) / 2
