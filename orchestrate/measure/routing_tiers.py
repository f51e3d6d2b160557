"""How well answered tiers fit the labelled ones."""

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from statistics import fmean
from typing import NamedTuple

from orchestrate.measure.routing_answers import Answer
from orchestrate.measure.routing_rows import Tiered
from routing.score import TIERS

PRICES = dict(zip(TIERS, (1.0, 3.0, 5.0), strict=True))
BINS = 10
RESAMPLES = 400
SEED = 20261121

Interval = tuple[float, float]


class Outcome:
    """A label and its answer, compared once: the intervals count each many times."""

    __slots__ = ("answer", "cost", "is_accepted", "is_over", "is_right", "is_under", "label")

    def __init__(self, label: Tiered, answer: Answer) -> None:
        accepted = [TIERS.index(tier) for tier in label.accept]
        rank = TIERS.index(answer.tier)
        self.label = label
        self.answer = answer
        self.is_right = answer.tier == label.tier
        self.is_accepted = rank in accepted
        self.is_under = rank < min(accepted)
        self.is_over = rank > max(accepted)
        # Where the tier used is too weak, the work is done again in the cheapest that is not.
        self.cost = PRICES[answer.tier] + (PRICES[TIERS[min(accepted)]] if self.is_under else 0.0)


class Figures(NamedTuple):
    """None: this router tells no confidence, or has answered nothing."""

    accuracy: float
    accepted: float
    macro_f1: float
    under_route: float
    over_route: float
    cost: float
    ece: float | None
    coverage: float
    answered_accuracy: float | None
    answered_accepted: float | None


class Point(NamedTuple):
    """The most confident `coverage` of the answers and how many of them are right."""

    coverage: float
    confidence: float
    accuracy: float
    accepted: float


def figures(outcomes: Sequence[Outcome]) -> Figures:
    answered = [one for one in outcomes if one.answer.is_answered]
    return Figures(
        accuracy=fmean(one.is_right for one in outcomes),
        accepted=fmean(one.is_accepted for one in outcomes),
        macro_f1=macro_f1(outcomes),
        under_route=fmean(one.is_under for one in outcomes),
        over_route=fmean(one.is_over for one in outcomes),
        cost=fmean(one.cost for one in outcomes),
        ece=calibration_error(outcomes),
        coverage=len(answered) / len(outcomes),
        answered_accuracy=fmean(one.is_right for one in answered) if answered else None,
        answered_accepted=fmean(one.is_accepted for one in answered) if answered else None,
    )


def macro_f1(outcomes: Sequence[Outcome]) -> float:
    """The mean over the tiers that are asked for or answered at all."""
    counts = confusion(outcomes)
    scores = []
    for i, row in enumerate(counts):
        either = sum(row) + sum(other[i] for other in counts)
        scores += [2 * row[i] / either] if either else []
    return fmean(scores)


def confusion(outcomes: Sequence[Outcome]) -> list[list[int]]:
    """Rows: the labelled tier; columns: the answered one."""
    counts = Counter((one.label.tier, one.answer.tier) for one in outcomes)
    return [[counts[label, answer] for answer in TIERS] for label in TIERS]


def calibration_error(outcomes: Sequence[Outcome]) -> float | None:
    """Expected calibration error: |confidence - accuracy| of equally wide bins, weighted by what is in them."""
    gaps = [0.0] * BINS
    for one in outcomes:
        if one.answer.confidence is None:
            return None
        place = min(int(one.answer.confidence * BINS), BINS - 1)
        gaps[place] += one.answer.confidence - one.is_right
    return sum(map(abs, gaps)) / len(outcomes)


def coverage_curve(outcomes: Sequence[Outcome]) -> list[Point]:
    """One point for each tenth of the answers; of equally confident ones any may come first, so their mean counts."""
    ranked = sorted((one for one in outcomes if one.answer.confidence is not None), key=_confidence, reverse=True)
    counts = [len(ranked) * tenth // BINS for tenth in range(1, BINS + 1)] if ranked else []
    return [_point(ranked, count, len(outcomes)) for count in dict.fromkeys(counts) if count]


def _confidence(one: Outcome) -> float:
    return one.answer.confidence or 0.0


def _point(ranked: list[Outcome], count: int, total: int) -> Point:
    edge = _confidence(ranked[count - 1])
    above = [one for one in ranked if _confidence(one) > edge]
    level = [one for one in ranked if _confidence(one) == edge]
    part = (count - len(above)) / len(level)

    def mean(test: Callable[[Outcome], bool]) -> float:
        return (sum(map(test, above)) + part * sum(map(test, level))) / count

    return Point(count / total, edge, mean(lambda one: one.is_right), mean(lambda one: one.is_accepted))


def intervals(outcomes: Sequence[Outcome]) -> dict[str, Interval]:
    """95 % of what the figures are on rows drawn anew from these."""
    draw = Random(SEED)  # noqa: S311  a resampling, not a secret
    found = [figures(draw.choices(outcomes, k=len(outcomes))) for _ in range(RESAMPLES)]
    columns = {name: [getattr(one, name) for one in found] for name in Figures._fields}
    return {name: spread(column) for name, column in columns.items() if None not in column}


def spread(values: Sequence[float]) -> Interval:
    """The middle 95 %."""
    ranked = sorted(values)
    cut = int(len(ranked) * 0.025)
    return ranked[cut], ranked[-1 - cut]


def mean_of(found: Sequence[Figures]) -> Figures:
    columns = zip(*found, strict=True)
    means = [None if None in column else fmean(column) for column in columns]
    return Figures(*means)  # type: ignore[arg-type]  # a column is None only where its field may be
