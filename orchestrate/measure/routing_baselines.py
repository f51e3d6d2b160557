"""What to beat: one tier for everything, length alone, and chance."""

from collections.abc import Sequence
from itertools import accumulate
from random import Random
from statistics import fmean
from typing import NamedTuple

from orchestrate.measure.routing_answers import Answer
from orchestrate.measure.routing_pairs import Gain, has_gap, measured
from orchestrate.measure.routing_rows import Asked, Paired, Tiered
from orchestrate.measure.routing_tiers import SEED, Figures, Outcome, figures, mean_of
from routing.score import TIERS

FOLDS = 5
SHUFFLES = 20
HAIKU, SONNET, OPUS = TIERS


class Limits(NamedTuple):
    """The lengths in characters from which a prompt is for sonnet, and for opus."""

    sonnet: int
    opus: int


def always_sonnet(asked: Sequence[Asked]) -> list[Answer]:
    return [Answer(SONNET, 0.0) for _ in asked]


def by_length(asked: Sequence[Asked], labels: Sequence[Tiered]) -> list[Answer]:
    """Every prompt by limits fitted on the other folds; without labels there is only the order."""
    lengths = [len(one.prompt) for one in asked]
    if not labels:
        return [Answer(SONNET, float(length)) for length in lengths]
    places = list(range(len(asked)))
    Random(SEED).shuffle(places)  # noqa: S311  folds, not a secret
    tiers = {}
    for fold in range(FOLDS):
        held = set(places[fold::FOLDS])
        limits = fit([(lengths[i], labels[i].tier) for i in places if i not in held])
        tiers.update({i: tier_of(lengths[i], limits) for i in held})
    return [Answer(tiers[i], float(length)) for i, length in enumerate(lengths)]


def tier_of(length: int, limits: Limits) -> str:
    if length >= limits.opus:
        return OPUS
    return SONNET if length >= limits.sonnet else HAIKU


def fit(rows: Sequence[tuple[int, str]]) -> Limits:
    """The limits that put most rows right; of equally good ones the lowest, the dearer tiers."""
    if not rows:
        return Limits(0, 1 << 60)
    steps = sorted({0, *(length for length, _ in rows), 1 + max(length for length, _ in rows)})
    below = {tier: _below(rows, tier, steps) for tier in TIERS}
    best = (-1, 0, 0)
    start = 0
    for end in range(len(steps)):  # sonnet's part is [start, end): the best start for each end so far
        if _kept(below, end) > _kept(below, start):
            start = end
        right = _kept(below, start) + below[SONNET][end] + below[OPUS][-1] - below[OPUS][end]
        best = max(best, (right, -steps[start], -steps[end]))
    return Limits(-best[1], -best[2])


def _kept(below: dict[str, list[int]], start: int) -> int:
    return below[HAIKU][start] - below[SONNET][start]


def _below(rows: Sequence[tuple[int, str]], wanted: str, steps: Sequence[int]) -> list[int]:
    """For each step, how many rows of a tier are shorter."""
    counts = dict.fromkeys(steps, 0)
    for length, tier in rows:
        counts[length] += tier == wanted
    return [0, *accumulate(list(counts.values())[:-1])]


def shuffled_labels(labels: Sequence[Tiered], answers: Sequence[Answer]) -> Figures:
    """The router's own answers against labels of other rows: what the mix of its answers is worth by chance."""
    draw = Random(SEED)  # noqa: S311  a shuffle, not a secret
    found = []
    for _ in range(SHUFFLES):
        mixed = draw.sample(labels, len(labels))
        found.append(figures(list(map(Outcome, mixed, answers))))
    return mean_of(found)


def shuffled_pairs(pairs: Sequence[Paired]) -> Gain | None:
    """Any order of the rows: what a score that knows nothing recovers."""
    if not has_gap(pairs):
        return None
    draw = Random(SEED)  # noqa: S311  a shuffle, not a secret
    found = [measured(draw.sample(pairs, len(pairs))) for _ in range(SHUFFLES)]
    return Gain(*map(fmean, zip(*found, strict=True)))
