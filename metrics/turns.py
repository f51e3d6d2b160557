"""What is known of one prompt: what was decided, who ran, which spawns it asked for, how it ended."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from metrics.compliance import Run, Wanted

DELEGATE = "delegate"
STAY = "stay"
ESCALATE = "escalate"
SILENT = "none"  # the rung of a decision that was recorded only
MOD = "mod"  # of a prompt: the main thread's model was set for it
REWRITE = "rewrite"
ORCHESTRATION = "orchestration"  # the rung of a decision that we carry out ourselves
NOT_TOLD = "not told"
Key = tuple[str, str]  # the session and an id that is unique in it


class Switch(NamedTuple):
    """What was weighed before the main thread's model was set; None where it was not told."""

    base: str | None  # the user's own choice
    is_switch: bool | None


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
    main_model: str | None = None  # that the main thread was to run on
    switch: Switch | None = None
    is_stepped_down: bool | None = None  # None: not told, as by an older version; likewise below
    is_stood_in: bool | None = None
    arm: str | None = None

    @property
    def is_delegated(self) -> bool:
        """Handed over in fact: with enforcement off nobody was told, so nobody can follow or ignore it."""
        return self.rung == ORCHESTRATION or (self.action == DELEGATE and self.rung not in (SILENT, MOD))

    @property
    def is_main_set(self) -> bool:
        return self.rung == MOD

    @property
    def is_acted_on(self) -> bool:
        return self.is_delegated or self.is_main_set


@dataclass(slots=True)
class Spawn:
    """An agent that was asked for: what was decided for it, and what the client launched."""

    session: str
    call: str  # the id of the tool's call, or of the event where a call is for several agents
    prompt_id: str | None = None
    is_requested: bool = False
    rung: str = NOT_TOLD
    wanted: Wanted | None = None
    agent_id: str | None = None
    model: str | None = None

    @property
    def is_set(self) -> bool:
        return self.is_requested and self.rung in (REWRITE, MOD) and self.wanted is not None


@dataclass(slots=True)
class Turn:
    """What carries one prompt id in one session."""

    session: str
    prompt_id: str  # where the client told none, an id that nothing joins
    decisions: list[Decision] = field(default_factory=list)
    skipped: int = 0
    agents: defaultdict[Key, set[str]] = field(default_factory=lambda: defaultdict(set))  # the types told of each
    runs: dict[str, Run] = field(default_factory=dict)  # by id
    ended: bool = False
    failed: bool = False
    overheads_ms: list[float] = field(default_factory=list)
