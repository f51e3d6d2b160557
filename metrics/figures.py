"""Facts to figures. A share of nothing is None, never 0."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import ceil

from metrics.compliance import FOLLOWED, IGNORED, UNKNOWN, bare
from metrics.facts import ESCALATE, PERSIST, STAY, Decision, Facts, Turn

Figures = dict[str, int | float | None]
Decided = tuple[Turn, Decision]
GROUPS: dict[str, Callable[[Decision], str]] = {
    "mode": lambda decision: decision.mode,
    "agent": lambda decision: bare(decision.agent),
    "rung": lambda decision: decision.rung,
    "context": lambda decision: decision.context,
}


def total(facts: Facts) -> Figures:
    """Every figure of the period."""
    turns = list(facts.turns.values())
    return {
        **_of_decisions(facts, _decided(facts), turns),
        "skipped": sum(turn.skipped for turn in turns),
        **_latency("event_overhead", facts.overheads_ms),
        **_of_failures(facts),
    }


def by(facts: Facts, group: str) -> dict[str, Figures]:
    """The figures that a decision's mode, agent, rung or context can have, by its name."""
    groups: dict[str, list[Decided]] = {}
    for turn, decision in _decided(facts):
        groups.setdefault(GROUPS[group](decision), []).append((turn, decision))
    return {name: _of_decisions(facts, pairs, _distinct(pairs)) for name, pairs in sorted(groups.items())}


def percentile(values: Sequence[float], percent: int) -> float | None:
    """Nearest rank, of sorted values: always one that was measured."""
    return values[max(0, ceil(len(values) * percent / 100) - 1)] if values else None


def _decided(facts: Facts) -> list[Decided]:
    return [(turn, decision) for turn in facts.turns.values() for decision in turn.decisions]


def _distinct(pairs: Iterable[Decided]) -> list[Turn]:
    return list({id(turn): turn for turn, _ in pairs}.values())


def _of_decisions(facts: Facts, pairs: Sequence[Decided], turns: Sequence[Turn]) -> Figures:
    verdicts = Counter(facts.verdict(turn, decision) for turn, decision in pairs)
    decisions = [decision for _, decision in pairs]
    delegations = sum(decision.is_delegated for decision in decisions)
    overrides = sum(decision.override for decision in decisions)
    judged = verdicts[FOLLOWED] + verdicts[IGNORED]
    prompts = [turn for turn in turns if turn.decisions]  # a notification is a cheap turn that nobody waits for
    return {
        "decisions": len(decisions),
        "delegations": delegations,
        "followed": verdicts[FOLLOWED],
        "ignored": verdicts[IGNORED],
        "unknown": verdicts[UNKNOWN],
        "rate": _share(verdicts[FOLLOWED], judged),
        "coverage": _share(judged, delegations),
        "stays": sum(decision.action == STAY for decision in decisions),
        "escalations": sum(decision.decision == ESCALATE for decision in decisions),
        "abstains": sum(decision.abstained for decision in decisions),
        "overrides": overrides,
        "override_rate": _share(overrides, len(decisions)),
        "degraded": sum(decision.degraded is not None for decision in decisions),
        **_of_agents(facts, turns),
        **_latency("overhead", [sum(turn.overheads_ms) for turn in prompts if turn.overheads_ms]),
    }


def _of_agents(facts: Facts, turns: Iterable[Turn]) -> Figures:
    """An agent has failed when its turn ended in an API error before the agent had ended; a run of ours says so."""
    turns = list(turns)
    ran = [(turn, agent in facts.finished) for turn in turns for agent in turn.agents]
    runs = Counter(run.is_ok for turn in turns for run in turn.runs.values())
    finished = sum(done for _, done in ran) + runs[True]
    failed = sum(turn.failed and not done for turn, done in ran) + runs[False]
    return {
        "agents_finished": finished,
        "agents_failed": failed,
        "agents_unknown": len(ran) + runs.total() - finished - failed,
        "agent_success": _share(finished, finished + failed),
    }


def _of_failures(facts: Facts) -> Figures:
    failures = facts.failures()
    errors = failures.total()
    lost = sum(count for failure, count in failures.items() if failure.stage == PERSIST)
    attempts = facts.events + errors - facts.logged.total()  # what was recorded, and what failed instead
    return {
        "events": facts.events,
        "errors": errors,
        "error_rate": _share(errors, attempts),
        "persistence_failures": lost,
        "persistence_failure_rate": _share(lost, attempts),
    }


def _latency(name: str, values_ms: Iterable[float]) -> Figures:
    values = sorted(values_ms)
    mean = sum(values) / len(values) if values else None
    figures = {"mean": mean, **{f"p{percent}": percentile(values, percent) for percent in (50, 95, 99)}}
    return {f"{name}_{key}_ms": None if value is None else round(value, 3) for key, value in figures.items()}


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None
