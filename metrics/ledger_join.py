"""What was asked for beside what served: a row for each prompt's main thread, agent, run and unheard delegation."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from metrics.compliance import bare
from metrics.ledger_facts import Asked, Prompt, Run, Spawn
from metrics.ledger_models import is_alias
from metrics.ledger_rules import AGENT, HANDOVER, MAIN, RUN, UNCLEAR, Evidence, judge
from state.store import Served

ENFORCED = ("rewrite", "mod", "orchestration")  # rungs that are to hold whatever the model does
_DIRECTIVE, _NONE = "directive", "none"
_NO_PROMPT, _NO_SPAWN = Prompt(), Spawn()


class Row(NamedTuple):
    at: str
    session: str
    prompt_id: str | None
    part: str
    agent_type: str | None
    agent_id: str | None  # of a run its own id
    tool_use_id: str | None
    rung: str
    requested: str | None  # by us; None: nothing was asked for
    resolved: str | None  # by the client
    served: tuple[str, ...]  # each model once, in the order of its first message
    messages: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    verdict: str
    kind: str | None


def rows(asked: Asked, served: Iterable[Served]) -> list[Row]:
    """By the time of the first that is known of each."""
    return sorted(_Join(asked, served).rows(), key=lambda row: (row.at, row.session, row.part, row.agent_id or ""))


class _Join:
    def __init__(self, asked: Asked, served: Iterable[Served]) -> None:
        self.asked = asked
        self.calls = {(key[0], spawn.agent_id): key for key, spawn in asked.spawns.items() if spawn.agent_id}
        self.work: defaultdict[tuple[str, str | None, str | None], list[Served]] = defaultdict(list)
        for message in sorted(served, key=lambda message: (message.ts, message.message_id)):
            self.work[message.session, message.prompt_id, message.agent_id].append(message)
        self.mains: defaultdict[str, list[Served]] = defaultdict(list)
        for (session, _, agent_id), messages in self.work.items():
            if agent_id is None:
                self.mains[session] += messages

    def rows(self) -> Iterator[Row]:
        heard = set()
        for (session, prompt_id, agent_id), messages in self.work.items():
            if agent_id is None:
                yield self._main(session, prompt_id, messages)
            else:
                call = self._call(session, messages)
                heard.add(call)
                yield self._agent(call, prompt_id, messages)
        for call, spawn in self.asked.spawns.items():
            if call not in heard and (row := self._agent(call, spawn.prompt_id, [])).requested is not None:
                yield row
        for (session, prompt_id), prompt in self.asked.prompts.items():
            if prompt.main_model and (session, prompt_id, None) not in self.work:
                yield self._main(session, prompt_id, [])
        yield from self._handovers()
        yield from map(_of_run, self.asked.runs)

    def _main(self, session: str, prompt_id: str | None, messages: list[Served]) -> Row:
        prompt = self._prompt(session, prompt_id)
        evidence = _seen(messages)._replace(part=MAIN, asked=prompt.main_model, is_over=prompt.is_over)
        evidence = self._resumed(session, messages[0].ts if messages else prompt.at, evidence)
        rung = "mod" if prompt.main_model else prompt.rung or _NONE
        return _row((session, prompt_id), rung, evidence, messages, prompt.at)

    def _resumed(self, session: str, began: str | None, evidence: Evidence) -> Evidence:
        """With what the main thread ran on before, where the client was resumed in between."""
        earlier = [message for message in self.mains[session] if message.served and began and message.ts < began]
        last = max(earlier, key=lambda message: message.ts, default=None)
        if last is None or began is None or not any(last.ts <= at <= began for at in self.asked.resumes[session]):
            return evidence
        set_before = self._prompt(session, last.prompt_id).main_model
        return evidence._replace(is_resumed=True, before=last.served, set_before=set_before)

    def _agent(self, call: tuple[str, str | None], prompt_id: str | None, messages: list[Served]) -> Row:
        session, tool_use_id = call
        spawn = self.asked.spawns.get((session, tool_use_id or ""), _NO_SPAWN)
        prompt = self._prompt(session, prompt_id)
        seen = _seen(messages)
        seen = seen._replace(agent_type=seen.agent_type or spawn.agent_type or spawn.asked_type)
        decided = self._in_workflow(session, prompt_id) if tool_use_id is None else set()
        rung, model = next(iter(decided)) if len(decided) == 1 else _asked_for(spawn, prompt, seen.agent_type or "")
        parent = _first(message.parent_agent_id for message in messages) or spawn.by_agent
        evidence = seen._replace(
            part=AGENT,
            asked=model,
            resolved=spawn.resolved or seen.resolved,
            is_over=prompt.is_over,
            is_launched=spawn.is_launched,
            is_success=spawn.is_done,
            by_definition=rung == _DIRECTIVE or (rung == "rewrite" and not is_alias(model or "")),
            call_model=spawn.call_model,
            env_model=spawn.env_model,
            env_forced=spawn.env_forced,
            env_alias=spawn.env_alias,
            parent=frozenset(_seen(self.work.get((session, prompt_id, parent), [])).served),
        )
        row = _row((session, prompt_id), rung, evidence, messages, spawn.at)
        verdict = UNCLEAR if len(decided) > 1 else row.verdict
        return row._replace(agent_id=row.agent_id or spawn.agent_id, tool_use_id=tool_use_id, verdict=verdict)

    def _in_workflow(self, session: str, prompt_id: str | None) -> set[tuple[str, str | None]]:
        """What was decided for the agents of workflows; the mod that asks need not know the prompt."""
        return self.asked.workflows[session, prompt_id or ""] | self.asked.workflows[session, ""]

    def _call(self, session: str, messages: list[Served]) -> tuple[str, str | None]:
        """That asked for the agent: as the agent's own file says, else as the hook saw it launched."""
        named = _first(message.tool_use_id for message in messages)
        if named is not None and (session, named) in self.asked.spawns:
            return session, named
        return self.calls.get((session, messages[0].agent_id or "")) or (session, named)

    def _handovers(self) -> Iterator[Row]:
        """Delegations that were said, and no agent of that name was asked for until the turn ended."""
        types = self._types()
        for key, prompt in self.asked.prompts.items():
            if prompt.rung == _DIRECTIVE and prompt.is_over and bare(prompt.agent) not in types[key]:
                has_others = bool(types[key])
                evidence = Evidence(HANDOVER, prompt.tier, is_over=True, agent_type=prompt.agent, has_others=has_others)
                yield _row(key, _DIRECTIVE, evidence, [], prompt.at)

    def _types(self) -> defaultdict[tuple[str, str], set[str]]:
        """The agents that ran or were asked for, by prompt."""
        types: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for (session, prompt_id, agent_id), messages in self.work.items():
            if agent_id is not None and prompt_id is not None:
                types[session, prompt_id] |= {bare(message.agent_type or "") for message in messages}
        for (session, _), spawn in self.asked.spawns.items():
            told = {bare(name) for name in (spawn.asked_type, spawn.agent_type) if name}
            types[session, spawn.prompt_id or ""] |= told
        return types

    def _prompt(self, session: str, prompt_id: str | None) -> Prompt:
        return self.asked.prompts.get((session, prompt_id or ""), _NO_PROMPT)


