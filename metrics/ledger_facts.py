"""Events to what was asked for: by prompt, by spawn, by run. The order of the events does not matter."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from state.store import Event

_Key = tuple[str, str]  # the session and an id that is unique in it


@dataclass(slots=True)
class Prompt:
    at: str | None = None  # when it was decided; None: it was not
    rung: str = ""
    action: str = ""
    agent: str = ""
    tier: str = ""
    main_model: str | None = None
    is_over: bool = False


@dataclass(slots=True)
class Spawn:
    """A call for an agent: as it was asked for, and as the client launched it."""

    at: str = ""
    prompt_id: str | None = None
    rung: str = "none"
    model_set: str | None = None
    asked_type: str | None = None
    call_model: str | None = None
    by_agent: str | None = None
    env_model: str | None = None
    env_forced: bool = False
    env_alias: str | None = None
    is_launched: bool = False
    is_done: bool = False
    agent_id: str | None = None
    agent_type: str | None = None
    resolved: str | None = None


class Run(NamedTuple):
    at: str
    session: str
    id: str
    prompt_id: str | None
    agent: str | None
    requested: str | None
    served: str | None
    is_ok: bool
    tokens: tuple[int, int, int, int]  # in, out, cache read, cache written


@dataclass(slots=True)
class Asked:
    """`workflows`: what was decided for the agents of a prompt's workflows; nothing tells which is whose."""

    prompts: defaultdict[_Key, Prompt] = field(default_factory=lambda: defaultdict(Prompt))
    spawns: defaultdict[_Key, Spawn] = field(default_factory=lambda: defaultdict(Spawn))
    runs: list[Run] = field(default_factory=list)
    workflows: defaultdict[_Key, set[tuple[str, str | None]]] = field(default_factory=lambda: defaultdict(set))
    resumes: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))  # when, by session


def gather(events: Iterable[Event]) -> Asked:
    asked = Asked()
    for event in events:
        if note := _NOTES.get(event.type):
            note(asked, event, orjson.loads(event.payload))
    return asked


def _note_decided(asked: Asked, event: Event, payload: Mapping[str, object]) -> None:
    """Of a prompt that was decided twice, the last decision was acted on."""
    if event.prompt_id is None:
        return
    prompt = asked.prompts[event.session, event.prompt_id]
    if prompt.at is None or event.ts >= prompt.at:
        prompt.at, prompt.main_model = event.ts, _text(payload, "main_model")
        prompt.rung, prompt.action = _text(payload, "rung") or "", _text(payload, "action") or ""
        prompt.agent, prompt.tier = _text(payload, "agent") or "", _text(payload, "tier") or ""


def _note_over(asked: Asked, event: Event, _payload: Mapping[str, object]) -> None:
    if event.prompt_id is not None:
        asked.prompts[event.session, event.prompt_id].is_over = True


def _note_requested(asked: Asked, event: Event, payload: Mapping[str, object]) -> None:
    if payload.get("tool") == "WorkflowAgent":
        decided = _text(payload, "rung") or "none", _text(payload, "model_set")
        asked.workflows[event.session, event.prompt_id or ""].add(decided)
        return
    for agent in _records(payload, "agents"):
        rung = _text(payload, "rung") if agent.get("model_set") else None
        asked.workflows[event.session, event.prompt_id or ""].add((rung or "none", _text(agent, "model_set")))
    spawn = _spawn(asked, event)
    spawn.rung, spawn.model_set = _text(payload, "rung") or "none", _text(payload, "model_set")
    spawn.asked_type, spawn.call_model = _text(payload, "agent_type"), _text(payload, "model")
    spawn.by_agent = _text(payload, "by_agent")
    spawn.env_model, spawn.env_forced = _text(payload, "env_model"), payload.get("env_forced") is True
    spawn.env_alias = _text(payload, "env_alias")


def _note_launched(asked: Asked, event: Event, payload: Mapping[str, object]) -> None:
    spawn = _spawn(asked, event)
    spawn.is_launched, spawn.is_done = True, payload.get("status") == "completed"
    spawn.agent_id, spawn.agent_type = _text(payload, "agent_id"), _text(payload, "agent_type")
    spawn.resolved = _text(payload, "model")


def _spawn(asked: Asked, event: Event) -> Spawn:
    spawn = asked.spawns[event.session, event.entity_id]
    spawn.prompt_id = event.prompt_id
    spawn.at = min(filter(None, (spawn.at, event.ts)))
    return spawn


def _note_run(asked: Asked, event: Event, payload: Mapping[str, object]) -> None:
    usage = payload.get("usage")
    models = [model for model in usage.values() if isinstance(model, dict)] if isinstance(usage, dict) else []
    asked.runs.append(
        Run(
            at=event.ts,
            session=event.session,
            id=event.entity_id,
            prompt_id=event.prompt_id,
            agent=_text(payload, "agent"),
            requested=_text(payload, "model_requested"),
            served=_text(payload, "model_served"),
            is_ok=payload.get("outcome") == "ok",
            tokens=(
                _sum(models, "input_tokens"),
                _sum(models, "output_tokens"),
                _sum(models, "cache_read_tokens"),
                _sum(models, "cache_write_tokens"),
            ),
        )
    )


def _note_session(asked: Asked, event: Event, payload: Mapping[str, object]) -> None:
    if payload.get("source") == "resume":
        asked.resumes[event.session].append(event.ts)


def _sum(models: Iterable[Mapping[str, object]], name: str) -> int:
    return sum(value for model in models if isinstance(value := model.get(name), int))


def _records(payload: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    value = payload.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(payload: Mapping[str, object], name: str) -> str | None:
    value = payload.get(name)
    return value if isinstance(value, str) and value else None


_NOTES = {
    "orchestration.prompt.decided": _note_decided,
    "orchestration.turn.end": _note_over,
    "orchestration.turn.failed": _note_over,
    "orchestration.spawn.requested": _note_requested,
    "orchestration.spawn.launched": _note_launched,
    "orchestration.run.finished": _note_run,
    "orchestration.session.start": _note_session,
}
