"""Each decision judged: by the hooks' events, and again with what the transcripts add."""

from typing import NamedTuple

from metrics.compliance import (
    FOLLOWED,
    JUDGED,
    UNKNOWN,
    Agent,
    Finding,
    Wanted,
    judge,
    judge_runs,
    judge_served,
    telling,
    tier_of,
)
from metrics.facts import Facts
from metrics.turns import ORCHESTRATION, Decision, Key, Spawn, Turn


class Ruled(NamedTuple):
    """A decision of a prompt, its turn, and how it was judged."""

    turn: Turn
    decision: Decision
    finding: Finding | None


class RuledSpawn(NamedTuple):
    spawn: Spawn
    finding: Finding | None


def decided(facts: Facts) -> list[Ruled]:
    return [
        Ruled(turn, decision, of_prompt(facts, turn, decision))
        for turn in facts.turns.values()
        for decision in turn.decisions
    ]


def requested(facts: Facts) -> list[RuledSpawn]:
    return [RuledSpawn(spawn, of_spawn(facts, spawn)) for spawn in facts.spawns.values() if spawn.is_requested]


def of_prompt(facts: Facts, turn: Turn, decision: Decision) -> Finding | None:
    """None where nothing was handed over, nor the main thread's model set."""
    if decision.is_main_set:
        return _of_main(facts, turn, decision)
    return _of_delegation(facts, turn, decision) if decision.is_delegated else None


def of_spawn(facts: Facts, spawn: Spawn) -> Finding | None:
    """None where its model was left as it was."""
    if not spawn.is_set or spawn.wanted is None:
        return None
    by_events = judge_served(spawn.wanted, [spawn.model] if spawn.model else [])
    models = facts.answers.of_call(spawn.session, spawn.call, spawn.agent_id)
    served = judge_served(spawn.wanted, models)
    return Finding(by_events, served if served in JUDGED else by_events, bool(models))


def _of_main(facts: Facts, turn: Turn, decision: Decision) -> Finding:
    """The events do not tell what served the main thread."""
    models = facts.answers.mains.get(_key(turn), set())
    if not (turn.ended or turn.failed):
        return Finding(UNKNOWN, UNKNOWN, bool(models))
    wanted = Wanted(decision.main_model, tier_of(decision.main_model) or decision.tier)
    return Finding(UNKNOWN, judge_served(wanted, models), bool(models))


def _of_delegation(facts: Facts, turn: Turn, decision: Decision) -> Finding:
    by_events = _judged(turn, decision, _by_events(facts, turn))
    if not facts.answers.told_of(_key(turn)):
        return Finding(by_events, by_events)
    return Finding(by_events, _judged(turn, decision, _with_answers(facts, turn, decision)), True)


def _judged(turn: Turn, decision: Decision, agents: list[Agent]) -> str:
    verdict = judge(decision.agent, decision.tier, agents, turn.ended or turn.failed)
    if verdict == FOLLOWED or decision.rung != ORCHESTRATION or not turn.runs:
        return verdict
    return judge_runs(decision.agent, decision.tier, turn.runs.values())


def _by_events(facts: Facts, turn: Turn) -> list[Agent]:
    return [
        Agent(kind, model)
        for agent, kinds in turn.agents.items()
        for kind in kinds
        for model in facts.models.get(agent, {None})
    ]


def _with_answers(facts: Facts, turn: Turn, decision: Decision) -> list[Agent]:
    """What served an agent is known better from the transcripts, and so are agents that no event told of."""
    key = _key(turn)
    types = {agent_id: set(kinds) for (_, agent_id), kinds in turn.agents.items()}
    for agent_id, kind in facts.answers.agents.get(key, {}).items():
        types.setdefault(agent_id, set()).update([kind] if kind else [])
    return [
        Agent(kind, model)
        for agent_id, kinds in types.items()
        for model in _models(facts, key, agent_id, decision.tier)
        for kind in kinds
    ]


def _models(facts: Facts, prompt: Key, agent_id: str, tier: str) -> list[str | None]:
    served = telling(facts.answers.of_agent(prompt, agent_id), tier)
    return [served] if tier_of(served) else list(facts.models.get((prompt[0], agent_id), [None]))


def _key(turn: Turn) -> Key:
    return turn.session, turn.prompt_id
