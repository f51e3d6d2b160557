"""An evaluation as tables of at most a hundred columns."""

from collections.abc import Iterator, Sequence

from orchestrate.measure.routing_pairs import Gain
from orchestrate.measure.routing_report import Report, Scored
from orchestrate.measure.routing_tiers import Figures
from routing.score import TIERS

TIER_COLUMNS = (
    ("accuracy", 8),
    ("accepted", 8),
    ("macro-F1", 8),
    ("under", 6),
    ("over", 6),
    ("cost", 5),
    ("ECE", 6),
    ("coverage", 8),
    ("answered", 8),
)
GAIN_COLUMNS = (("APGR", 6), ("95 %", 13), ("CPT50", 6), ("95 %", 13), ("CPT80", 6), ("95 %", 13))
WIDTH = 20


def lines(report: Report) -> Iterator[str]:
    by = f", by {report.grouped_by}" if report.grouped_by else ""
    decided = ", ".join(f"{tier} {count}" for tier, count in report.decided.items())
    yield f"{report.name}: {report.rows} rows of {report.kind}{by}; decided {decided}"
    yield ""
    yield from _table("", report.kind, report.routers)
    yield from _notes(report.routers)
    if report.kind == "tiers":
        yield from _intervals(report.routers[0])
    if report.groups:
        yield ""
        yield from _table(report.grouped_by or "", report.kind, report.groups, with_rows=True)
    if report.confusion:
        yield from _confusion(report.confusion)
        yield from _coverage(report)
    yield from _robustness(report)
    yield from _latency(report)


def _table(title: str, kind: str, rows: Sequence[Scored], with_rows: bool = False) -> Iterator[str]:
    columns = TIER_COLUMNS if kind == "tiers" else GAIN_COLUMNS
    count = f"{'rows':>6}" if with_rows else ""
    heads = " ".join(f"{name:>{width}}" for name, width in columns)
    yield f"{_cut(title)}{count} {heads}"
    for row in rows:
        count = f"{row.rows:6}" if with_rows else ""
        if row.figures is not None:
            cells = _tier_cells(row.figures) if isinstance(row.figures, Figures) else _gain_cells(row, row.figures)
            shown = " ".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, columns, strict=True))
            yield f"{_cut(row.name)}{count} {shown}"
        elif with_rows:
            yield f"{_cut(row.name)}{count} the strong model is not the better one"
        elif row.rows:
            yield f"{_cut(row.name)} no gap between the models"
        else:
            yield f"{_cut(row.name)} -"


def _tier_cells(found: Figures) -> list[str]:
    return [
        _number(found.accuracy),
        _number(found.accepted),
        _number(found.macro_f1),
        _number(found.under_route),
        _number(found.over_route),
        f"{found.cost:.2f}",
        _number(found.ece),
        _number(found.coverage),
        _number(found.answered_accuracy),
    ]


def _gain_cells(row: Scored, found: Gain) -> list[str]:
    return [
        _number(found.apgr),
        _interval(row, "apgr", 3),
        f"{found.cpt50:.1f}",
        _interval(row, "cpt50", 1),
        f"{found.cpt80:.1f}",
        _interval(row, "cpt80", 1),
    ]


def _interval(row: Scored, name: str, digits: int) -> str:
    if name not in row.intervals:
        return "-"
    low, high = row.intervals[name]
    return f"{low:.{digits}f}-{high:.{digits}f}" if low >= 0 else f"{low:.{digits}f}..{high:.{digits}f}"


def _notes(rows: Sequence[Scored]) -> Iterator[str]:
    told = [f"{row.name}: {row.note}" for row in rows if row.note]
    if told:
        yield ""
        yield from told


def _intervals(row: Scored) -> Iterator[str]:
    shown = (
        ("accuracy", "accuracy"),
        ("macro-F1", "macro_f1"),
        ("under", "under_route"),
        ("ECE", "ece"),
    )
    told = [f"{title} {_interval(row, name, 3)}" for title, name in shown if name in row.intervals]
    yield f"95 %: {', '.join(told)}"


def _confusion(counts: Sequence[Sequence[int]]) -> Iterator[str]:
    yield ""
    yield f"{'labelled, decided as':{WIDTH}}" + "".join(f"{tier:>9}" for tier in TIERS)
    for tier, row in zip(TIERS, counts, strict=True):
        yield f"{tier:{WIDTH}}" + "".join(f"{count:9}" for count in row)


def _coverage(report: Report) -> Iterator[str]:
    yield ""
    for title, name in (("most confident", "coverage"), ("accuracy", "accuracy"), ("confidence from", "confidence")):
        yield f"{title:{WIDTH}}" + "".join(f"{getattr(point, name):7.2f}" for point in report.coverage)


def _robustness(report: Report) -> Iterator[str]:
    yield ""
    yield f"{'changed by':{WIDTH}}" + "".join(f"{one.kind:>12}" for one in report.robustness)
    yield f"{'same decision':{WIDTH}}" + "".join(f"{_number(one.unchanged):>12}" for one in report.robustness)
    yield f"{'of changed prompts':{WIDTH}}" + "".join(f"{one.variants:12}" for one in report.robustness)


def _latency(report: Report) -> Iterator[str]:
    bands = [f"< {one.shorter_than}" if one.shorter_than else "longer" for one in report.latency]
    yield ""
    yield f"{'characters':{WIDTH}}" + "".join(f"{band:>12}" for band in bands)
    yield f"{'prompts':{WIDTH}}" + "".join(f"{one.prompts:12}" for one in report.latency)
    yield f"{'p50 ms':{WIDTH}}" + "".join(f"{one.p50_ms:12.3f}" for one in report.latency)
    yield f"{'p99 ms':{WIDTH}}" + "".join(f"{one.p99_ms:12.3f}" for one in report.latency)
    yield f"{'p99 ms of all calls':{WIDTH}}" + "".join(f"{one.p99_call_ms:12.3f}" for one in report.latency)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _cut(name: str) -> str:
    """Both ends of a long name: paths begin alike."""
    short = name if len(name) <= WIDTH else f"{name[:8]}..{name[10 - WIDTH :]}"
    return f"{short:{WIDTH}}"
