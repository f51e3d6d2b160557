"""Did the agent that was asked for do the work? Joined by prompt, never by time."""

from collections.abc import Iterable
from typing import NamedTuple

FOLLOWED = "followed"
IGNORED = "ignored"
UNKNOWN = "unknown"
_TIERS = ("haiku", "sonnet", "opus")


class Agent(NamedTuple):
    """An agent that ran for a prompt, and the model it was given; None where nothing told."""

    type: str
    model: str | None


class Run(NamedTuple):
    """A run of ours: the agent that ran, and the model that answered in the end; None where none did."""

    agent: str
    model: str | None
    is_ok: bool | None  # None: it has not ended


def judge(agent: str, tier: str, agents: Iterable[Agent], ended: bool) -> str:
    """`agent` and `tier` as decided; `agents` that ran for the prompt; `ended`: its turn has ended."""
    tiers = {tier_of(ran.model) for ran in agents if bare(ran.type) == bare(agent)}
    if tier in tiers:
        return FOLLOWED
    return UNKNOWN if not ended or None in tiers else IGNORED


def judge_runs(agent: str, tier: str, runs: Iterable[Run]) -> str:
    """The same where we ran the agent ourselves. What failed on the right tier was neither followed nor ignored."""
    verdicts = {_of_run(agent, tier, run) for run in runs}
    return next((verdict for verdict in (FOLLOWED, UNKNOWN, IGNORED) if verdict in verdicts), UNKNOWN)


def _of_run(agent: str, tier: str, run: Run) -> str:
    served = tier_of(run.model)
    if served is None:
        return UNKNOWN
    if bare(run.agent) != bare(agent) or served != tier:
        return IGNORED
    return FOLLOWED if run.is_ok else UNKNOWN


def tier_of(model: str | None) -> str | None:
    """None also for a model whose id does not tell, as behind a gateway."""
    return next((tier for tier in _TIERS if model and tier in model), None)


def bare(agent_type: str) -> str:
    """Without the `plugin:` before it."""
    return agent_type.rpartition(":")[2]
