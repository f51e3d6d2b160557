"""A report as text, Markdown, CSV, or a value for JSON."""

import csv
import io
from collections.abc import Iterator

from metrics.report import Check, Report
from metrics.tables import Table, tables

_GAP = "  "


def text(report: Report) -> str:
    """At most 100 columns wide."""
    return _page(report, f"Routing report for {_period(report)}", [aligned(table) for table in _shown(report)])


def markdown(report: Report) -> str:
    return _page(report, f"# Routing report for {_period(report)}", [_piped(table) for table in _shown(report)])


def as_csv(report: Report) -> str:
    """One row for the whole period and one per group; empty where there is no value."""
    checks: list[tuple[str, object]] = [(f"{check.figure}_target", check.limit) for check in report.checks]
    checks += [(f"{check.figure}_met", _word(check.met)) for check in report.checks]
    span = [report.window.first, report.window.last, report.window.zone]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["since", "until", "time_zone", "by", "name", *report.figures, *(name for name, _ in checks)])
    writer.writerow([*span, "", "", *report.figures.values(), *(value for _, value in checks)])
    for group, rows in report.groups.items():
        for name, figures in rows.items():
            writer.writerow([*span, group, name, *map(figures.get, report.figures), *[None] * len(checks)])
    return out.getvalue().rstrip("\n")


def as_json(report: Report) -> dict[str, object]:
    """Every key is always there; null is what nothing tells."""
    return {
        "since": str(report.window.first),
        "until": str(report.window.last),
        "time_zone": report.window.zone,
        "data": report.has_data,
        **report.figures,
        "targets": {check.figure: _target(check) for check in report.checks},
        "by": report.groups,
        "alarm": report.alarm._asdict() if report.alarm else None,
        "bad_lines": report.bad_lines,
        "unreadable_transcripts": report.unreadable,
    }


def _page(report: Report, title: str, parts: list[str]) -> str:
    if not report.has_data:
        return f"no data for {_period(report)}"
    return "\n\n".join([title, *parts, *_notes(report)])


def _notes(report: Report) -> Iterator[str]:
    differing = report.figures["disagreements"]
    if differing:
        are = "is" if differing == 1 else "are"
        yield (
            f"{differing} of {report.figures['compared']} judged by the hooks' events {are} otherwise "
            "in the transcripts:\nthe transcripts count; see `orchestrate metrics ledger --mismatch`."
        )
    if report.alarm:
        yield (
            f"ALARM: {report.alarm.mismatches} of {report.alarm.rows} parts that were enforced were not served so, "
            f"the worst: {report.alarm.worst}."
        )
    if report.unreadable:
        yield f"{report.unreadable} {_plural('transcript', report.unreadable)} cannot be opened."
    if report.bad_lines:
        yield f"{report.bad_lines} {_plural('line', report.bad_lines)} of the session logs cannot be read."


def _plural(noun: str, number: int) -> str:
    return noun if number == 1 else f"{noun}s"


def _shown(report: Report) -> list[Table]:
    return [table for table in tables(report) if table.rows]


def _period(report: Report) -> str:
    return f"{report.window.title} ({report.window.zone})"


def _target(check: Check) -> dict[str, object]:
    return {"value": check.value, "relation": check.relation, "target": check.limit, "met": check.met}


def _word(met: bool | None) -> str | None:
    return None if met is None else str(met).lower()


def aligned(table: Table) -> str:
    lines = [table.header, *table.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    justify = {"l": str.ljust, "r": str.rjust}
    return "\n".join(
        _GAP.join(
            justify[align](cell, width) for align, cell, width in zip(table.align, line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def _piped(table: Table) -> str:
    rule = ["---:" if align == "r" else "---" for align in table.align]
    cells = [[cell.replace("|", "\\|") for cell in line] for line in (table.header, rule, *table.rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in cells)
