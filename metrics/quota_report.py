"""How well the limits were used: points a day, what expired unused at each reset, peaks, and time under pressure."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from statistics import fmean
from typing import NamedTuple

from metrics.days import window
from metrics.quota_readings import Reading, Span, spans
from state import quota

TARGET = 0.8  # of what a window grants


class Day(NamedTuple):
    """Of one limit; points are percents of one window of it, and None is what no reading tells."""

    date: str
    points: float | None  # used on this day, at least
    resets: int
    utilisation: float | None  # the mean share used of the windows that were reset on this day
    waste: float | None  # points that expired with them, at most: what was used after the last reading is not known
    peak: float | None
    pressure_s: float | None


class Reset(NamedTuple):
    at: float
    used: float
    waste: float
    unread_s: float  # from the last reading to the reset


class Limit(NamedTuple):
    total: Day
    days: list[Day]
    resets: list[Reset]


class _Past(NamedTuple):
    spans: list[Span]
    length_s: float
    pressed: float  # percent
    now: float


class Report(NamedTuple):
    first: date
    last: date
    zone: str
    limits: dict[str, Limit]

    @property
    def has_data(self) -> bool:
        return any(limit.total.peak is not None for limit in self.limits.values())


def build(history: Mapping[str, list[Reading]], first: date, last: date, pressure: float, now: float) -> Report:
    limits = {
        name: _limit(_Past(spans(history.get(name, [])), length_s, pressure * 100, now), first, last)
        for name, length_s in quota.LENGTH_S.items()
    }
    return Report(first, last, window(first, last).zone, limits)


def as_json(report: Report) -> dict[str, object]:
    """Every key is always there; null is what no reading tells."""
    return {
        "since": str(report.first),
        "until": str(report.last),
        "time_zone": report.zone,
        "data": report.has_data,
        "windows": {name: _as_json(limit) for name, limit in report.limits.items()},
    }


def _as_json(limit: Limit) -> dict[str, object]:
    total = limit.total._asdict()
    del total["date"]
    share = limit.total.utilisation
    return {
        **total,
        "target": TARGET,
        "met": None if share is None else share > TARGET,
        "days": [day._asdict() for day in limit.days],
        "by_reset": [reset._asdict() for reset in limit.resets],
    }


def _limit(past: _Past, first: date, last: date) -> Limit:
    start, end = _midnight(first), _midnight(last + timedelta(days=1))
    dates = [first + timedelta(days=nth) for nth in range((last - first).days + 1)]
    days = [_day(str(day), past, _midnight(day), _midnight(day + timedelta(days=1))) for day in dates]
    known = [day.points for day in days if day.points is not None]
    total = _day("", past, start, end)._replace(points=round(sum(known), 1) if known else None)
    return Limit(total, days, _resets(past, start, end))


def _day(name: str, past: _Past, start: float, end: float) -> Day:
    readings = [reading for span in past.spans for reading in span.readings if start <= reading.at < end]
    resets = _resets(past, start, end)
    shares = [min(reset.used, 100.0) / 100 for reset in resets]
    pressed_s = sum(_pressed_s(span, past, start, end) for span in past.spans)
    is_read = bool(readings or resets or pressed_s)
    return Day(
        date=name,
        points=round(sum(_points(span, past, start, end) for span in past.spans), 1) if is_read else None,
        resets=len(resets),
        utilisation=round(fmean(shares), 3) if shares else None,
        waste=round(sum(reset.waste for reset in resets), 1) if resets else None,
        peak=max(reading.used for reading in readings) if readings else None,
        pressure_s=round(pressed_s, 1) if is_read else None,
    )


def _resets(past: _Past, start: float, end: float) -> list[Reset]:
    return [
        Reset(span.resets_at, span.last.used, max(100.0 - span.last.used, 0.0), span.resets_at - span.last.at)
        for span in past.spans
        if span.resets_at is not None and not span.is_cut and start <= span.resets_at < min(end, past.now)
    ]


def _points(span: Span, past: _Past, start: float, end: float) -> float:
    """What was used before the first reading counts where the window began no sooner than the day."""
    began = None if span.resets_at is None else span.resets_at - past.length_s
    used = 0.0 if began is not None and began >= start - quota.SAME_RESET_S else span.readings[0].used
    points = 0.0
    for reading in span.readings:
        if start <= reading.at < end:
            points += max(reading.used - used, 0.0)
        used = reading.used
    return points


def _pressed_s(span: Span, past: _Past, start: float, end: float) -> float:
    """From the first reading that says so to the reset: nothing is given back before."""
    since = next((reading.at for reading in span.readings if reading.used >= past.pressed), None)
    if since is None:
        return 0.0
    until = span.last.at if span.resets_at is None or span.is_cut else span.resets_at
    return max(min(until, end, past.now) - max(since, start), 0.0)


def _midnight(day: date) -> float:
    return datetime.combine(day, time.min).timestamp()
