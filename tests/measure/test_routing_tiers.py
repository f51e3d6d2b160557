"""The measures of answered tiers, against figures worked out by hand."""

import pytest

from orchestrate.measure import routing_tiers
from orchestrate.measure.routing_answers import Answer
from orchestrate.measure.routing_rows import Tiered
from orchestrate.measure.routing_tiers import Figures, Outcome, Point

HAIKU, SONNET, OPUS = "haiku", "sonnet", "opus"


def outcome(label, tier, confidence=None, is_answered=True, accept=()):
    return Outcome(Tiered(label, frozenset([label, *accept])), Answer(tier, 0.0, confidence, is_answered))


MIXED = [
    outcome(HAIKU, HAIKU, 0.95),
    outcome(HAIKU, SONNET, 0.55, is_answered=False),
    outcome(SONNET, HAIKU, 0.65),
    outcome(SONNET, OPUS, 0.75, accept=[OPUS]),
    outcome(OPUS, OPUS, 0.85),
    outcome(OPUS, SONNET, 0.35, is_answered=False),
]
PERFECT = [outcome(tier, tier, 1.0) for tier in (HAIKU, SONNET, OPUS)]


def test_figures_of_a_mixed_file():
    found = routing_tiers.figures(MIXED)
    assert found == Figures(
        accuracy=pytest.approx(2 / 6),
        accepted=pytest.approx(3 / 6),
        macro_f1=pytest.approx((0.5 + 0 + 0.5) / 3),
        under_route=pytest.approx(2 / 6),
        over_route=pytest.approx(1 / 6),
        cost=pytest.approx((1 + 3 + (1 + 3) + 5 + 5 + (3 + 5)) / 6),
        ece=pytest.approx((0.05 + 0.55 + 0.65 + 0.75 + 0.15 + 0.35) / 6),
        coverage=pytest.approx(4 / 6),
        answered_accuracy=pytest.approx(2 / 4),
        answered_accepted=pytest.approx(3 / 4),
    )


def test_a_perfect_router_is_perfect():
    assert routing_tiers.figures(PERFECT) == Figures(1, 1, 1, 0, 0, 3, 0, 1, 1, 1)
    assert routing_tiers.intervals(PERFECT)["accuracy"] == (1, 1)


def test_what_is_not_told_is_unknown():
    found = routing_tiers.figures([outcome(HAIKU, HAIKU, None, is_answered=False)])
    assert (found.ece, found.coverage, found.answered_accuracy, found.answered_accepted) == (None, 0, None, None)


@pytest.mark.parametrize(
    ("label", "tier", "accept", "cost"),
    [
        (HAIKU, HAIKU, [], 1),
        (HAIKU, OPUS, [], 5),
        (OPUS, HAIKU, [], 1 + 5),
        (OPUS, HAIKU, [SONNET], 1 + 3),
        (SONNET, HAIKU, [HAIKU], 1),
    ],
)
def test_too_weak_a_tier_is_paid_for_twice(label, tier, accept, cost):
    assert outcome(label, tier, accept=accept).cost == cost


def test_tiers_that_do_not_occur_do_not_count_in_macro_f1():
    assert routing_tiers.macro_f1([outcome(HAIKU, HAIKU), outcome(SONNET, SONNET)]) == 1
    assert routing_tiers.macro_f1([outcome(HAIKU, HAIKU), outcome(HAIKU, OPUS)]) == pytest.approx((2 / 3 + 0) / 2)


def test_confusion_has_the_label_in_the_row():
    rows = [*MIXED, outcome(HAIKU, OPUS)]
    assert routing_tiers.confusion(rows) == [[1, 1, 1], [1, 0, 1], [0, 1, 1]]


@pytest.mark.parametrize(
    ("confidences", "rights", "error"),
    [
        ([0.8, 0.8, 0.8, 0.8, 0.8], [1, 1, 1, 1, 0], 0.0),  # 80 % sure and right in 80 %
        ([0.72, 0.78], [1, 1], 0.25),  # one bin: the gaps add up before they count
        ([0.72, 0.78], [1, 0], 0.25),
        ([0.62, 0.78], [1, 0], (0.38 + 0.78) / 2),  # two bins
        ([1.0], [1], 0.0),
    ],
)
def test_calibration_error(confidences, rights, error):
    rows = [outcome(OPUS, OPUS if right else HAIKU, sure) for sure, right in zip(confidences, rights, strict=True)]
    assert routing_tiers.calibration_error(rows) == pytest.approx(error)


def test_the_coverage_curve_takes_the_most_confident_first():
    assert routing_tiers.coverage_curve(MIXED) == [
        Point(pytest.approx(count / 6), edge, pytest.approx(right / count), pytest.approx(accepted / count))
        for count, edge, right, accepted in (
            (1, 0.95, 1, 1),
            (2, 0.85, 2, 2),
            (3, 0.75, 2, 3),
            (4, 0.65, 2, 3),
            (5, 0.55, 2, 3),
            (6, 0.35, 2, 3),
        )
    ]


def test_equally_confident_answers_count_by_their_mean():
    rows = [outcome(OPUS, tier, 0.5) for tier in (OPUS, OPUS, HAIKU, HAIKU)]
    assert {point.accuracy for point in routing_tiers.coverage_curve(rows)} == {0.5}
    assert routing_tiers.coverage_curve(list(reversed(rows))) == routing_tiers.coverage_curve(rows)


def test_without_confidence_there_is_no_curve():
    assert routing_tiers.coverage_curve([outcome(OPUS, OPUS)]) == []


def test_intervals_hold_the_figure_and_do_not_change():
    rows = MIXED * 20
    found = routing_tiers.intervals(rows)
    figures = routing_tiers.figures(rows)._asdict()
    assert found == routing_tiers.intervals(rows)
    assert {name: low < figures[name] < high for name, (low, high) in found.items()} == dict.fromkeys(figures, True)


def test_the_middle_of_forty_values_leaves_one_out_at_each_end():
    assert routing_tiers.spread(list(range(40))) == (1, 38)


def test_a_mean_with_something_unknown_is_unknown():
    known, unknown = Figures(*[1.0] * 10), Figures(*[0.0] * 10)._replace(ece=None)
    assert routing_tiers.mean_of([known, unknown]) == Figures(*[0.5] * 10)._replace(ece=None)
