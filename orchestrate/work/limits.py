"""The settings of the queue, within their bounds also where a variable of the environment says otherwise."""

from collections.abc import Mapping
from typing import NamedTuple

from state.snapshot import Value

WIP_MOST = 5
TTL_LEAST_S, TTL_MOST_S = 1.0, 604_800.0
ATTEMPTS_MOST = 20
BACKOFF_MOST_S = 3600.0


class Limits(NamedTuple):
    wip: int
    ttl_s: float
    max_attempts: int
    backoff_s: float


def of(values: Mapping[str, Value]) -> Limits:
    return Limits(
        int(_within(values["work.wip_limit"], 1, WIP_MOST)),
        _within(values["work.claim_ttl_s"], TTL_LEAST_S, TTL_MOST_S),
        int(_within(values["work.max_attempts"], 1, ATTEMPTS_MOST)),
        _within(values["work.backoff_s"], 0, BACKOFF_MOST_S),
    )


def _within(value: Value, least: float, most: float) -> float:
    number = float(value)
    return min(most, max(least, number)) if number == number else least  # noqa: PLR0124  NaN is no number
