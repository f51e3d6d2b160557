"""The ledger as text, at most 100 columns wide, and as a value for JSON."""

from collections.abc import Sequence
from datetime import datetime

from metrics.days import Window
from metrics.ledger import alarm_of, verdicts
from metrics.ledger_join import Row
from metrics.ledger_models import short
from metrics.ledger_rules import MAIN, MISMATCH, NOT_DECIDED, OK, UNCLEAR

_WIDTHS = (5, 8, 13, 10, 11, 14, 6, 19)
_TITLES = ("time", "prompt", "agent", "asked", "resolved", "served", "tokens", "verdict")
_UNITS = ((10**6, "M"), (10**3, "k"))
_NO_VALUE = "-"


def text(window: Window, counted: Sequence[Row], shown: Sequence[Row]) -> str:
    """`counted` make the sums, `shown` the lines."""
    title = f"Served models for {window.title} ({window.zone})"
    if not counted:
        return f"no data for {window.title} ({window.zone})"
    form = "%H:%M" if window.first == window.last else "%m-%d"
    lines = [_line(_TITLES), *(_line(_cells(row, form)) for row in shown)] if shown else []
    return "\n".join([title, "", *lines, *([""] if lines else []), _sums(counted)])


def as_json(window: Window, counted: Sequence[Row], shown: Sequence[Row]) -> dict[str, object]:
    alarm = alarm_of(counted)
    return {
        "since": str(window.first),
        "until": str(window.last),
        "time_zone": window.zone,
        "summary": _figures(counted),
        "alarm": alarm._asdict() if alarm else None,
        "rows": [row._asdict() for row in shown],
    }


def _figures(counted: Sequence[Row]) -> dict[str, int]:
    sums = verdicts(counted)
    names = {"ok": OK, "mismatches": MISMATCH, "not_decided": NOT_DECIDED, "unknown": UNCLEAR}
    return {"rows": len(counted), **{name: sums[verdict] for name, verdict in names.items()}}


def _sums(counted: Sequence[Row]) -> str:
    told = "{rows} rows: {ok} ok, {mismatches} mismatches, {not_decided} not decided, {unknown} unknown"
    alarm = alarm_of(counted)
    lines = [told.format_map(_figures(counted))]
    if alarm:
        lines.append(f"ALARM: {alarm.mismatches} of {alarm.rows} enforced were served otherwise, worst: {alarm.worst}")
    return "\n".join(lines)


def _cells(row: Row, form: str) -> tuple[str, ...]:
    tokens = row.input_tokens + row.output_tokens + row.cache_read_tokens + row.cache_write_tokens
    return (
        datetime.fromisoformat(row.at).astimezone().strftime(form) if row.at else _NO_VALUE,
        (row.prompt_id or _NO_VALUE)[: _WIDTHS[1]],
        MAIN if row.part == MAIN else row.agent_type or row.part,
        short(row.requested) if row.requested else _NO_VALUE,
        short(row.resolved) if row.resolved else _NO_VALUE,
        ",".join(map(short, row.served)) or _NO_VALUE,
        _count(tokens),
        (row.kind or row.verdict).replace("not_decided", "not decided"),
    )


def _count(tokens: int) -> str:
    size, unit = next(((size, unit) for size, unit in _UNITS if tokens >= 10 * size), (1, ""))
    return f"{tokens / size:.0f}{unit}"


def _line(cells: Sequence[str]) -> str:
    shown = zip(_TITLES, map(_printable, cells), _WIDTHS, strict=True)
    return "  ".join(
        f"{_clipped(cell, width):>{width}}" if title == "tokens" else f"{_clipped(cell, width):<{width}}"
        for title, cell, width in shown
    ).rstrip()


def _printable(cell: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in cell)


def _clipped(cell: str, width: int) -> str:
    return cell if len(cell) <= width else cell[: width - 2] + ".."
