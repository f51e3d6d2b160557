"""What is measured of each arm of an experiment, and the goals that were set before anything was measured."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from metrics.ab_sessions import OTHER, TIERS, Session
from metrics.ab_statistics import Estimate, Sessions, mean, percentile, share

SHARE, PER_100, MILLISECONDS, NUMBER = "share", "per 100", "ms", "number"
COMPLIANCE = "compliance"
UTILISATION = "quota_utilisation"


class Goal(NamedTuple):
    """`baseline`: what directives alone were taken to reach, before anything was measured."""

    relation: str
    limit: float
    is_against_base: bool  # the limit is one of the difference to the directive arm
    baseline: tuple[float, float] | None
    source: str


class Measure(NamedTuple):
    title: str
    form: str
    of: Callable[[Session], list[float]]
    estimate: Callable[[Sessions], Estimate | None]


_SOURCE = "the roadmap, week 6: comparison of metrics"
GOALS = {
    COMPLIANCE: Goal(">", 0.95, False, (0.40, 0.60), _SOURCE),
    "completion": Goal(">", 0.90, False, (0.50, 0.50), _SOURCE),
    "overhead_mean_ms": Goal("<", 500, True, None, _SOURCE),
    "good_feedback": Goal(">=", 0, True, None, _SOURCE),
    UTILISATION: Goal(">", 0.80, False, (0.40, 0.60), _SOURCE),
}


def _each(name: str) -> Callable[[Session], list[float]]:
    """What is known under this name, prompt by prompt."""
    return lambda session: _known(getattr(prompt, name) for prompt in session.prompts)


def _tokens(tier: str) -> Callable[[Session], list[float]]:
    return lambda session: [float(prompt.tokens[tier]) for prompt in session.prompts if prompt.tokens is not None]


def _known(values: Iterable[float | None]) -> list[float]:
    return [float(value) for value in values if value is not None]


MEASURES = {
    COMPLIANCE: Measure("compliance", SHARE, _each("is_followed"), share),
    "spawn_compliance": Measure("compliance of spawns", SHARE, lambda session: _known(session.spawns), share),
    "completion": Measure("completion", SHARE, _each("is_finished"), share),
    "overhead_mean_ms": Measure("overhead, mean", MILLISECONDS, _each("overhead_ms"), mean),
    "overhead_p95_ms": Measure("overhead, p95", MILLISECONDS, _each("overhead_ms"), partial(percentile, percent=95)),
    "good_feedback": Measure("good feedback", SHARE, lambda session: _known(session.feedback), share),
    "override_rate": Measure("overrides per 100 prompts", PER_100, _each("is_override"), share),
    "quota_points": Measure("quota points per prompt", NUMBER, _each("points"), mean),
    **{f"{tier}_tokens": Measure(f"{tier} tokens per prompt", NUMBER, _tokens(tier), mean) for tier in (*TIERS, OTHER)},
}
