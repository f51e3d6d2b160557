"""What would run tonight, in what order, and why: the night itself, played with what is expected of each job."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from orchestrate.overnight import budget, cost, night, ranking, spending
from orchestrate.overnight.cost import Cost
from orchestrate.overnight.limits import Limits
from orchestrate.overnight.night import Start, State
from orchestrate.overnight.ranking import Candidate
from orchestrate.overnight.window import FIVE_HOUR, ROUNDING, SHARE, Night, Reading, Span
from state import quota
from state.store.night_records import Job

RUN, WAIT, SKIP = "run", "wait", "skip"
_BLIND = "nobody has read the limits: it follows if the probe brings a reading with room for it"
_TOO_LATE = "its deadline is over before the night begins"
_LATER = "others come before it, and the night is over then"


class Row(NamedTuple):
    job: Job
    verdict: str  # run tonight, wait for another night, skip: it cannot run as it stands
    reason: str
    order: int | None  # from 1, of those that run
    starts_at: float | None
    points: float  # expected, of the five-hour window
    minutes: float  # expected
    basis: str  # of the points: said, learned or guessed


class _Played(NamedTuple):
    """How far the night is played. Jobs in flight land when their expected time is over."""

    state: State
    jobs: tuple[Job, ...]
    flights: tuple[tuple[float, str, float], ...]  # lands at, id, points
    landed: tuple[tuple[float, float], ...]  # when, points
    started: tuple[tuple[float, Start], ...]


def plan(
    jobs: Sequence[Job],
    readings: Sequence[Reading],
    night_of: Night,
    limits: Limits,
    now: float,
    span: Span | None = None,
    told: Mapping[str, Any] | None = None,  # Any: what JSON holds
) -> tuple[Row, ...]:
    """Of every job that has not ended: those that run first, in their order. `span`: of a night begun by hand; `told`:
    its account of what it has used already."""
    span = span or night_of.span(now)
    begins = max(now, span.begins)
    played = _opened(jobs, spending.resumed(night.opened(span, limits, begins, begins), told), begins)
    at, stop = begins, None
    while stop is None:
        moves = night.moves(played.state, at, at, _expected(readings, played, now, at), played.jobs)
        played, stop = _begun(played._replace(state=moves.state), moves.starts, at), moves.stop
        if not moves.starts:
            later = [moves.due_at, span.ends, *(lands for lands, _, _ in played.flights)]
            at = min([moment for moment in later if moment > at], default=span.ends)
        played = _landed(played, at)
    return _rows(jobs, readings, played, limits, span, now, stop)


def _opened(jobs: Sequence[Job], state: State, begins: float) -> _Played:
    """What runs already lands as if it had been begun now."""
    past = cost.learn(jobs)
    flights = []
    for job in jobs:
        if job.status == "running":
            state = night.begun(state, Start(job, past.of(job)), begins)
            flights.append((begins + past.of(job).minutes * 60, job.id, past.of(job).points))
    return _Played(state, tuple(jobs), tuple(flights), (), ())


def _begun(played: _Played, starts: Sequence[Start], at: float) -> _Played:
    for start in starts:
        state = night.begun(played.state, start, at)
        flight = (at + start.cost.minutes * 60, start.job.id, start.cost.points)
        played = played._replace(
            state=state,
            jobs=_with(played.jobs, start.job.id, "running"),
            flights=(*played.flights, flight),
            started=(*played.started, (at, start)),
        )
    return played


def _landed(played: _Played, at: float) -> _Played:
    for lands, name, points in played.flights:
        if lands <= at:
            played = played._replace(
                state=night.ended(played.state, name, points),
                jobs=_with(played.jobs, name, "shipped"),
                landed=(*played.landed, (lands, points)),
            )
    return played._replace(flights=tuple(flight for flight in played.flights if flight[0] > at))


def _with(jobs: tuple[Job, ...], name: str, status: str) -> tuple[Job, ...]:
    return tuple(job._replace(status=status) if job.id == name else job for job in jobs)


def _expected(readings: Sequence[Reading], played: _Played, now: float, at: float) -> list[Reading]:
    """What will be read then, where something was read: a window that is reset begins empty, with its next use."""
    found = []
    for one in readings:
        since, resets_at, used = now, one.resets_at, one.used_points
        while resets_at is not None and resets_at <= at:
            since, used = resets_at, 0.0
            resets_at = max(since, _first_use(played, since, at)) + quota.LENGTH_S[one.window]
        if used is None:
            found.append(one)
            continue
        more = sum(points * SHARE[one.window] for lands, points in played.landed if lands > since)
        error = one.error if since == now else ROUNDING
        found.append(one._replace(used_points=used + more, resets_at=resets_at, error=error, age_s=0.0))
    return found


def _first_use(played: _Played, since: float, at: float) -> float:
    return min((begun for begun, _ in played.started if begun >= since), default=at)


def _rows(
    jobs: Sequence[Job],
    readings: Sequence[Reading],
    played: _Played,
    limits: Limits,
    span: Span,
    now: float,
    stop: str | None,
) -> tuple[Row, ...]:
    line = {one.job.id: one for one in ranking.candidates(jobs, limits, span, now)}
    past = cost.learn(jobs)
    running = [job for job in jobs if job.status == "running"]
    rows = [_row(job, past.of(job), RUN, "runs already", nth, job.started_at) for nth, job in enumerate(running, 1)]
    for nth, (at, start) in enumerate(played.started, len(running) + 1):
        rows.append(_row(start.job, start.cost, RUN, _why(line[start.job.id], start), nth, at))
    shown = {row.job.id for row in rows}
    rest = [one for name, one in line.items() if name not in shown]
    left = {one.job.id: one for one in ranking.candidates(played.jobs, limits, span, now)}
    rooms = _rooms(readings, played, limits, span, now)
    return (*rows, *(_kept_back(left.get(one.job.id, one), rooms, limits, span, now, stop) for one in rest))


def _row(job: Job, expected: Cost, verdict: str, reason: str, order: int | None, at: float | None) -> Row:
    return Row(job, verdict, reason, order, at, expected.points, expected.minutes, expected.basis)


def _why(one: Candidate, start: Start) -> str:
    parts = ["a probe: nobody has read the limits, and its stream may tell"] if start.is_probe else []
    if one.due is not None:
        parts.append(f"due {datetime.fromtimestamp(one.due).astimezone():%Y-%m-%d %H:%M}")
    parts.append(one.priority)
    parts.append(f"value {one.rate:.2g} per point")
    if one.behind:
        parts.append(f"for {one.behind}")
    return ", ".join(parts)


def _kept_back(
    one: Candidate, rooms: Sequence[budget.Room], limits: Limits, span: Span, now: float, stop: str | None
) -> Row:
    begins = max(now, span.begins)
    if not one.never and one.job.deadline is not None and one.job.deadline <= begins:
        return _row(one.job, one.cost, SKIP, _TOO_LATE, None, None)
    found = ranking.obstacle(one, rooms, limits, span, begins)
    if found is None or found.kind == ranking.EARLY:
        reason = _BLIND if stop == night.BLIND else _LATER
        return _row(one.job, one.cost, WAIT, reason, None, None)
    verdict = SKIP if found.kind == ranking.NEVER else WAIT
    return _row(one.job, one.cost, verdict, found.reason, None, None)


def _rooms(readings: Sequence[Reading], played: _Played, limits: Limits, span: Span, now: float) -> list[budget.Room]:
    """At the end of the night."""
    expected = _expected(readings, played, now, played.state.seen_wall)
    if not any(one.window == FIVE_HOUR and one.used_points is not None for one in expected):
        return []
    spent = {one.window: one.points for one in played.state.spent}
    return [
        budget.room(one, limits, span, spent.get(one.window, 0.0), [], played.state.seen_wall)
        for one in expected
        if one.used_points is not None
    ]
