"""The line of each job, from the last that was told of it in the night. Pure."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrate.overnight import chronicle
from orchestrate.overnight.job import Job
from orchestrate.overnight.report_records import CUT_OFF, ENDED, NEVER, RUNNING, Known, Line, Told
from orchestrate.overnight.verdict import SHIPPED, UNVERIFIED

NOT_DONE = "not_done"
_NOT_BEGUN = {
    NEVER: "no night ran",
    CUT_OFF: "the night was cut off before its turn",
    RUNNING: "its turn may still come: the night goes on",
    ENDED: "it was added too late for this night",
}
Sorted = dict[str, list[Line]]


def sort(known: Known, state: str) -> Sorted:
    lines: Sorted = {SHIPPED: [], UNVERIFIED: [], NOT_DONE: []}
    told = _by_job(known.told)
    for name in [*told, *_untold(known, told)]:
        events = told.get(name, [])
        lines[_section(events)].append(_line(name, events, known, state))
    return lines


def _by_job(told: Sequence[Told]) -> dict[str, list[Told]]:
    found: dict[str, list[Told]] = {}
    for one in told:
        name = one.payload.get("job") if one.verb == chronicle.LEFT else one.about if "code" in one.payload else None
        if isinstance(name, str):
            found.setdefault(name, []).append(one)
    return found


def _untold(known: Known, told: Mapping[str, object]) -> Iterator[str]:
    """What was queued when the night was, and of which it says nothing."""
    for job in known.jobs.values():
        if job.id not in told and job.status == "queued" and job.added_at < known.span.ends:
            yield job.id


def _section(events: Sequence[Told]) -> str:
    last = events[-1] if events else None
    status = last.payload.get("status") if last and last.verb == "finished" else None
    return status if status in (SHIPPED, UNVERIFIED) else NOT_DONE


def _line(name: str, events: Sequence[Told], known: Known, state: str) -> Line:
    job, said = known.jobs.get(name), _merged(events)
    attempts = [one.payload for one in events if one.verb in ("finished", "requeued")]
    points = [one["points"] for one in attempts if one.get("points") is not None]
    took = [one["took_s"] for one in attempts if one.get("took_s") is not None]
    is_kept = said.get("commit") is not None
    return Line(
        code=str(said.get("code") or (job.code if job else name)),
        text=str(said.get("text") or (job.text if job else "")),
        project=str(said.get("project") or (job.project if job else "")),
        why=_why(events, job, known, state),
        branch=said.get("branch") if is_kept else None,
        commit=said.get("commit"),
        worktree=said.get("worktree") if is_kept else None,
        model=said.get("model"),
        run=said.get("run"),
        decision=said.get("decision"),
        checks=tuple(said.get("checks") or ()),
        points=round(sum(points), 2) if points else None,
        minutes=round(sum(took) / 60, 1) if took else None,
        answer=said.get("answer") or None,
        decisions=tuple(said.get("decisions") or ()),
        events=tuple(one.id for one in events) or _added(name, known),
    )


def _added(name: str, known: Known) -> tuple[str, ...]:
    """All that was ever told of a job of which the night says nothing."""
    return (known.added[name],) if name in known.added else ()


def _merged(events: Sequence[Told]) -> dict[str, Any]:
    """The last word on each thing; of an attempt that is over nothing but the last attempt's."""
    said: dict[str, Any] = {}
    for one in events:
        if one.verb == "claimed":
            said = {name: said[name] for name in ("code", "text", "project") if name in said}
        said |= {name: value for name, value in one.payload.items() if value is not None}
    return said


def _why(events: Sequence[Told], job: Job | None, known: Known, state: str) -> str | None:
    # That it was left at the end says nothing of a job that was tried.
    tried = [one for one in events if one.verb != chronicle.LEFT]
    last = tried[-1] if tried else events[-1] if events else None
    if last is None:
        return _NOT_BEGUN[state]
    if last.verb == "claimed":
        return _unfinished(job, state)
    why = last.payload.get("why")
    if job and job.status == "cancelled":
        return f"{why}; it was cancelled since"
    again = last.payload.get("not_before") if last.verb == "requeued" else None
    if isinstance(again, int | float) and again > last.at:
        return f"{why}: it may begin again at {time.strftime('%H:%M', time.localtime(again))}"
    return str(why) if why else None


def _unfinished(job: Job | None, state: str) -> str:
    if job and job.status == "cancelled":
        return "it was cancelled while it ran"
    return "it runs" if state == RUNNING else "the night was cut off while it ran: it begins again with the next"
