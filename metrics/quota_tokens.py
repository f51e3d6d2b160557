"""What was served, as far as this machine knows, and what a token may weigh in the platform's limits: nobody says."""

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate, product
from operator import add, mul, sub
from typing import NamedTuple

TIERS = ("haiku", "sonnet", "opus")
KINDS = ("input", "output", "cache_read", "cache_write")
# By price, by the window an account is sold for, all models alike.
_TIER_WEIGHTS = ((0.05, 1.0, 2.0), (0.33, 1.0, 1.67), (0.2, 1.0, 5.0), (1.0, 1.0, 1.0))
# By price, without what the cache gave, every token alike, what was written alone.
_KIND_WEIGHTS = ((1.0, 5.0, 0.05, 1.25), (1.0, 5.0, 0.0, 1.25), (1.0, 1.0, 1.0, 1.0), (0.0, 1.0, 0.0, 0.0))

Features = tuple[float, ...]  # tokens by tier and kind
WEIGHTINGS: tuple[Features, ...] = tuple(
    tuple(tier * kind for tier in tiers for kind in kinds) for tiers, kinds in product(_TIER_WEIGHTS, _KIND_WEIGHTS)
)


class Tokens(NamedTuple):
    """Of one message of a model."""

    ts: float  # unix seconds
    model: str
    input: int
    output: int
    cache_read: int
    cache_write: int


class Work:
    """What was served, to be asked how much of it between two moments."""

    def __init__(self, messages: Iterable[Tokens]) -> None:
        ordered = sorted(messages)
        self._times = [message.ts for message in ordered]
        zero = (0.0,) * (len(TIERS) * len(KINDS))
        self._sums = list(accumulate(map(_features, ordered), _add, initial=zero))

    def between(self, since: float, until: float) -> Features:
        """After `since`, up to `until`."""
        start, end = (self._sums[bisect_right(self._times, moment)] for moment in (since, until))
        return tuple(map(sub, end, start))


def weighed(features: Features, weights: Features) -> float:
    return float(sum(map(mul, features, weights)))


def _add(one: Features, other: Features) -> Features:
    return tuple(map(add, one, other))


def _features(message: Tokens) -> Features:
    """A model of no tier that we know counts as the dearest, as the router does."""
    tier = next((tier for tier in TIERS if tier in message.model), TIERS[-1])
    return tuple(float(count) if tier == each else 0.0 for each in TIERS for count in message[2:])
