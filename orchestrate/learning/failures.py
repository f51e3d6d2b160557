"""Tools that failed, as the hooks and the agent runner have told it anyway."""

from collections.abc import Iterable
from typing import NamedTuple

from orchestrate.learning.events import LAUNCHED, RUN_FINISHED, TURN_FAILED, Told

# Of an agent that was launched; with any other it works, or has done its work.
_ILL = ("failed", "error", "errored", "killed", "cancelled", "aborted", "timeout", "timed_out", "interrupted")
_KIND_MOST = 80


class Failure(NamedTuple):
    session: str
    ts: str
    prompt_id: str | None
    tool: str  # turn, agent or run
    entity: str
    agent: str | None
    kind: str

    def as_line(self) -> dict[str, object]:
        return {name: value for name, value in self._asdict().items() if name != "session"}


def found(events: Iterable[Told]) -> list[Failure]:
    return [failure for told in events if (failure := _failure(told))]


def _failure(told: Told) -> Failure | None:
    if told.kind == TURN_FAILED:
        return _named(told, "turn", None, told.word("error") or "unknown")
    if told.kind == LAUNCHED:
        status = told.word("status")
        return _named(told, "agent", told.word("agent_type"), status) if status in _ILL else None
    if told.kind == RUN_FINISHED:
        outcome = told.word("outcome")
        return _named(told, "run", told.word("agent"), outcome) if outcome and outcome != "ok" else None
    return None


def _named(told: Told, tool: str, agent: str | None, kind: str) -> Failure:
    return Failure(told.session, told.ts, told.prompt_id, tool, told.entity_id, agent, kind[:_KIND_MOST])
