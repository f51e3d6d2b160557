"""The report of a period, read from the store."""

from collections.abc import Iterable
from typing import NamedTuple

from metrics import ledger
from metrics.days import Window
from metrics.facts import gather
from metrics.figures import Figures, by, total
from metrics.ledger import Alarm
from metrics.savings import Rate
from metrics.switched import net
from state.store import Store


class Target(NamedTuple):
    figure: str
    relation: str
    limit: float | None  # None: watched, without a limit


class Check(NamedTuple):
    figure: str
    value: float | None
    relation: str
    limit: float | None
    met: bool | None  # None: no data, or no limit


class Report(NamedTuple):
    window: Window
    has_data: bool
    figures: Figures
    checks: list[Check]
    groups: dict[str, dict[str, Figures]]
    alarm: Alarm | None
    bad_lines: int  # in the logs, whatever the period
    unreadable: int  # transcripts that may not be opened


TARGETS = (
    Target("rate", ">", 0.95),
    Target("spawn_rate", ">", 0.95),
    Target("served_as_decided", ">", 0.95),
    Target("overhead_mean_ms", "<", 500),
    Target("agent_success", ">", 0.90),
    Target("persistence_failure_rate", "<", 0.001),
    Target("error_rate", "<", 0.01),
    Target("override_rate", "", None),
)


def build(store: Store, window: Window, groups: Iterable[str], rate: Rate | None = None, unreadable: int = 0) -> Report:
    """`rate`: the prices of models, without which savings are not known."""
    span = window.start, window.end
    facts = gather(store.events_between(*span), store.hook_errors_between(*span), store.served_between(*span))
    figures = {**total(facts), **net(facts, rate or _no_prices)}
    has_data = bool(facts.events or facts.filed)
    if not has_data:
        figures = dict.fromkeys(figures)  # that nothing was recorded does not tell that nothing was asked
    return Report(
        window,
        has_data,
        figures,
        [_check(figures, target) for target in TARGETS],
        {group: by(facts, group) for group in groups},
        ledger.alarm(store, window),
        store.bad_lines(),
        unreadable,
    )


def _no_prices(_model: str, _is_1h: bool) -> None:
    return None


def _check(figures: Figures, target: Target) -> Check:
    value = figures[target.figure]
    return Check(target.figure, value, target.relation, target.limit, _met(value, target))


def _met(value: float | None, target: Target) -> bool | None:
    if value is None or target.limit is None:
        return None
    return value > target.limit if target.relation == ">" else value < target.limit
