"""What to do after an attempt: be done, fail, try again, try another model, or hand the work to a stronger tier."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from orchestrate.agents.outcome import Outcome
from orchestrate.agents.stream import Tally
from state import codec
from state.errors import AGENT_TIMEOUT, FAILED, INTERRUPTED, REFUSED

TIERS = ("haiku", "sonnet", "opus")
# Who stands in for whom: the next stronger one first, as a weaker answer costs more than a dear one.
STAND_INS = {"haiku": ("sonnet", "opus"), "sonnet": ("opus", "haiku"), "opus": ("sonnet", "haiku")}
TRANSIENT = ("rate_limited", "overloaded", "api_error")  # the service's fault, and it passes
FLUKES = ("crashed", "no_json", "empty", "lying_success", "timeout")  # worth one more try, not two
_ELSEWHERE = ("overloaded", "model_not_found")  # another model may answer where this one does not
_EXIT = {
    "blocked": REFUSED,
    "budget": REFUSED,
    "permission_denied": REFUSED,
    "aborted": INTERRUPTED,
    "timeout": AGENT_TIMEOUT,
    "stalled": AGENT_TIMEOUT,
}
# What the client goes over to another model for, as the breaker counts it; anything else says nothing of the service.
_FALLEN = {"overloaded": "overloaded", "server_error": "api_error"}
_RETRIED_STATUS = (408, 409)  # and all from 500 on, and none at all: the connection broke
_MOST_ATTEMPTS = 10  # whatever else is allowed


class Attempt(NamedTuple):
    model: str
    kind: str
    took_ms: float = 0.0
    detail: str = ""
    stood_in: str = ""  # the model that the client itself went on with
    served: str | None = None  # by its id, the model whose answer was the last

    @property
    def last(self) -> str:
        """Who was asked last."""
        return self.stood_in or self.model


class Limits(NamedTuple):
    deadline: float | None = None  # unix seconds: nothing is started after it
    retries: int = 3  # per model, for what passes by itself
    backoff_s: float = 1.0
    backoff_most_s: float = 30.0
    escalations: int = 1  # 0: the user named the model
    stand_ins: tuple[str, ...] | None = None  # None: by tier (STAND_INS)
    closed: frozenset[str] = frozenset()  # models whose breaker is open
    random: float = 0.5  # from [0, 1), drawn by the caller for each move


class Evidence(NamedTuple):
    """Why an answer is not good enough."""

    asked_tier: str | None = None  # the agent itself asked for it
    why: str = ""
    red_check: str | None = None  # what failed when the answer was checked
    no_check: str | None = None  # why the answer could not be checked


NOTHING = Evidence()


class Move(NamedTuple):
    kind: str  # done, fail, retry, fallback, escalate
    why: str
    exit_code: int = 0
    after_s: float = 0.0
    model: str | None = None
    tier: str | None = None


def next_move(
    outcome: Outcome, history: Sequence[Attempt], limits: Limits, now: float, evidence: Evidence | None = None
) -> Move:
    """`history` ends with the attempt that `outcome` is of. `now`, deadline and reset times are of one clock."""
    failure = Move("fail", outcome.detail, _EXIT.get(outcome.kind, FAILED))
    if outcome.kind == "ok":
        return _after_success(history, limits, now, evidence or Evidence())
    if outcome.kind == "max_turns":
        return _escalate(history, limits, now, outcome.detail) or failure
    move = _again(outcome, history, limits, now)
    if move is None and (outcome.kind in _ELSEWHERE or _is_closed(outcome, history, limits)):
        move = _fallback(history, limits, now, outcome.detail)
    return move or failure


def stand_in(model: str, tried: Sequence[str], limits: Limits) -> str | None:
    """The model to use in place of one that cannot be had."""
    chain = limits.stand_ins if limits.stand_ins is not None else STAND_INS.get(tier_of(model) or "", ())
    return next((name for name in chain if name not in limits.closed and not _among(name, (model, *tried))), None)


def fallen(model: str, stand_in: str, tally: Tally) -> tuple[str, str]:
    """(the model that the client went on with, what its own had failed with); empty where it kept to its own.

    A client that does not tell is known by who answered.
    """
    if tally.fallbacks:
        first, last = tally.fallbacks[0], tally.fallbacks[-1]
        return stand_in or last.stand_in, _FALLEN.get(first.trigger, first.trigger)
    served = tier_of(tally.answered_by or "")
    is_other = served is not None and stand_in and served == tier_of(stand_in) != tier_of(model)
    return (stand_in, "overloaded") if is_other else ("", "")


def tier_of(model: str) -> str | None:
    return next((tier for tier in TIERS if tier in model), None)


def evidence_in(result: Mapping[str, object] | None) -> Evidence:
    """What an agent asks for, as structured output or as its whole answer: {"escalate": TIER, "why": ...}."""
    output = (result or {}).get("structured_output") or _object((result or {}).get("result"))
    if not isinstance(output, dict) or output.get("escalate") not in TIERS:
        return Evidence()
    why = output.get("why")
    return Evidence(asked_tier=output["escalate"], why=why if isinstance(why, str) else "")


def _object(answer: object) -> object:
    if not isinstance(answer, str) or not answer.strip().startswith("{"):
        return None
    try:
        return codec.loads(answer.strip())
    except ValueError:
        return None


def _after_success(history: Sequence[Attempt], limits: Limits, now: float, evidence: Evidence) -> Move:
    asked = evidence.asked_tier
    if evidence.no_check is not None:
        return Move("fail", evidence.no_check, FAILED)
    if evidence.red_check is not None:
        why = f"the check is red: {evidence.red_check}"
        move = _escalate(history, limits, now, why, asked) or _escalate(history, limits, now, why)
        return move or Move("fail", why, FAILED)
    move = _escalate(history, limits, now, evidence.why, asked) if asked else None
    return move or Move("done", "")


def _escalate(
    history: Sequence[Attempt], limits: Limits, now: float, why: str, asked: str | None = None
) -> Move | None:
    """Up to the tier asked for, else to the next one; None when there is none or there were enough."""
    current = tier_of(history[-1].last)
    used = sum(attempt.kind in ("ok", "max_turns") for attempt in history[:-1])
    if current is None or used >= limits.escalations or not _may_start(history, limits, now):
        return None
    above = [tier for tier in TIERS[TIERS.index(current) + 1 :] if tier not in limits.closed]
    tiers = above if asked is None else [tier for tier in above if tier == asked]
    return Move("escalate", why, tier=tiers[0]) if tiers else None


def _again(outcome: Outcome, history: Sequence[Attempt], limits: Limits, now: float) -> Move | None:
    """The same model once more, if that is worth it and there is time."""
    model = history[-1].model
    wait = None if model in limits.closed else _wait(outcome, history, limits, now)
    if wait is None or not _may_start(history, limits, now + wait):
        return None
    return Move("retry", outcome.detail, after_s=wait, model=model)


def _wait(outcome: Outcome, history: Sequence[Attempt], limits: Limits, now: float) -> float | None:
    """Seconds to wait before another try, None when there is to be none."""
    if outcome.kind in FLUKES:
        return 0.0 if limits.retries and sum(attempt.kind == outcome.kind for attempt in history) <= 1 else None
    if outcome.kind not in TRANSIENT or not _passes(outcome):
        return None
    tries = sum(attempt.model == history[-1].model and attempt.kind in TRANSIENT for attempt in history)
    if tries > limits.retries:
        return None
    # Equal jitter: never at once, and not all at the same moment.
    backoff = min(limits.backoff_most_s, limits.backoff_s * 2.0 ** (tries - 1)) * (1 + limits.random) / 2
    if outcome.kind == "rate_limited" and outcome.reset_at is not None:
        return max(outcome.reset_at - now, 0.0) + backoff
    return backoff


def _passes(outcome: Outcome) -> bool:
    status = outcome.status
    return outcome.kind != "api_error" or status is None or status >= 500 or status in _RETRIED_STATUS


def _fallback(history: Sequence[Attempt], limits: Limits, now: float, why: str) -> Move | None:
    tried = [name for attempt in history for name in (attempt.model, attempt.last)]
    model = stand_in(history[-1].model, tried, limits)
    return Move("fallback", why, model=model) if model and _may_start(history, limits, now) else None


def _is_closed(outcome: Outcome, history: Sequence[Attempt], limits: Limits) -> bool:
    return outcome.kind in TRANSIENT and history[-1].model in limits.closed


def _may_start(history: Sequence[Attempt], limits: Limits, at: float) -> bool:
    return len(history) < _MOST_ATTEMPTS and (limits.deadline is None or at < limits.deadline)


def _among(name: str, models: Sequence[str]) -> bool:
    """Whether one of the models is the one named: an alias stands for every model of its tier."""
    return any(name == model or (name in TIERS and tier_of(model) == name) for model in models)
