"""Jobs and the plan as they are printed."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from orchestrate.overnight import budget
from orchestrate.overnight.job import Job
from orchestrate.overnight.limits import Limits
from orchestrate.overnight.plan import RUN, Row
from orchestrate.overnight.telling import described
from orchestrate.overnight.window import Reading, Span
from state.quota import LENGTH_S, TITLES

TEXT_SHOWN = 80
Clean = Callable[[str], str]
_NOBODY = "nobody has read it: the first job is a probe, and others follow if it brings a reading"
_BASIS = {"said": "", "learned": " as jobs before took", "guessed": ", a guess: none was said"}


def record(job: Job, codes: Mapping[str, str]) -> dict[str, object]:
    told = described(job) | {"depends": [codes.get(name, name) for name in job.depends]}
    told |= {name: moment(getattr(job, name)) for name in ("not_before", "deadline")}
    rest = ("status", "attempts", "why", "branch", "worktree", "session", "run", "points_used")
    told |= {name: getattr(job, name) for name in rest}
    return told | {name: moment(getattr(job, name)) for name in ("added_at", "started_at", "ended_at")}


def line(job: Job, codes: Mapping[str, str], clean: Clean) -> str:
    needs = [codes.get(name, name) for name in job.depends]
    notes = [f"after {', '.join(needs)}"] if needs else []
    notes += [f"not before {local(job.not_before)}"] if job.not_before is not None else []
    notes += [f"due {local(job.deadline)}"] if job.deadline is not None else []
    notes += [job.why] if job.why else []
    more = f"  ({'; '.join(notes)})" if notes else ""
    return clean(f"{job.code:<6}  {job.priority}  {job.status:<10}  {_cut(job.text)}{more}")


def row_record(row: Row) -> dict[str, object]:
    return {
        "code": row.job.code,
        "id": row.job.id,
        "verdict": row.verdict,
        "reason": row.reason,
        "order": row.order,
        "starts_at": moment(row.starts_at),
        "expected_points": round(row.points, 2),
        "expected_minutes": round(row.minutes, 1),
        "basis": row.basis,
    }


def plan_record(rows: Sequence[Row], readings: Sequence[Reading], span: Span, limits: Limits) -> dict[str, object]:
    return {
        "night": {"evening": str(span.evening), "begins": moment(span.begins), "ends": moment(span.ends)},
        "limits": limits._asdict(),
        "readings": {one.window: _reading(one, limits, span) for one in readings},
        "jobs": [row_record(row) for row in rows],
    }


def plan_lines(
    rows: Sequence[Row], readings: Sequence[Reading], span: Span, limits: Limits, explains: bool, clean: Clean
) -> list[str]:
    runs = sum(row.verdict == RUN for row in rows)
    head = f"the night of {span.evening}, {local(span.begins)} to {local(span.ends)}: {runs} of {len(rows)} jobs"
    told = _reading_lines(readings, limits, span) if explains else []
    return [head, *told, *(clean(one) for row in rows for one in _row_lines(row, explains))]


def local(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M}"


def moment(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _row_lines(row: Row, explains: bool) -> list[str]:
    when = f"{row.order}. {datetime.fromtimestamp(row.starts_at).astimezone():%H:%M}" if row.starts_at else ""
    head = f"{row.verdict:<4}  {when:<10}  {row.job.code:<6}  {_cut(row.job.text)}"
    if not explains:
        return [head if row.verdict == RUN else f"{head}  ({row.reason})"]
    takes = f"{row.points:.3g} points{_BASIS[row.basis]}, {row.minutes:.0f} minutes"
    return [head, f"{'':26}{row.reason}", f"{'':26}takes about {takes}"]


def _reading_lines(readings: Sequence[Reading], limits: Limits, span: Span) -> list[str]:
    known = {one.window: one for one in readings}
    return [f"{TITLES[name]}: {_state(known.get(name), limits, span)}" for name in LENGTH_S]


def _state(reading: Reading | None, limits: Limits, span: Span) -> str:
    if reading is None:
        return _NOBODY
    if reading.used_points is None:
        return "reset since it was read, or read too long ago: the first job is a probe"
    reset = "its reset is unknown" if reading.resets_at is None else f"reset at {local(reading.resets_at)}"
    most = budget.ceiling(reading, limits, span)
    used = f"{reading.used_points:.0f}% used (up to {reading.error:.0f} more since)"
    return f"{used}, {reset}; the night uses it up to {most:.0f}%"


def _reading(reading: Reading, limits: Limits, span: Span) -> dict[str, object]:
    return {
        "used": reading.used_points,
        "error": reading.error,
        "resets_at": moment(reading.resets_at),
        "age_s": round(reading.age_s, 1),
        "used_up_to": budget.ceiling(reading, limits, span),
        "floor_at": budget.floor(reading, limits),
    }


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_SHOWN else f"{text[: TEXT_SHOWN - 3]}..."
