"""The report as a person reads it in the morning: the same words after a good night and after a bad one. Pure."""

import time
from collections.abc import Iterator, Sequence

from orchestrate.overnight.report_records import CUT_OFF, ENDED, NEVER, RUNNING, Line, Owed, Quota, Report, Used
from orchestrate.overnight.stops import ENDS

TITLES = {"five_hour": "five-hour", "seven_day": "seven-day"}
_WIDE = 72


def lines(report: Report) -> Iterator[str]:
    hours = f"{_clock(report.span.begins)} to {_clock(report.span.ends)}"
    yield f"The night of {report.span.evening}, {hours}: {_state(report)}"
    if report.events:
        yield f"    events {' '.join(report.events)}"
    sections = (
        ("Shipped and verified", report.shipped),
        ("Done but unverified", report.unverified),
        ("Not done, and why", report.not_done),
    )
    for title, found in sections:
        yield from ("", f"{title} ({len(found)})")
        yield from _jobs(found)
    yield from ("", f"Decisions you owe ({len(report.decisions)})")
    yield from _decisions(report.decisions)
    yield from ("", "Quota, in points")
    yield from _quota(report.quota)
    yield from ("", "Open an event: orchestrate events list --id ID")


def _state(report: Report) -> str:
    if report.state == ENDED and report.ended_at is not None:
        why = report.halted or ENDS.get(report.why or "", report.why or "")
        return f"ended {_clock(report.ended_at)}: {why}"
    return {RUNNING: "goes on", CUT_OFF: "was cut off", NEVER: "no night ran"}[report.state]


def _jobs(found: Sequence[Line]) -> Iterator[str]:
    for line in found:
        yield f"  {line.code}  {_short(line.text)}"
        if line.why:
            yield f"    {line.why}"
        facts = [*_where(line), *_checks(line), line.model or "", *_took(line)]
        if any(facts):
            yield f"    {', '.join(filter(None, facts))}"
        links = [f"events {' '.join(line.events)}" if line.events else "", f"run {line.run}" if line.run else ""]
        links += [f"decision {line.decision}" if line.decision else ""]
        if any(links):
            yield f"    {'; '.join(filter(None, links))}"
    if not found:
        yield "  none"


def _where(line: Line) -> Iterator[str]:
    if line.branch and line.commit:
        yield f"{line.branch} at {line.commit[:12]}"
    elif line.answer:
        yield f"answer {line.answer}"


def _checks(line: Line) -> Iterator[str]:
    for each in line.checks:
        code = each.get("code")
        ended = "did not run to its end" if code is None else "green" if code == 0 else f"exit code {code}"
        yield f"`{each.get('command')}` {ended}"


def _took(line: Line) -> Iterator[str]:
    if line.run:
        yield f"{_points(line.points)} points"
        yield "unknown minutes" if line.minutes is None else f"{line.minutes:g} min"


def _decisions(found: Sequence[Owed]) -> Iterator[str]:
    for owed in found:
        yield f"  {owed.code or '-'}  {owed.text}"
        if owed.command:
            yield f"    $ {owed.command}"
        if owed.events:
            yield f"    events {' '.join(owed.events)}"
    if not found:
        yield "  none"


def _quota(found: Quota) -> Iterator[str]:
    for used in found.windows:
        yield f"  {TITLES[used.window]:10}{_window(used)}"
    unknown = f", and those of {found.unknown} more are unknown" if found.unknown else ""
    yield f"  {'jobs':10}{_points(found.jobs)} of the five-hour window{unknown}"
    yield f"  {'floor':10}{found.floor_percent:g} of each"
    if found.events:
        yield f"    events {' '.join(found.events)}"


def _window(used: Used) -> str:
    told = (f"used {_points(used.used)}", f"left {_points(used.left)}", f"wasted {_points(used.wasted)}")
    return ", ".join([*told, *([f"at the lowest {used.lowest:g} left"] if used.lowest is not None else [])])


def _points(value: float | None) -> str:
    return "unknown" if value is None else f"{value:g}"


def _clock(moment: float) -> str:
    return time.strftime("%H:%M", time.localtime(moment))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WIDE else f"{line[: _WIDE - 1]}…"
