"""Events to facts: what was decided for each prompt, who ran, how its turn ended, what it cost.

The order of the events does not matter.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from metrics.answers import Answers
from metrics.compliance import Run, Wanted
from metrics.turns import NOT_TOLD, Decision, Key, Spawn, Switch, Turn
from state.store import Event, HookError, Served

PERSIST = "persist"
_HOOK_FAILED = "orchestration.hook.failed"
_RUN_STARTED = "orchestration.run.started"
_RUN_FINISHED = "orchestration.run.finished"
_WORKFLOW_AGENT = "WorkflowAgent"
_NO_OVERHEAD = (_HOOK_FAILED, "orchestration.state.recovered", _RUN_STARTED)


class Failure(NamedTuple):
    session: str
    event: str
    stage: str
    kind: str


class Feedback(NamedTuple):
    session: str
    verdict: str


@dataclass(slots=True)
class Facts:
    events: int = 0
    turns: dict[Key, Turn] = field(default_factory=dict)
    spawns: dict[Key, Spawn] = field(default_factory=dict)
    served: list[Served] = field(default_factory=list)
    answers: Answers = field(default_factory=Answers)
    overheads_ms: list[float] = field(default_factory=list)
    models: defaultdict[Key, set[str]] = field(default_factory=lambda: defaultdict(set))  # of each agent
    finished: set[Key] = field(default_factory=set)  # agents
    blown: set[Key] = field(default_factory=set)  # fuses: the session and the rung
    feedback: list[Feedback] = field(default_factory=list)
    logged: Counter[Failure] = field(default_factory=Counter)  # failures of hooks in session logs
    filed: Counter[Failure] = field(default_factory=Counter)  # the same in hook-errors.log

    def failures(self) -> Counter[Failure]:
        """A failure of a handler is told in both places; it is one."""
        return self.logged | self.filed


def gather(events: Iterable[Event], errors: Iterable[HookError], served: Iterable[Served] = ()) -> Facts:
    served = list(served)
    facts = Facts(served=served, answers=Answers(served))
    for event in events:
        facts.events += 1
        payload = orjson.loads(event.payload)
        _note_overhead(facts, event, payload)
        for note in _NOTES.get(event.type, ()):
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
            main_model=_maybe(payload, "main_model"),
            switch=_switch(payload.get("switch")),
            is_stepped_down=_is_told(payload, "stepped_down"),
            is_stood_in=_is_told(payload, "stood_in"),
            arm=_maybe(payload, "arm"),
        )
    )


def _switch(told: object) -> Switch | None:
    if not isinstance(told, dict):
        return None
    is_switch = told.get("switch")
    return Switch(_maybe(told, "base"), is_switch if isinstance(is_switch, bool) else None)


def _note_skipped(facts: Facts, event: Event, _payload: Mapping[str, object]) -> None:
    _turn(facts, event).skipped += 1


def _note_requested(facts: Facts, event: Event, payload: Mapping[str, object]) -> None:
    # The agents of a workflow are asked for in the name of one call: nothing tells which of them became which.
    is_apart = payload.get("tool") == _WORKFLOW_AGENT
    spawn = _spawn(facts, event, event.id if is_apart else event.entity_id)
    tier, rung = _maybe(payload, "tier"), _maybe(payload, "rung")
    spawn.is_requested = True
    spawn.rung = rung or NOT_TOLD
    spawn.wanted = Wanted(_maybe(payload, "model_set"), tier) if tier else None


def _note_launched(facts: Facts, event: Event, payload: Mapping[str, object]) -> None:
    spawn = _spawn(facts, event, event.entity_id)
    spawn.agent_id, spawn.model = _maybe(payload, "agent_id"), _maybe(payload, "model")
    agent = (event.session, spawn.agent_id or f"spawn {event.entity_id}")
    if spawn.model:
        facts.models[agent].add(spawn.model)
    if payload.get("status") == "completed":  # it ran in the foreground
        facts.finished.add(agent)
    _note_agent(facts, event, agent, payload)


def _note_started(facts: Facts, event: Event, payload: Mapping[str, object]) -> None:
    _note_agent(facts, event, (event.session, event.entity_id), payload)


def _note_agent(facts: Facts, event: Event, agent: Key, payload: Mapping[str, object]) -> None:
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


def _note_blown(facts: Facts, event: Event, payload: Mapping[str, object]) -> None:
    """Told by an event of its own, or beside what blew it."""
    rung = event.entity_id if event.entity_type == "rung" else _maybe(payload, "blown")
    if rung:
        facts.blown.add((event.session, rung))


def _note_feedback(facts: Facts, event: Event, payload: Mapping[str, object]) -> None:
    facts.feedback.append(Feedback(event.session, _word(payload, "verdict")))


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
    key = event.session, event.id if event.prompt_id is None else event.prompt_id
    return facts.turns.setdefault(key, Turn(*key))


def _spawn(facts: Facts, event: Event, call: str) -> Spawn:
    spawn = facts.spawns.setdefault((event.session, call), Spawn(event.session, call))
    spawn.prompt_id = event.prompt_id
    return spawn


def _word(payload: Mapping[str, object], name: str) -> str:
    value = payload.get(name)
    return value if isinstance(value, str) else NOT_TOLD


def _maybe(payload: Mapping[str, object], name: str) -> str | None:
    value = payload.get(name)
    return value if isinstance(value, str) and value else None


def _is_told(payload: Mapping[str, object], name: str) -> bool | None:
    return payload[name] is not None if name in payload else None


_NOTES = {
    "orchestration.prompt.decided": (_note_decided, _note_blown),
    "orchestration.prompt.skipped": (_note_skipped,),
    "orchestration.spawn.requested": (_note_requested,),
    "orchestration.spawn.launched": (_note_launched, _note_blown),
    "orchestration.rung.blown": (_note_blown,),
    "orchestration.agent.start": (_note_started,),
    "orchestration.agent.end": (_note_finished,),
    _RUN_STARTED: (_note_run_started,),
    _RUN_FINISHED: (_note_run_finished,),
    "orchestration.turn.end": (_note_turn_end,),
    "orchestration.turn.failed": (_note_turn_failed,),
    "orchestration.feedback.given": (_note_feedback,),
    _HOOK_FAILED: (_note_hook_failed,),
}
