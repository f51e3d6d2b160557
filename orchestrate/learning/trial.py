"""Whether a correction is better than the shipped weights, on signals that it was not fitted to.

Prompts of the same text are never on both sides. A gain counts that is larger than chance would make it, in the cost
and in how often a decision was right; anything less keeps the shipped weights.
"""

import math
import random
from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from orchestrate.learning.examples import Example
from orchestrate.learning.fit import fit
from routing.correction import Correction
from routing.score import Weights

LEAST = 30  # different texts
MOST = 2000  # the newest
FOLDS, REPEATS = 5, 3
SEED = 20261121
SURE = 1.96  # standard errors: one chance in forty that a gain so large is none


class Gain(NamedTuple):
    """Per example, weighted; `error` is its standard error, where prompts of the same text are one observation."""

    mean: float
    error: float

    @property
    def is_sure(self) -> bool:
        return self.mean > 0 and self.mean > SURE * self.error


class Trial(NamedTuple):
    signals: int
    cost_shipped: float
    cost_corrected: float
    cheaper: Gain
    right_shipped: float
    right_corrected: float
    righter: Gain

    @property
    def is_better(self) -> bool:
        return self.cheaper.is_sure and self.righter.is_sure


def cross_validated(examples: Sequence[Example], weights: Weights) -> Trial:
    held = [_held_out(examples, weights, SEED + repeat) for repeat in range(REPEATS)]
    return _judged(examples, weights, list(zip(*held, strict=True)))


def of(examples: Sequence[Example], weights: Weights, found: Correction) -> Trial:
    """Of a correction that stands already."""
    return _judged(examples, weights, [(example.tier(weights, found),) for example in examples])


def _held_out(examples: Sequence[Example], weights: Weights, seed: int) -> list[int]:
    """The tier of each example by a correction that has not seen it."""
    groups = sorted({example.group for example in examples})
    random.Random(seed).shuffle(groups)  # noqa: S311  a split, no secret
    fold_of = {group: number % FOLDS for number, group in enumerate(groups)}
    fitted = [fit([each for each in examples if fold_of[each.group] != fold]) for fold in range(FOLDS)]
    return [example.tier(weights, fitted[fold_of[example.group]]) for example in examples]


def _judged(examples: Sequence[Example], weights: Weights, tiers: Sequence[Sequence[int]]) -> Trial:
    shipped = [(example.tier(weights, None),) for example in examples]
    cost, cost_now = _costs(examples, shipped), _costs(examples, tiers)
    right, right_now = _rights(examples, shipped), _rights(examples, tiers)
    return Trial(
        len(examples),
        _weighted(examples, cost),
        _weighted(examples, cost_now),
        _gain(examples, [old - new for old, new in zip(cost, cost_now, strict=True)]),
        _weighted(examples, right),
        _weighted(examples, right_now),
        _gain(examples, [new - old for old, new in zip(right, right_now, strict=True)]),
    )


def _costs(examples: Sequence[Example], tiers: Sequence[Sequence[int]]) -> list[float]:
    return [fmean(map(example.cost, some)) for example, some in zip(examples, tiers, strict=True)]


def _rights(examples: Sequence[Example], tiers: Sequence[Sequence[int]]) -> list[float]:
    return [fmean(tier in example.accept for tier in some) for example, some in zip(examples, tiers, strict=True)]


def _gain(examples: Sequence[Example], differences: Sequence[float]) -> Gain:
    mean = _weighted(examples, differences)
    by_text: defaultdict[str, float] = defaultdict(float)
    for example, value in zip(examples, differences, strict=True):
        by_text[example.group] += example.weight * (value - mean)
    error = math.sqrt(sum(value * value for value in by_text.values())) / sum(example.weight for example in examples)
    return Gain(mean, error)


def _weighted(examples: Sequence[Example], values: Sequence[float]) -> float:
    shares = [example.weight for example in examples]
    return sum(share * value for share, value in zip(shares, values, strict=True)) / sum(shares)
