"""When a limit ends, by the newest word of it: resets move, and readings tell of it before the reset comes."""

from collections.abc import Mapping
from typing import NamedTuple

from state.quota import LENGTH_S, Reading

FULL = 99.0  # percent: what is used so far stops a session
NEAR = 90.0  # the last reading before a limit may be a while old
FURTHEST_S = 8 * 86_400.0  # a week and a day: what lies beyond is a clock that is wrong
_SLACK_S = 600.0


class Limit(NamedTuple):
    """That ended a turn, as the session's own records tell of it."""

    id: str
    at: float
    resets_at: float | None = None
    window: str | None = None


def when(limit: Limit, readings: Mapping[str, Reading], now: float) -> float | None:
    """Unix seconds, None where nobody knows. A moment that is over: there is no limit any more."""
    told = _told(limit, now)
    ends = dict(told)
    newer = {name: reading for name, reading in readings.items() if reading.read_at > limit.at}
    for name, reading in newer.items():
        if reading.used < FULL:
            ends.pop(name, None)
        elif _is_sound(reading.resets_at, now):
            ends[name] = float(reading.resets_at or 0)
    if not ends and not told:
        return _guessed(limit, readings, newer, now)
    return max(ends.values(), default=limit.at)


def _told(limit: Limit, now: float) -> dict[str, float]:
    if limit.resets_at is None or not _is_sound(limit.resets_at, now):
        return {}
    return {limit.window or _window(limit): limit.resets_at}


def _window(limit: Limit) -> str:
    """What ends within five hours may be either; it is the shorter one, nearly always."""
    is_short = (limit.resets_at or 0) - limit.at <= LENGTH_S["five_hour"] + _SLACK_S
    return "five_hour" if is_short else "seven_day"


def _guessed(limit: Limit, readings: Mapping[str, Reading], newer: Mapping[str, Reading], now: float) -> float | None:
    """Nobody said which limit it was: one that was nearly used up when it came. Where a later reading shows room in
    every window that is known, there is none left."""
    near = [
        reading.resets_at
        for name, reading in readings.items()
        if name not in newer and reading.used >= NEAR and not reading.is_over(limit.at)
    ]
    ends = [end for end in near if end is not None and _is_sound(end, now)]
    if ends:
        return max(ends)
    has_room = all(name in newer and reading.used < FULL for name, reading in readings.items())
    return limit.at if newer and has_room else None


def _is_sound(end: float | None, now: float) -> bool:
    return end is not None and end - now <= FURTHEST_S
