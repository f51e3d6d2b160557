"""What is to be done: one request, as it was decided on."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from orchestrate.agents import context
from state.paths import Place
from state.snapshot import Value


class Job(NamedTuple):
    place: Place
    env: Mapping[str, str]
    settings: Mapping[str, Value]
    known: context.Known  # holds session and request
    prompt_id: str
    fingerprint: Mapping[str, object]  # hash and length of the request
    decision: dict[str, object]
    mode: str
    agent: str
    tier: str
    model: str = ""  # the user's own choice; empty: the tier's
    is_forced: bool = False  # the user named model or agent: no escalation
    check: Sequence[str] = ()  # the command that is to succeed before an answer counts
    timeout_s: float | None = None
    within_s: float | None = None  # for all attempts together
    started_ns: int = 0  # monotonic: when the decision was made
    decided_ms: float = 0.0  # from the start of the process to the decision

    @property
    def shared(self) -> str:
        """The folder of what all processes of this user share."""
        return self.place.user or self.place.state
