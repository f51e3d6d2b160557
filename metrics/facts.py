"""Events to facts: what was decided for each prompt, who ran, how its turn ended, what it cost.

The order of the events does not matter.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from metrics.compliance import FOLLOWED, Agent, Run, judge, judge_runs
from state.store import Event, HookError

DELEGATE = "delegate"
SILENT = "none"  # the rung of a decision that was recorded only
ORCHESTRATION = "orchestration"  # the rung of a decision that we carry out ourselves
STAY = "stay"
ESCALATE = "escalate"
PERSIST = "persist"
NOT_TOLD = "not told"
_HOOK_FAILED = "orchestration.hook.failed"
_RUN_STARTED = "orchestration.run.started"
_RUN_FINISHED = "orchestration.run.finished"
_NO_OVERHEAD = (_HOOK_FAILED, "orchestration.state.recovered", _RUN_STARTED)
_Key = tuple[str, str]  # the session and an id that is unique in it


class Decision(NamedTuple):
    mode: str
    context: str
    action: str
    decision: str
    agent: str
    tier: str
    rung: str
    degraded: str | None
    abstained: bool
    override: bool

    @property
    def is_delegated(self) -> bool:
        """Handed over in fact: with enforcement off nobody was told, so nobody can follow or ignore it."""
        return self.rung == ORCHESTRATION or (self.action == DELEGATE and self.rung != SILENT)


class Failure(NamedTuple):
    session: str
    event: str
    stage: str
    kind: str


@dataclass(slots=True)
class Turn:
    """What carries one prompt id in one session."""

    decisions: list[Decision] = field(default_factory=list)
    skipped: int = 0
    agents: defaultdict[_Key, set[str]] = field(default_factory=lambda: defaultdict(set))  # the types told of each
    runs: dict[str, Run] = field(default_factory=dict)  # by id
    ended: bool = False
    failed: bool = False
    overheads_ms: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Facts:
    events: int = 0
    turns: defaultdict[_Key, Turn] = field(default_factory=lambda: defaultdict(Turn))
    overheads_ms: list[float] = field(default_factory=list)
    models: defaultdict[_Key, set[str]] = field(default_factory=lambda: defaultdict(set))  # of each agent
    finished: set[_Key] = field(default_factory=set)  # agents
    logged: Counter[Failure] = field(default_factory=Counter)  # failures of hooks in session logs
    filed: Counter[Failure] = field(default_factory=Counter)  # the same in hook-errors.log

    def verdict(self, turn: Turn, decision: Decision) -> str | None:
        """None where nothing was delegated."""
        if not decision.is_delegated:
            return None
        ran = [
            Agent(kind, model)
            for agent, kinds in turn.agents.items()
            for kind in kinds
            for model in self.models.get(agent, {None})
        ]
        verdict = judge(decision.agent, decision.tier, ran, turn.ended or turn.failed)
        if verdict == FOLLOWED or decision.rung != ORCHESTRATION or not turn.runs:
            return verdict
        return judge_runs(decision.agent, decision.tier, turn.runs.values())

    def failures(self) -> Counter[Failure]:
        """A failure of a handler is told in both places; it is one."""
        return self.logged | self.filed


def gather(events: Iterable[Event], errors: Iterable[HookError]) -> Facts:
    facts = Facts()
    for event in events:
        facts.events += 1
        payload = orjson.loads(event.payload)
        _note_overhead(facts, event, payload)
        if note := _NOTES.get(event.type):
            note(facts, event, payload)
    facts.filed.update(Failure(error.session, error.event, error.stage, error.kind) for error in errors)
    return facts


def _note_overhead(facts: Facts, event: Event, payload: Mapping[str, object]) -> None:
    overhead_ms = payload.get("overhead_ms")
    if event.type in _NO_OVERHEAD or isinstance(overhead_ms, bool) or not isinstance(overhead_ms, int | float):
        return
    if event.type != _RUN_FINISHED:  # what a run took of ours belongs to its prompt, and is no hook call
        facts.overheads_ms.append(overhead_ms)
    if event.prompt_id is not None:
        _turn(facts, event).overheads_ms.append(overhead_ms)


def _note_decided(facts: Facts, event: Event, payload: Mapping[str, object]) -> None:
    degraded = payload.get("degraded")
    _turn(facts, event).decisions.append(
        Decision(
            **{
                name: _word(payload, name)
                for name in ("mode", "context", "action", "decision", "agent", "tier", "rung")
            },
            degraded=degraded if isinstance(degraded, str) else None,
            abstained=payload.get("abstained") is True,
            override=payload.get("override") is True,
        )
    )


def _note_skipped(facts: Facts, event: Event, _payload: Mapping[str, object]) -> None:
    _turn(facts, event).skipped += 1


def _note_launched(facts: Facts, event: Event, payload: Mapping[str, object]) -> None:
    agent_id, model = payload.get("agent_id"), payload.get("model")
    agent = (event.session, agent_id if isinstance(agent_id, str) else f"spawn {event.entity_id}")
    if isinstance(model, str) and model:
        facts.models[agent].add(model)
    if payload.get("status") == "completed":  # it ran in the foreground
        facts.finished.add(agent)
    _note_agent(facts, event, agent, payload)


def _note_started(facts: Facts, event: Event, payload: Mapping[str, object]) -> None:
    _note_agent(facts, event, (event.session, event.entity_id), payload)


def _note_agent(facts: Facts, event: Event, agent: _Key, payload: Mapping[str, object]) -> None:
    if event.prompt_id is not None:
        _turn(facts, event).agents[agent].add(_word(payload, "agent_type"))


def _note_finished(facts: Facts, event: Event, _payload: Mapping[str, object]) -> None:
    facts.finished.add((event.session, event.entity_id))


def _note_run_started(facts: Facts, event: Event, payload: Mapping[str, object]) -> None:
    _turn(facts, event).runs.setdefault(event.entity_id, Run(_word(payload, "agent"), None, None))


def _note_run_finished(facts: Facts, event: Event, payload: Mapping[str, object]) -> None:
    model, is_ok = payload.get("model_served"), payload.get("outcome") == "ok"
    served = model if isinstance(model, str) else None
    _turn(facts, event).runs[event.entity_id] = Run(_word(payload, "agent"), served, is_ok)


def _note_turn_end(facts: Facts, event: Event, _payload: Mapping[str, object]) -> None:
    if event.prompt_id is not None:
        _turn(facts, event).ended = True


def _note_turn_failed(facts: Facts, event: Event, _payload: Mapping[str, object]) -> None:
    if event.prompt_id is not None:
        _turn(facts, event).failed = True


def _note_hook_failed(facts: Facts, event: Event, payload: Mapping[str, object]) -> None:
    kind = _word(payload, "error").partition(":")[0][:80]
    facts.logged[Failure(event.session, event.entity_id, _word(payload, "where"), kind)] += 1


def _turn(facts: Facts, event: Event) -> Turn:
    """A prompt without an id, as older clients send it, is a turn of its own that nothing can join."""
    return facts.turns[event.session, event.id if event.prompt_id is None else event.prompt_id]


def _word(payload: Mapping[str, object], name: str) -> str:
    value = payload.get(name)
    return value if isinstance(value, str) else NOT_TOLD


_NOTES = {
    "orchestration.prompt.decided": _note_decided,
    "orchestration.prompt.skipped": _note_skipped,
    "orchestration.spawn.launched": _note_launched,
    "orchestration.agent.start": _note_started,
    "orchestration.agent.end": _note_finished,
    _RUN_STARTED: _note_run_started,
    _RUN_FINISHED: _note_run_finished,
    "orchestration.turn.end": _note_turn_end,
    "orchestration.turn.failed": _note_turn_failed,
    _HOOK_FAILED: _note_hook_failed,
}
