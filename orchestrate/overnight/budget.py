"""How many points of a window may still be set aside."""

from collections.abc import Sequence
from typing import NamedTuple

from orchestrate.overnight.limits import Limits
from orchestrate.overnight.window import LIMIT_POINTS, SEVEN_DAY, SHARE, Reading, Span
from state import quota

GUARD = 1.0  # points of each window for each job in flight: where no more is left the newest is ended
_LEAST_ERROR = 1.0


class Room(NamedTuple):
    """Of one window. All are points of it."""

    window: str
    left: float  # beside what is set aside
    committed: float  # set aside
    resets_by: float

    def lacks(self, need: float) -> bool:
        """`need`: points of the five-hour window."""
        return self.left < need * SHARE[self.window] + GUARD

    def lacks_even_alone(self, need: float) -> bool:
        """Also when all that is in flight has landed, and used nothing."""
        return self.left + self.committed < need * SHARE[self.window] + GUARD

    def less(self, need: float) -> "Room":
        amount = need * SHARE[self.window] + GUARD
        return self._replace(left=self.left - amount, committed=self.committed + amount)


def room(reading: Reading, limits: Limits, span: Span, spent: float, reserves: Sequence[float], now: float) -> Room:
    """`reserves`: what is set aside for each job in flight, in points of the five-hour window; `spent`: what this
    night has used of the window."""
    committed = sum(reserve * SHARE[reading.window] + GUARD for reserve in reserves)
    used = reading.used_points or 0.0
    left = min(ceiling(reading, limits, span) - used - reading.error, _cap(reading, limits) - spent) - committed
    return Room(reading.window, left, committed, reading.resets_by(now))


def floor(reading: Reading, limits: Limits) -> float:
    """What may be used before the floor is reached."""
    return reading.limit_points * (100 - limits.floor_percent) / 100


def ceiling(reading: Reading, limits: Limits, span: Span) -> float:
    """What may be used when a job begins: of the week's no more than the part of the week that has gone by at the
    night's end, so that what is left over is used before the week ends, and no sooner."""
    above_floor = floor(reading, limits)
    if reading.window != SEVEN_DAY or not limits.weekly_pace or reading.resets_at is None:
        return above_floor
    length_s = quota.LENGTH_S[SEVEN_DAY]
    gone = 1 - (reading.resets_at - span.ends) / length_s
    return above_floor * min(1.0, max(0.0, gone))


def most(limits: Limits) -> float:
    """The most points that one job may take of an empty five-hour window."""
    return LIMIT_POINTS * min(100 - limits.floor_percent, limits.window_cap_percent) / 100 - GUARD - _LEAST_ERROR


def _cap(reading: Reading, limits: Limits) -> float:
    return reading.limit_points * limits.window_cap_percent / 100