def _asked_for(spawn: Spawn, prompt: Prompt, agent_type: str) -> tuple[str, str | None]:
    """The rung that speaks for an agent, and the model it asks for. A spawn's own decision comes first."""
    if spawn.rung in ENFORCED and spawn.model_set:
        return spawn.rung, spawn.model_set
    if prompt.rung == _DIRECTIVE and prompt.tier and bare(agent_type) == bare(prompt.agent):
        return _DIRECTIVE, prompt.tier
    return _NONE, None


def _seen(messages: list[Served]) -> Evidence:
    """What the messages themselves tell."""
    real = [message for message in messages if message.served is not None]
    requested = tuple(message.requested or "" for message in real)
    return Evidence(
        part="",
        served=tuple(message.served or "" for message in real),
        requested=requested,
        synthetic=len(messages) - len(real),
        resolved=_first(requested),
        agent_type=_first(message.agent_type for message in messages),
        spawn_model=_first(message.spawn_model for message in messages),
        fallback_from=_first(message.fallback_from for message in messages),
        after_error=tuple(message.served or "" for message in real if message.after_error),
    )


def _of_run(run: Run) -> Row:
    served = (run.served,) if run.served else ()
    evidence = Evidence(RUN, run.requested, served, is_over=True, is_success=run.is_ok, agent_type=run.agent)
    row = _row((run.session, run.prompt_id), "orchestration", evidence, [], run.at)
    tokens = row._replace(
        input_tokens=run.tokens[0],
        output_tokens=run.tokens[1],
        cache_read_tokens=run.tokens[2],
        cache_write_tokens=run.tokens[3],
    )
    return tokens._replace(agent_id=run.id)


def _row(key: tuple[str, str | None], rung: str, evidence: Evidence, messages: list[Served], at: str | None) -> Row:
    """`at`: its time where no message tells."""
    judged = judge(evidence)
    return Row(
        at=messages[0].ts if messages else at or "",
        session=key[0],
        prompt_id=key[1],
        part=evidence.part,
        agent_type=evidence.agent_type,
        agent_id=messages[0].agent_id if messages else None,
        tool_use_id=None,
        rung=rung,
        requested=evidence.asked,
        resolved=evidence.resolved,
        served=tuple(dict.fromkeys(evidence.served)),
        messages=len(evidence.served),
        input_tokens=sum(message.input_tokens for message in messages),
        output_tokens=sum(message.output_tokens for message in messages),
        cache_read_tokens=sum(message.cache_read_tokens for message in messages),
        cache_write_tokens=sum(message.cache_write_tokens for message in messages),
        verdict=judged.verdict,
        kind=judged.kind,
    )


def _first(values: Iterable[str | None]) -> str | None:
    return next(filter(None, values), None)
