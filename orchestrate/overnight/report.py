"""The morning after: what a night has told, sorted into what is done, what is not, and what is left to decide. Pure.

Every line carries the ids of the events that it comes from. What nobody has told is None.
"""

import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain

import orjson

from orchestrate.overnight import chronicle, night, report_lines, report_quota
from orchestrate.overnight.report_lines import NOT_DONE, Sorted
from orchestrate.overnight.report_records import CUT_OFF, ENDED, NEVER, RUNNING, Known, Line, Owed, Report, Told
from orchestrate.overnight.shown import moment
from orchestrate.overnight.verdict import SHIPPED, UNVERIFIED
from state.store.records import Event

_TIMER = "orchestrate overnight install-timer"
_BLIND = (
    "nobody has read the limits, and so the night ended early: have the status line read them while you work, or say "
    "with overnight.blind_jobs how many jobs run without"
)
_UNCHECKED = "name the checks of its project: without any nothing is shipped"
_TAKE = {
    SHIPPED: "merge it, or leave it",
    UNVERIFIED: "look at it: nobody has verified it",
    NOT_DONE: "what it has so far is on its branch: go on from there, or leave it",
}


def opened(event: Event) -> Told:
    at = datetime.fromisoformat(event.ts).timestamp()
    return Told(event.id, event.type.removeprefix(chronicle.PREFIX), event.entity_id, at, orjson.loads(event.payload))


def build(known: Known) -> Report:
    nights = [one for one in known.told if one.verb in (chronicle.BEGAN, chronicle.ENDED)]
    state = _state(nights, known)
    lines = report_lines.sort(known, state)
    last = nights[-1] if nights and nights[-1].verb == chronicle.ENDED else None
    return Report(
        span=known.span,
        state=state,
        why=str(last.payload["why"]) if last else None,
        halted=last.payload.get("halted") if last else None,
        began_at=nights[0].at if nights else None,
        ended_at=last.at if last else None,
        shipped=tuple(lines[SHIPPED]),
        unverified=tuple(lines[UNVERIFIED]),
        not_done=tuple(lines[NOT_DONE]),
        decisions=tuple(_owed(lines, nights, state)),
        quota=report_quota.of(known, nights, list(chain.from_iterable(lines.values()))),
        events=tuple(one.id for one in nights),
    )


def as_json(report: Report) -> dict[str, object]:
    """Every key is always there; null is what nobody knows."""
    told = {name: _plain(value) for name, value in report._asdict().items() if name != "span"}
    told |= {name: None if at is None else moment(at) for name, at in _moments(report)}
    return {"night": str(report.span.evening), **told}


def _moments(report: Report) -> Iterator[tuple[str, float | None]]:
    yield from (("begins", report.span.begins), ("ends", report.span.ends))
    yield from (("began_at", report.began_at), ("ended_at", report.ended_at))


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        fields = getattr(value, "_asdict", None)
        return {name: _plain(one) for name, one in fields().items()} if fields else [_plain(one) for one in value]
    return value


def _state(nights: Sequence[Told], known: Known) -> str:
    if not nights:
        return NEVER
    if nights[-1].verb == chronicle.ENDED:
        return ENDED
    return RUNNING if known.is_alive(str(nights[-1].payload.get("owner"))) else CUT_OFF


def _owed(lines: Sorted, nights: Sequence[Told], state: str) -> Iterator[Owed]:
    halted = nights[-1].payload.get("halted") if nights else None
    if halted:
        yield Owed(None, str(halted), None, (nights[-1].id,))
    if state == NEVER and any(lines.values()):
        about = tuple(name for line in chain.from_iterable(lines.values()) for name in line.events)
        yield Owed(None, "no night ran: let a timer begin it, or begin it yourself", _TIMER, about)
    if _is_blind(nights):
        yield Owed(None, _BLIND, "orchestrate install --statusline", (nights[-1].id,))
    yield from _of_projects(lines[UNVERIFIED])
    for section, found in lines.items():
        for line in found:
            yield from _of_line(section, line)


def _is_blind(nights: Sequence[Told]) -> bool:
    return bool(nights) and nights[-1].payload.get("why") == night.BLIND


def _of_projects(unverified: Sequence[Line]) -> Iterator[Owed]:
    """Once for all jobs of a project."""
    unchecked: dict[str, list[Line]] = {}
    for line in unverified:
        if line.commit and not line.checks:
            unchecked.setdefault(line.project, []).append(line)
    for root, lines in unchecked.items():
        command = f"cd {shlex.quote(root)} && orchestrate config set overnight.checks 'pytest -q'"
        events = tuple(chain.from_iterable(line.events for line in lines))
        yield Owed(", ".join(line.code for line in lines), _UNCHECKED, command, events)


def _of_line(section: str, line: Line) -> Iterator[Owed]:
    if line.commit and line.branch and line.worktree:
        fetch = ["git", "-C", line.project, "fetch", line.worktree, f"{line.branch}:{line.branch}"]
        yield Owed(line.code, _TAKE[section], shlex.join(fetch), line.events)
    for said in line.decisions:
        yield Owed(line.code, said, None, line.events)
