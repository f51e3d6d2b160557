"""Did the agent that was asked for do the work? Joined by prompt, never by time."""

from collections.abc import Iterable
from typing import NamedTuple

from metrics import ledger_models

FOLLOWED = "followed"
IGNORED = "ignored"
UNKNOWN = "unknown"
JUDGED = (FOLLOWED, IGNORED)


class Agent(NamedTuple):
    """An agent that ran for a prompt, and the model it was given; None where nothing told."""

    type: str
    model: str | None


class Run(NamedTuple):
    """A run of ours: the agent that ran, and the model that answered in the end; None where none did."""

    agent: str
    model: str | None
    is_ok: bool | None  # None: it has not ended


class Wanted(NamedTuple):
    """What a rung set: an alias or an id, and its tier."""

    model: str | None
    tier: str

    def is_met_by(self, model: str) -> bool | None:
        """None where an id does not tell its tier. Another version of the same tier will do."""
        if model == self.model:
            return True
        tier = tier_of(model)
        return None if tier is None else tier == self.tier


class Finding(NamedTuple):
    """One decision by the hooks' events, and by what the transcripts add to them: these count where the two differ."""

    by_events: str
    verdict: str
    is_in_transcripts: bool = False  # they tell something of it

    @property
    def is_compared(self) -> bool:
        return self.is_in_transcripts and self.by_events in JUDGED and self.verdict in JUDGED

    @property
    def is_contradicted(self) -> bool:
        return self.is_compared and self.by_events != self.verdict


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


def judge_served(wanted: Wanted, models: Iterable[str]) -> str:
    """Every message counts: what one other model served was not served as decided."""
    met = {wanted.is_met_by(model) for model in models}
    if False in met:
        return IGNORED
    return FOLLOWED if met == {True} else UNKNOWN


def telling(models: Iterable[str], tier: str) -> str | None:
    """Of all that served one agent, the model that tells whether it was of this tier throughout."""
    found = sorted(models, key=lambda model: (tier_of(model) == tier, tier_of(model) is None))
    return found[0] if found else None


def _of_run(agent: str, tier: str, run: Run) -> str:
    served = tier_of(run.model)
    if served is None:
        return UNKNOWN
    if bare(run.agent) != bare(agent) or served != tier:
        return IGNORED
    return FOLLOWED if run.is_ok else UNKNOWN


def tier_of(model: str | None) -> str | None:
    """None also for a model whose id does not tell, as behind a gateway."""
    return ledger_models.tier_of(model) if model else None


def bare(agent_type: str) -> str:
    """Without the `plugin:` before it."""
    return agent_type.rpartition(":")[2]
