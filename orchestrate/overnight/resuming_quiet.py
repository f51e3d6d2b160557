"""Quiet hours by the clock on the wall, also in the nights when it changes. `zone`: None is the machine's own.

They begin when the clock first shows their beginning and end when it last shows their end, so an hour that comes twice
does not break them. A time that the clock leaves out is the moment of its jump.
"""

import re
from datetime import date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

_FORM = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
_SECOND = 1.0


class Quiet(NamedTuple):
    start: time
    end: time  # not after the start: of the next day, so what ends as it begins is every hour


def parse(text: str) -> Quiet | None:
    """`22:00-07:00`, and nothing of an empty text; a ValueError for what are no such hours."""
    if not text.strip():
        return None
    found = _FORM.fullmatch(text.strip())
    if not found:
        raise ValueError("expected quiet hours as 22:00-07:00")
    start_hour, start_minute, end_hour, end_minute = map(int, found.groups())
    return Quiet(time(start_hour, start_minute), time(end_hour, end_minute))


def until(quiet: Quiet | None, now: float, zone: tzinfo | None) -> float | None:
    """When the quiet hours that it is in end; None outside of them."""
    if quiet is None:
        return None
    today = datetime.fromtimestamp(now, zone).date()
    for day in (today - timedelta(days=1), today):
        start = moment(day, quiet.start, zone)
        end = moment(day if quiet.end > quiet.start else day + timedelta(days=1), quiet.end, zone, is_last=True)
        if start <= now < end:
            return end
    return None


def begins(quiet: Quiet | None, now: float, zone: tzinfo | None) -> float | None:
    """When the next ones begin; None where there are none."""
    if quiet is None:
        return None
    today = datetime.fromtimestamp(now, zone).date()
    return next(start for days in (0, 1, 2) if (start := moment(today + timedelta(days=days), quiet.start, zone)) > now)


def moment(day: date, at: time, zone: tzinfo | None, is_last: bool = False) -> float:
    """When the clock shows it, in unix seconds: the first time, or the last."""
    first, second = (datetime.combine(day, at, zone).replace(fold=fold).timestamp() for fold in (0, 1))
    if first > second:
        return _jump(second, first, zone)
    return second if is_last else first


def _jump(before: float, after: float, zone: tzinfo | None) -> float:
    old = _offset(before, zone)
    while after - before > _SECOND:
        middle = (before + after) // 2
        before, after = (middle, after) if _offset(middle, zone) == old else (before, middle)
    return after


def _offset(at: float, zone: tzinfo | None) -> timedelta | None:
    shown = datetime.fromtimestamp(at, zone)
    return (shown if zone else shown.astimezone()).utcoffset()
