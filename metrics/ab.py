"""An experiment's arms side by side: each figure with its interval, against the directive arm and against its goal."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from metrics.ab_measures import COMPLIANCE, GOALS, MEASURES, Goal
from metrics.ab_sessions import Assigned, Price, Session, gather
from metrics.ab_statistics import Estimate, difference
from metrics.days import Window
from metrics.facts import gather as gather_facts
from state.store import Store

BASE = "directive"  # the arm that the others are held against
ARMS = (BASE, "subagents", "session", "orchestration")
WIDEST = 0.2  # an interval of compliance that is wider says too little of an arm


class Found(NamedTuple):
    """`against`: the difference to the directive arm. `met` is None while the interval holds the limit."""

    estimate: Estimate | None
    against: Estimate | None
    met: bool | None


class Arm(NamedTuple):
    sessions: int
    prompts: int
    rungs: dict[str, int]
    found: dict[str, Found]

    @property
    def is_enough(self) -> bool:
        compliance = self.found[COMPLIANCE].estimate
        return compliance is not None and compliance.width is not None and compliance.width <= WIDEST


class Comparison(NamedTuple):
    window: Window
    arms: dict[str, Arm]
    left_out: int
    utilisation: dict[str, float | None]  # of the account's limits, whatever the arm


def build(
    store: Store, window: Window, price: Price | None = None, utilisation: Mapping[str, float | None] | None = None
) -> Comparison:
    """Logs and transcripts have to be read before. `price`: what a message weighs in the account's limit."""
    span = window.start, window.end
    facts = gather_facts(store.events_between(*span), [], store.served_between(*span))
    return compare(window, gather(facts, price), utilisation or {})


def compare(window: Window, assigned: Assigned, utilisation: Mapping[str, float | None]) -> Comparison:
    known = {arm: _estimates(sessions) for arm, sessions in assigned.arms.items()}
    base = known.get(BASE, {})
    names = sorted(known, key=lambda arm: (ARMS.index(arm) if arm in ARMS else len(ARMS), arm))
    arms = {arm: _arm(assigned.arms[arm], known[arm], base if arm != BASE else {}) for arm in names}
    return Comparison(window, arms, assigned.left_out, dict(utilisation))


def _estimates(sessions: list[Session]) -> dict[str, Estimate | None]:
    return {name: measure.estimate([measure.of(session) for session in sessions]) for name, measure in MEASURES.items()}


def _arm(sessions: list[Session], known: Mapping[str, Estimate | None], base: Mapping[str, Estimate | None]) -> Arm:
    rungs = Counter(prompt.rung for session in sessions for prompt in session.prompts)
    found = {name: _found(name, estimate, base.get(name)) for name, estimate in known.items()}
    return Arm(len(sessions), rungs.total(), dict(sorted(rungs.items())), found)


def _found(name: str, estimate: Estimate | None, base: Estimate | None) -> Found:
    against = difference(estimate, base) if estimate and base else None
    goal = GOALS.get(name)
    judged = against if goal and goal.is_against_base else estimate
    return Found(estimate, against, _met(goal, judged) if goal and judged else None)


def _met(goal: Goal, found: Estimate) -> bool | None:
    """Only where the whole interval lies on one side of the limit."""
    if found.low is None or found.high is None:
        return None
    ends = (found.low, found.high) if goal.relation.startswith(">") else (-found.high, -found.low)
    limit = goal.limit if goal.relation.startswith(">") else -goal.limit
    is_met = ends[0] >= limit if goal.relation.endswith("=") else ends[0] > limit
    is_missed = ends[1] < limit if goal.relation.endswith("=") else ends[1] <= limit
    return True if is_met else False if is_missed else None
