"""What was asked for against what served: a verdict, and where they differ its kind, by the first rule that holds.

A kind is claimed only where the records show it; what they do not tell apart is `other`.
"""

from collections.abc import Callable
from typing import NamedTuple

from metrics.ledger_models import OTHER, SAME, UNKNOWN, VERSION, fit, is_alias

OK = "ok"
MISMATCH = "mismatch"
NOT_DECIDED = "not_decided"
UNCLEAR = "unknown"
MAIN, AGENT, RUN, HANDOVER = "main", "agent", "run", "handover"
FORK = "fork"


class Evidence(NamedTuple):
    """All that the records tell of one part of the work: a prompt's main thread, an agent, a run, a handover."""

    part: str
    asked: str | None = None  # an alias or an id; None: nothing was
    served: tuple[str, ...] = ()  # the model of each message, in order
    requested: tuple[str, ...] = ()  # by the client, of the same messages
    synthetic: int = 0  # messages that the client wrote itself
    resolved: str | None = None  # what the client made of the request when it started the agent
    is_over: bool = False  # its turn has ended
    is_launched: bool = False
    is_success: bool = False  # as the client or our run reported
    agent_type: str | None = None
    by_definition: bool = False  # the model was to come from the agent's definition
    call_model: str | None = None  # what the call named when our hook saw it
    spawn_model: str | None = None  # what the client kept of it
    env_model: str | None = None
    env_forced: bool = False
    env_alias: str | None = None  # what the environment makes of the alias that was asked for
    parent: frozenset[str] = frozenset()  # the models of the thread that started the agent
    fallback_from: str | None = None  # as the client noted it
    after_error: tuple[str, ...] = ()  # models that answered just after an error of the API
    is_resumed: bool = False  # the first prompt after a resume
    before: str | None = None  # the main thread's last model before that
    set_before: str | None = None  # what we had set it to
    has_others: bool = False  # other agents ran

    @property
    def models(self) -> tuple[str, ...]:
        return self.served or ((self.resolved,) if self.resolved else ())


class Rule(NamedTuple):
    kind: str
    holds: Callable[[Evidence], bool]
    verdict: str = MISMATCH


class Judged(NamedTuple):
    verdict: str
    kind: str | None = None


def judge(evidence: Evidence) -> Judged:
    if evidence.asked is None:
        return Judged(NOT_DECIDED, FORK if _is_fork(evidence) else None)
    if evidence.served and _fits(evidence) == {SAME}:
        return Judged(OK)
    rule = next((rule for rule in RULES if rule.holds(evidence)), None)
    if rule is not None:
        return Judged(rule.verdict, rule.kind)
    if not evidence.served and _fits(evidence) <= {SAME, UNKNOWN}:
        return Judged(UNCLEAR)  # it goes on, or its transcript cannot be read
    return Judged(MISMATCH, "other")


def _fits(evidence: Evidence) -> set[str]:
    return {fit(str(evidence.asked), model) for model in evidence.models}


def _is(asked: str | None, model: str | None) -> bool:
    return asked is not None and model is not None and fit(asked, model) == SAME


def _first(evidence: Evidence) -> str | None:
    return evidence.models[0] if evidence.models else None


def _is_fork(evidence: Evidence) -> bool:
    return evidence.part == AGENT and evidence.agent_type == FORK


def _nothing_but_synthetic(evidence: Evidence) -> bool:
    return not evidence.served and (evidence.synthetic > 0 or evidence.part == RUN)


def _never_started(evidence: Evidence) -> bool:
    nothing = not evidence.is_launched and not evidence.models and not evidence.synthetic
    return evidence.part in (AGENT, HANDOVER) and nothing and evidence.is_over


def _fell_back(evidence: Evidence) -> bool:
    pairs = zip(evidence.requested, evidence.served, strict=False)
    refused = any(_is(evidence.asked, asked) and not _is(evidence.asked, served) for asked, served in pairs)
    failed = any(not _is(evidence.asked, model) for model in evidence.after_error)
    return refused or failed or _is(evidence.asked, evidence.fallback_from)


def _came_from_environment(evidence: Evidence) -> bool:
    return evidence.part == AGENT and _is(evidence.env_model, _first(evidence))


def _switched(evidence: Evidence) -> bool:
    """It began, or was started, as asked."""
    began = any(_is(evidence.asked, model) for model in evidence.served)
    return began or (bool(evidence.served) and _is(evidence.asked, evidence.resolved))


def _drifted(evidence: Evidence) -> bool:
    """The client came back with another model than it left with, or with what we had set as its own."""
    first = _first(evidence)
    is_other = evidence.before is not None and first is not None and not _is(evidence.before, first)
    return evidence.is_resumed and (is_other or _is(evidence.set_before, first))


def _is_parents(evidence: Evidence) -> bool:
    return evidence.part == AGENT and _first(evidence) in evidence.parent


def _was_kept(evidence: Evidence) -> bool:
    """The client knew that the call named what was asked for."""
    return evidence.part == AGENT and evidence.asked == evidence.spawn_model


def _was_remapped(evidence: Evidence) -> bool:
    if not is_alias(str(evidence.asked)) or not evidence.models:
        return False
    return _is(evidence.env_alias, _first(evidence)) or (_was_kept(evidence) and not _is_parents(evidence))


def _was_named_otherwise(evidence: Evidence) -> bool:
    """The call itself named another model, and the client kept to that."""
    is_kept = evidence.spawn_model in (None, evidence.call_model)
    return evidence.part == AGENT and is_kept and _is(evidence.call_model, _first(evidence))


def _lost_definition(evidence: Evidence) -> bool:
    return evidence.part == AGENT and evidence.by_definition and evidence.call_model is None and bool(evidence.models)


def _went_on(evidence: Evidence) -> bool:
    """The client asked for its own model all along."""
    return evidence.part == MAIN and bool(evidence.served) and evidence.requested == evidence.served


RULES = (
    Rule(FORK, _is_fork, NOT_DECIDED),
    Rule("wrong_agent_type", lambda evidence: evidence.has_others and _never_started(evidence)),
    Rule("not_spawned", _never_started),
    Rule("lying_success", lambda evidence: evidence.is_success and _nothing_but_synthetic(evidence)),
    Rule("synthetic", lambda evidence: _nothing_but_synthetic(evidence) and evidence.synthetic > 0),
    Rule("unknown_model", lambda evidence: UNKNOWN in _fits(evidence) <= {SAME, UNKNOWN}, UNCLEAR),
    Rule("version_drift", lambda evidence: VERSION in _fits(evidence) and OTHER not in _fits(evidence)),
    Rule("fallback", _fell_back),
    Rule("forced_env", lambda evidence: evidence.env_forced and _came_from_environment(evidence)),
    Rule("engine_switch", _switched),
    Rule("alias_remap", _was_remapped),
    Rule("allowlist", lambda evidence: _was_kept(evidence) and _is_parents(evidence)),
    Rule("env_default", _came_from_environment),
    Rule("call_model", _was_named_otherwise),
    Rule("ignored_frontmatter", _lost_definition),
    Rule("inherited_parent", _is_parents),
    Rule("resume_drift", _drifted),
    Rule("not_applied", _went_on),
)
# The worst first: nothing served, then what somebody set against us, then what went wrong by itself.
WORST = (
    "lying_success",
    "synthetic",
    "forced_env",
    "allowlist",
    "alias_remap",
    "env_default",
    "inherited_parent",
    "ignored_frontmatter",
    "resume_drift",
    "engine_switch",
    "fallback",
    "not_applied",
    "other",
    "version_drift",
    "not_spawned",
    "call_model",
    "wrong_agent_type",
)
