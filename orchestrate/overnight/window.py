"""When it is night, and how much of the account's limits is used. Unknown is None, never 0."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from state import quota

LIMIT_POINTS = 100.0
FIVE_HOUR, SEVEN_DAY = "five_hour", "seven_day"
# What a point of the five-hour window costs of each window, at the most: four full ones would empty a week.
SHARE = {FIVE_HOUR: 1.0, SEVEN_DAY: 0.25}
ROUNDING = 1.0  # points: the platform tells whole percents
DRIFT_PER_HOUR = 6.0  # points of the five-hour window: what others may have used since a reading without an estimate
OLD_S = {FIVE_HOUR: quota.OLD_S, SEVEN_DAY: 86_400.0}


class Span(NamedTuple):
    """One night, in unix seconds. `evening`: the local day on which it begins, which is its name."""

    begins: float
    ends: float
    evening: date


class Night(NamedTuple):
    """From `start` to `until` by the clock on the wall. `zone`: None is the machine's own."""

    start: time
    until: time
    zone: tzinfo | None = None

    def span(self, now: float) -> Span:
        """The night that `now` is in, or else the next one."""
        today = self._day(now)
        nights = (self._of(today + timedelta(days=days)) for days in (-1, 0, 1, 2))
        return next(span for span in nights if span.ends > now)

    def from_now(self, now: float) -> Span:
        """The night that somebody begins by hand: now, until the next `until`."""
        today = self._day(now)
        ends = next(end for days in (0, 1, 2) if (end := self._moment(today + timedelta(days=days), self.until)) > now)
        return Span(now, ends, self.span(now).evening)

    def _of(self, evening: date) -> Span:
        morning = evening if self.start < self.until else evening + timedelta(days=1)
        return Span(self._moment(evening, self.start), self._moment(morning, self.until), evening)

    def _day(self, now: float) -> date:
        return datetime.fromtimestamp(now, self.zone).date()

    def _moment(self, day: date, at: time) -> float:
        # A time that the change of the clocks leaves out is as much later; of one that comes twice it is the first.
        return datetime.combine(day, at, self.zone).timestamp()


class Reading(NamedTuple):
    """What is known of one window at one moment."""

    window: str
    used_points: float | None  # None: too old to say, or reset since
    limit_points: float
    resets_at: float | None
    age_s: float
    error: float  # points: it may be so many more

    def resets_by(self, now: float) -> float:
        """At the latest: a window that had begun when it was read has ended its whole length later."""
        return now - self.age_s + quota.LENGTH_S[self.window] if self.resets_at is None else self.resets_at

    def is_over(self, now: float) -> bool:
        """The window it is of has been reset since."""
        return self.resets_by(now) <= now

    def is_known(self, now: float) -> bool:
        return self.used_points is not None and not self.is_over(now)


class Estimate(NamedTuple):
    used: float
    high: float


def readings(known: Mapping[str, quota.Reading], estimates: Mapping[str, Estimate], now: float) -> tuple[Reading, ...]:
    """Of each window that was ever read. `estimates`: of what is used by now, where there is one."""
    return tuple(_reading(name, known[name], estimates.get(name), now) for name in quota.LENGTH_S if name in known)


def _reading(name: str, read: quota.Reading, guess: Estimate | None, now: float) -> Reading:
    age_s = now - read.read_at
    if read.is_over(now) or age_s > OLD_S[name]:
        return Reading(name, None, LIMIT_POINTS, read.resets_at, age_s, 0.0)
    drift = ROUNDING + SHARE[name] * DRIFT_PER_HOUR * max(0.0, age_s) / 3600
    used, error = (read.used, drift) if guess is None else (guess.used, max(ROUNDING, guess.high - guess.used))
    return Reading(name, used, LIMIT_POINTS, read.resets_at, age_s, error)


def clock(text: str) -> time:
    """Of `23:00`; a ValueError for what is none."""
    hour, colon, minute = text.strip().partition(":")
    if not (colon and hour.isdecimal() and minute.isdecimal() and len(minute) == 2):
        raise ValueError("expected a time of day as 23:00")
    return time(int(hour), int(minute))
