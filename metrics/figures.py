"""Facts to figures. A share of nothing is None, never 0."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import ceil

from metrics.compliance import FOLLOWED, IGNORED, UNKNOWN, Finding, bare
from metrics.facts import PERSIST, Facts
from metrics.findings import Ruled, RuledSpawn, decided, requested
from metrics.turns import ESCALATE, NOT_TOLD, STAY, Decision, Turn

Figures = dict[str, int | float | None]
RUNG = "rung"
GROUPS: dict[str, Callable[[Decision], str]] = {
    "mode": lambda decision: decision.mode,
    "agent": lambda decision: bare(decision.agent),
    RUNG: lambda decision: decision.rung,
    "context": lambda decision: decision.context,
}


def total(facts: Facts) -> Figures:
    """Every figure of the period. `rate` is that of delegations: main threads and spawns have figures of their own."""
    turns = list(facts.turns.values())
    ruled, spawns = decided(facts), requested(facts)
    mains = [one.finding for one in ruled if one.finding and one.decision.is_main_set]
    set_spawns = [one.finding for one in spawns if one.finding]
    return {
        **_of_decisions(
            facts, ruled, [one.finding for one in ruled if one.finding and one.decision.is_delegated], turns
        ),
        "mains": len(mains),
        **_verdicts(mains, "main_"),
        "spawns": len(spawns),
        "spawns_set": len(set_spawns),
        **_verdicts(set_spawns, "spawn_"),
        **_of_both([one.finding for one in ruled if one.finding] + set_spawns),
        **_of_enforcement(facts, [one.decision for one in ruled]),
        "skipped": sum(turn.skipped for turn in turns),
        **_latency("event_overhead", facts.overheads_ms),
        **_of_failures(facts),
    }


def by(facts: Facts, group: str) -> dict[str, Figures]:
    """The figures of a decision's mode, agent, rung or context, by its name.

    What the main thread was set to has rows of its own, and so have spawns by mode and by rung.
    """
    groups: dict[str, list[Ruled]] = {}
    for one in decided(facts):
        name = GROUPS[group](one.decision)
        is_apart = one.decision.is_main_set and group != RUNG  # that rung is the main thread's alone
        groups.setdefault(f"main {name}" if is_apart else name, []).append(one)
    rows = {name: _row(facts, ruled) for name, ruled in sorted(groups.items())}
    if group in _SPAWN_GROUPS:
        rows |= _spawn_rows(facts, _SPAWN_GROUPS[group])
    return rows


def percentile(values: Sequence[float], percent: int) -> float | None:
    """Nearest rank, of sorted values: always one that was measured."""
    return values[max(0, ceil(len(values) * percent / 100) - 1)] if values else None


def _row(facts: Facts, ruled: Sequence[Ruled]) -> Figures:
    turns = list({id(one.turn): one.turn for one in ruled}.values())
    return _of_decisions(facts, ruled, [one.finding for one in ruled if one.finding], turns)


def _spawn_rows(facts: Facts, name_of: Callable[[Facts, RuledSpawn], str]) -> dict[str, Figures]:
    """Of a spawn only its compliance is known: the rest is its prompt's."""
    groups: dict[str, list[RuledSpawn]] = {}
    for one in requested(facts):
        groups.setdefault(f"spawn {name_of(facts, one)}", []).append(one)
    nothing: Figures = dict.fromkeys(_row(facts, []))
    return {
        name: {**nothing, "decisions": len(spawns), **_compliance([one.finding for one in spawns if one.finding])}
        for name, spawns in sorted(groups.items())
    }


def _mode_of(facts: Facts, one: RuledSpawn) -> str:
    """That of its prompt."""
    turn = facts.turns.get((one.spawn.session, one.spawn.prompt_id or ""))
    return min((decision.mode for decision in turn.decisions), default=NOT_TOLD) if turn else NOT_TOLD


_SPAWN_GROUPS: dict[str, Callable[[Facts, RuledSpawn], str]] = {"mode": _mode_of, RUNG: lambda _, one: one.spawn.rung}


def _of_decisions(facts: Facts, ruled: Sequence[Ruled], judged: Sequence[Finding], turns: Sequence[Turn]) -> Figures:
    decisions = [one.decision for one in ruled]
    overrides = sum(decision.override for decision in decisions)
    prompts = [turn for turn in turns if turn.decisions]  # a notification is a cheap turn that nobody waits for
    return {
        "decisions": len(decisions),
        **_compliance(judged),
        "stays": sum(decision.action == STAY for decision in decisions),
        "escalations": sum(decision.decision == ESCALATE for decision in decisions),
        "abstains": sum(decision.abstained for decision in decisions),
        "overrides": overrides,
        "override_rate": _share(overrides, len(decisions)),
        "degraded": sum(decision.degraded is not None for decision in decisions),
        **_of_agents(facts, turns),
        **_latency("overhead", [sum(turn.overheads_ms) for turn in prompts if turn.overheads_ms]),
    }


def _compliance(judged: Sequence[Finding]) -> Figures:
    return {"delegations": len(judged), **_verdicts(judged)}


def _verdicts(judged: Sequence[Finding], prefix: str = "") -> Figures:
    verdicts = Counter(finding.verdict for finding in judged)
    known = verdicts[FOLLOWED] + verdicts[IGNORED]
    return {
        **{f"{prefix}{verdict}": verdicts[verdict] for verdict in (FOLLOWED, IGNORED, UNKNOWN)},
        f"{prefix}rate": _share(verdicts[FOLLOWED], known),
        f"{prefix}coverage": _share(known, len(judged)),
    }


def _of_both(judged: Sequence[Finding]) -> Figures:
    """Of all that was put into effect, and what the two sources say of the same."""
    verdicts = _verdicts(judged)
    compared = sum(finding.is_compared for finding in judged)
    return {
        "served_as_decided": verdicts["rate"],
        "served_coverage": verdicts["coverage"],
        "compared": compared,
        "disagreements": sum(finding.is_contradicted for finding in judged) if compared else None,
    }


def _of_enforcement(facts: Facts, decisions: Sequence[Decision]) -> Figures:
    """None where no record tells, as those of an older version."""
    switches = [decision.switch.is_switch for decision in decisions if decision.switch]
    step_downs = _count(decision.is_stepped_down for decision in decisions)
    return {
        "step_downs": step_downs,
        "stand_ins": _count(decision.is_stood_in for decision in decisions),
        "blown_fuses": None if step_downs is None and not facts.blown else len(facts.blown),
        "main_switches": _count(switches),
    }


def _count(told: Iterable[bool | None]) -> int | None:
    known = [one for one in told if one is not None]
    return sum(known) if known else None


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
