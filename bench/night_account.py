"""An account whose limits are known, and machines that work on it: what a simulated night stands on.

Three times are apart. What is true is the platform's; the wall's clock of the machine may be set wrong; its monotonic
clock stands still while it sleeps.
"""

import random
from typing import NamedTuple

from orchestrate.overnight.window import FIVE_HOUR, LIMIT_POINTS, SEVEN_DAY
from state import quota

WEEK_SHARE = 0.12  # points of the week for one of the five-hour window
RESPONSE_S = 30.0
HASTE_S = 30.0  # what a job may still use where the user himself has just reached the floor


class Truth(NamedTuple):
    """What a job really takes."""

    points: float
    minutes: float
    passes: bool


class Account:
    """`user`: the folder whose readings the machines go by."""

    def __init__(self, user, now, used, week, resets_in_s, floor_at, tells_reset=True):
        self.user = user
        self.used, self.week = used, week
        self.resets_at = now + resets_in_s if used else None
        self.week_resets_at = now + 4 * 86_400.0
        self.floor_at = floor_at
        self.tells_reset = tells_reset
        self.skew_s = 0.0  # of the machine's wall clock
        self.over_s = None  # since when the user himself has been over the floor
        self.breach = 0.0  # points that jobs used beyond the floor
        self.breaches = 0  # times
        self.probed = 0.0  # points that probes used beyond it, each before its first reading
        self.burnt = 0.0  # by jobs
        self.told = None

    def roll(self, now):
        if self.resets_at is not None and now >= self.resets_at:
            self.used, self.resets_at, self.over_s = 0.0, None, None

    def takes(self, points, now, is_blind):
        """False where the limit is reached: the platform refuses."""
        self.roll(now)
        if self.used >= LIMIT_POINTS or self.week >= LIMIT_POINTS:
            return False
        self._use(points, now)
        self.burnt += points
        over = max(self.used - self.floor_at, self.week - self.floor_at)
        is_users = self.over_s is not None and now - self.over_s <= HASTE_S
        if over > 0 and is_blind:
            self.probed += min(over, points)
        elif over > 0 and not is_users:
            self.breaches += 1
            self.breach += min(over, points)
        return True

    def used_by_user(self, points, now):
        self.roll(now)
        self._use(points, now)
        if self.over_s is None and max(self.used, self.week) > self.floor_at:
            self.over_s = now
        self.tell(now)

    def tell(self, now):
        """The platform tells whole percents, whenever one of its figures has moved."""
        self.roll(now)
        shown = (int(self.used), int(self.week), self.resets_at)
        if shown == self.told:
            return
        self.told = shown
        windows = {
            FIVE_HOUR: {"used": shown[0], "resets_at": self.resets_at if self.tells_reset else None},
            SEVEN_DAY: {"used": shown[1], "resets_at": self.week_resets_at},
        }
        quota.note(self.user, windows, "stream", now + self.skew_s)

    def _use(self, points, now):
        if self.resets_at is None:
            self.resets_at = now + quota.LENGTH_S[FIVE_HOUR]
        self.used += points
        self.week += points * WEEK_SHARE


class Child:
    """An agent at work. It uses its points answer by answer, and ends by itself, or is ended, or is refused."""

    def __init__(self, job, truth, owner, dice, is_probe):
        self.job, self.truth, self.owner = job, truth, owner
        self.is_blind = is_probe  # until its first answer: that is what a probe is for
        self.left_s = truth.minutes * 60
        self.next_s = dice.uniform(5, RESPONSE_S)
        self.dice = dice
        self.used = 0.0
        self.outcome = None  # passed, red or refused

    def work(self, seconds, account, now):
        self.left_s -= seconds
        self.next_s -= seconds
        if self.next_s <= 0:
            self.next_s = self.dice.uniform(0.5, 1.5) * RESPONSE_S
            self._answer(account, now)
        if self.left_s <= 0 and self.outcome is None:
            self.outcome = "passed" if self.truth.passes else "red"

    def _answer(self, account, now):
        share = self.dice.uniform(0.5, 1.5) * RESPONSE_S / (self.truth.minutes * 60)
        points = min(self.truth.points * share, max(0.0, self.truth.points - self.used))
        if not account.takes(points, now, self.is_blind):
            self.outcome = "refused"
        self.is_blind = False
        self.used += points if self.outcome is None else 0.0
        account.tell(now)


def truths(jobs, seed):
    """Estimates are off by a factor, seldom by two; without one jobs differ more."""
    dice = random.Random(seed)
    found = {}
    for job in jobs:
        points = (job.quota_points or 5.0) * dice.lognormvariate(0, 0.3 if job.quota_points else 0.5)
        minutes = (job.minutes or 25.0) * dice.lognormvariate(-0.05, 0.25)
        found[job.id] = Truth(points, minutes, dice.random() > 0.03)
    return found
