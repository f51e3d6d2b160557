"""A report as tables of words, for a terminal or a page."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from metrics.figures import Figures
from metrics.report import Check, Report

Form = Callable[[float | None], str]
NO_VALUE = "-"
_KEY_WIDTH = 16


class Table(NamedTuple):
    align: str  # one letter a column: l or r
    header: list[str]
    rows: list[list[str]]


class _Column(NamedTuple):
    title: str
    figure: str
    form: Form


def tables(report: Report) -> list[Table]:
    figures = report.figures
    return [
        _checks(report),
        Table("r" * len(_PROMPTS), _titles(_PROMPTS), [_row(_PROMPTS, figures)]),
        Table("r" * len(_ENFORCED), _titles(_ENFORCED), [_row(_ENFORCED, figures)]),
        _overhead(figures),
        *(_group(name, rows) for name, rows in report.groups.items()),
    ]


def share(value: float | None) -> str:
    """Finer near nothing and near all, where the targets are: 99.96% is not 100%."""
    if value is None:
        return NO_VALUE
    return f"{value:.3%}" if 0 < value < 0.01 or 0.99 < value < 1 else f"{value:.1%}"


def milliseconds(value: float | None) -> str:
    return NO_VALUE if value is None else f"{value:,.1f} ms"


def count(value: float | None) -> str:
    return NO_VALUE if value is None else f"{value:,.0f}"


def dollars(value: float | None) -> str:
    return NO_VALUE if value is None else f"{'-' if value < 0 else ''}${abs(value):,.2f}"


def _checks(report: Report) -> Table:
    return Table("lrlll", ["", "value", "target", "", ""], [_check(check, report.figures) for check in report.checks])


def _check(check: Check, figures: Figures) -> list[str]:
    title, form, detail = _CHECKS[check.figure]
    target = "" if check.limit is None else f"{check.relation} {_limit(check.limit, form)}"
    told = {name: count(value) for name, value in figures.items()}
    return [title, form(check.value), target, _outcome(check), detail.format_map(told)]


def _limit(limit: float, form: Form) -> str:
    return f"{limit:g} ms" if form is milliseconds else f"{limit * 100:g}%"


def _outcome(check: Check) -> str:
    if check.value is None:
        return "no data"
    return {True: "met", False: "MISSED", None: ""}[check.met]


def _overhead(figures: Figures) -> Table:
    rows = [
        [title, *(milliseconds(figures[f"{name}_{key}_ms"]) for key in ("mean", "p50", "p95", "p99"))]
        for title, name in (("per prompt, all its hooks", "overhead"), ("per hook call", "event_overhead"))
    ]
    return Table("lrrrr", ["overhead", "mean", "p50", "p95", "p99"], rows)


def _group(name: str, rows: dict[str, Figures]) -> Table:
    body = [[_shortened(key), *_row(_GROUP, figures)] for key, figures in rows.items()]
    return Table("l" + "r" * len(_GROUP), [f"by {name}", *_titles(_GROUP)], body)


def _row(columns: Sequence[_Column], figures: Figures) -> list[str]:
    return [column.form(figures[column.figure]) for column in columns]


def _titles(columns: Sequence[_Column]) -> list[str]:
    return [column.title for column in columns]


def _shortened(key: str) -> str:
    key = "".join(letter if letter.isprintable() else "?" for letter in key)
    return key if len(key) <= _KEY_WIDTH else key[: _KEY_WIDTH - 3] + "..."


_CHECKS: dict[str, tuple[str, Form, str]] = {
    "rate": ("compliance", share, "{followed} followed, {ignored} ignored, {unknown} unknown"),
    "spawn_rate": (
        "  of spawns",
        share,
        "{spawn_followed} followed, {spawn_ignored} ignored, {spawn_unknown} unknown",
    ),
    "served_as_decided": ("  of all", share, "prompts, main threads and spawns together"),
    "overhead_mean_ms": ("mean overhead", milliseconds, "per prompt"),
    "agent_success": (
        "agent success",
        share,
        "{agents_finished} finished, {agents_failed} failed, {agents_unknown} unknown",
    ),
    "persistence_failure_rate": ("records lost", share, "{persistence_failures} beside {events} kept"),
    "error_rate": ("hook errors", share, "{errors} failed"),
    "override_rate": ("user overrides", share, "{overrides} of {decisions} decisions"),
}
_PROMPTS = [
    _Column("decided", "decisions", count),
    _Column("delegated", "delegations", count),
    _Column("coverage", "coverage", share),
    _Column("stayed", "stays", count),
    _Column("escalated", "escalations", count),
    _Column("abstained", "abstains", count),
    _Column("degraded", "degraded", count),
    _Column("skipped", "skipped", count),
]
_ENFORCED = [
    _Column("main set", "mains", count),
    _Column("served so", "main_rate", share),
    _Column("switched", "main_switches", count),
    _Column("net saved", "net_savings_usd", dollars),
    _Column("spawns", "spawns", count),
    _Column("stepped down", "step_downs", count),
    _Column("stood in", "stand_ins", count),
    _Column("fuses blown", "blown_fuses", count),
]
_GROUP = [
    _Column("decided", "decisions", count),
    _Column("acted on", "delegations", count),
    _Column("followed", "followed", count),
    _Column("ignored", "ignored", count),
    _Column("unknown", "unknown", count),
    _Column("rate", "rate", share),
    _Column("coverage", "coverage", share),
    _Column("overhead", "overhead_mean_ms", milliseconds),
]
