"""The measures of RouteLLM (arXiv 2406.18665) for a choice between a weak and a strong model, without NumPy.

Eleven thresholds at the tenths of the scores, the area under the quality by share of strong calls as trapezoids, and
the share of strong calls that reaches half or four fifths of the gap by numpy.interp's rules. Equal scores, on which
pandas.qcut fails, are put in random order, and the mean over many orders counts.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, cycle, islice, pairwise
from random import Random
from statistics import fmean
from typing import NamedTuple

from orchestrate.measure.routing_rows import Paired
from orchestrate.measure.routing_tiers import RESAMPLES, SEED, Interval, spread

BINS = 10
ORDERS = 20


class Point(NamedTuple):
    """`quality`: the mean score, times a hundred."""

    strong_share: float
    quality: float


class Gain(NamedTuple):
    """`cpt50`, `cpt80`: percent of calls to the strong model that recover so much of the gap."""

    apgr: float
    cpt50: float
    cpt80: float


def gain(pairs: Sequence[Paired], scores: Sequence[float]) -> Gain | None:
    """None where the strong model is not the better one: there is no gap to recover."""
    if not has_gap(pairs):
        return None
    found = [measured(order) for order in orders(pairs, scores)]
    return Gain(*map(fmean, zip(*found, strict=True)))


def intervals(pairs: Sequence[Paired], scores: Sequence[float]) -> dict[str, Interval]:
    """95 % of what the measures are on rows drawn anew, each time with equal scores in another order."""
    draw = Random(SEED)  # noqa: S311  a resampling, not a secret
    found = []
    for order in islice(cycle(orders(pairs, scores)), RESAMPLES):
        drawn = [order[place] for place in sorted(draw.choices(range(len(order)), k=len(order)))]
        found += [measured(drawn)] if has_gap(drawn) else []
    return {name: spread(column) for name, *column in zip(Gain._fields, *found, strict=True)} if found else {}


def orders(pairs: Sequence[Paired], scores: Sequence[float]) -> list[list[Paired]]:
    """The rows from the lowest score to the highest; several times where scores are equal."""
    draw = Random(SEED)  # noqa: S311  an order, not a secret
    count = ORDERS if len(set(scores)) < len(scores) else 1
    found = []
    for _ in range(count):
        keys = [(score, draw.random()) for score in scores]
        found.append([pairs[place] for place in sorted(range(len(pairs)), key=keys.__getitem__)])
    return found


def measured(order: Sequence[Paired]) -> Gain:
    points = curve(order)
    weak, strong = points[0].quality, points[-1].quality
    area = sum((a.quality + b.quality) / 2 * (b.strong_share - a.strong_share) for a, b in pairwise(points))
    reached = [_share_for(part * (strong - weak) + weak, points) for part in (0.5, 0.8)]
    return Gain((area - weak) / (strong - weak), *reached)


def curve(order: Sequence[Paired]) -> list[Point]:
    """From no call to the strong model to nothing but such calls: a row is for it at or above the threshold."""
    size = len(order)
    lowest = [-(-tenth * (size - 1) // BINS) for tenth in range(BINS)] + [size]
    weak = sum(pair.weak for pair in order)
    gained = list(accumulate((pair.strong - pair.weak for pair in reversed(order)), initial=weak))
    return [Point((size - first) / size, gained[size - first] / size * 100) for first in reversed(lowest)]


def _share_for(quality: float, points: Sequence[Point]) -> float:
    qualities, shares = [point.quality for point in points], [100 * point.strong_share for point in points]
    return interpolated(quality, qualities, shares)


def interpolated(x: float, xs: Sequence[float], ys: Sequence[float]) -> float:
    """numpy.interp on the eleven points of a curve, also where `xs` falls: it looks at the far end, at the first three
    gaps, and bisects the rest, the end of it only where the last but one is not above."""
    if x > xs[-1] or x < xs[0]:
        return ys[-1] if x > xs[-1] else ys[0]
    left = next((place for place in range(3) if x < xs[place + 1]), None)
    if left is None:
        left = bisect_right(xs, x, 3, 9 if x < xs[9] else len(xs)) - 1
    if left == len(xs) - 1:
        return ys[left]
    return ys[left] + (ys[left + 1] - ys[left]) / (xs[left + 1] - xs[left]) * (x - xs[left])


def has_gap(pairs: Sequence[Paired]) -> bool:
    return fmean(pair.strong for pair in pairs) > fmean(pair.weak for pair in pairs)
