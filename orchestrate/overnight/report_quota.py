"""What a night did to the limits of the account, by the readings of its time. Pure."""

from collections.abc import Sequence

from metrics.quota_readings import Reading, Span, spans
from orchestrate.overnight.report_records import Known, Line, Quota, Told, Used
from state import quota


def of(known: Known, nights: Sequence[Told], lines: Sequence[Line]) -> Quota:
    begin = nights[0].at if nights else known.span.begins
    end = nights[-1].at if nights and nights[-1].verb == "ended" else min(known.now, known.span.ends)
    worked = [line for line in lines if line.run]
    points = [line.points for line in worked if line.points is not None]
    return Quota(
        windows=tuple(_used(name, spans(known.history.get(name, [])), begin, end) for name in quota.LENGTH_S),
        jobs=round(sum(points), 2) if points else None,
        unknown=len(worked) - len(points),
        floor_percent=known.floor_percent,
        events=tuple(one.id for one in nights),
    )


def _used(name: str, found: Sequence[Span], begin: float, end: float) -> Used:
    within = [reading for span in found for reading in span.readings if begin <= reading.at <= end]
    over = [span for span in found if span.resets_at is not None and not span.is_cut and begin <= span.resets_at <= end]
    left = [100.0 - reading.used for reading in within]
    return Used(
        window=name,
        used=round(sum(_rise(span, quota.LENGTH_S[name], begin, end) for span in found), 1) if within else None,
        left=_left(found, end),
        wasted=round(sum(max(100.0 - span.last.used, 0.0) for span in over), 1) if over or within else None,
        lowest=round(max(min(left), 0.0), 1) if left else None,
    )


def _rise(span: Span, length_s: float, begin: float, end: float) -> float:
    """Between the readings of the night: from the last one before it, or from nothing where the window began in it."""
    is_new = span.resets_at is not None and span.resets_at - length_s >= begin - quota.SAME_RESET_S
    points, before = 0.0, 0.0 if is_new else None
    for reading in span.readings:
        if before is not None and begin <= reading.at <= end:
            points += max(reading.used - before, 0.0)
        before = reading.used
    return points


def _left(found: Sequence[Span], end: float) -> float | None:
    last: Reading | None = None
    for span in found:
        for reading in span.readings:
            last = reading if reading.at <= end else last
    if last is None or end - last.at > quota.OLD_S or (last.resets_at is not None and last.resets_at <= end):
        return None
    return round(max(100.0 - last.used, 0.0), 1)
