"""APGR and CPT, against cases worked out by hand and against pandas and NumPy, whose results stand here as figures."""

import random

import pytest

from orchestrate.measure import routing_pairs
from orchestrate.measure.routing_pairs import Gain, Point
from orchestrate.measure.routing_rows import Paired

WON, SAME, LOST = Paired(0, 1), Paired(1, 1), Paired(1, 0)
WHOLE = list(range(11))


@pytest.mark.parametrize(
    ("order", "gain"),
    [
        ([WON] * 20, (0.5, 50, 80)),  # every row gains: quality rises with the share of calls
        ([SAME] * 10 + [WON] * 10, (0.75, 25, 40)),  # all that is to gain comes first
        ([WON] * 10 + [SAME] * 10, (0.25, 75, 90)),
        ([LOST] * 5 + [SAME] * 5 + [WON] * 10, (1.37, 12.5, 20)),  # twice the gap, then down to it again
        ([Paired(8.0, 9.0)] * 20, (0.5, 50, 80)),  # judges' scores are no shares
    ],
)
def test_measures_by_hand(order, gain):
    assert routing_pairs.measured(order) == pytest.approx(Gain(*gain))


# RouteLLM's way: thresholds by pandas.qcut(scores, 10, retbins=True), numpy.trapezoid, numpy.interp.
@pytest.mark.parametrize(
    ("seed", "rows", "gain"),
    [
        (1, 37, (0.5551801801801801, 40.54054054054054, 65.945945945946)),
        (2, 64, (0.470703125, 55.625, 89.0625)),
        (3, 250, (0.468055555555556, 54.44444444444444, 83.2727272727273)),
        (4, 1003, (0.5010262100727105, 47.91970243116807, 78.99749028775749)),
    ],
)
def test_measures_are_those_of_pandas_and_numpy(seed, rows, gain):
    draw = random.Random(seed)
    pairs = [Paired(float(draw.random() < 0.5), float(draw.random() < 0.75)) for _ in range(rows)]
    assert routing_pairs.gain(pairs, [draw.random() for _ in range(rows)]) == pytest.approx(Gain(*gain), abs=1e-9)


@pytest.mark.parametrize(
    ("x", "xs", "y"),
    [
        (9.5, WHOLE, 95.0),
        (-1, WHOLE, 0.0),
        (11, WHOLE, 100.0),
        (7.0, [10.0, 7.5, 4.0, 4.5, 3.0, 1.0, 1.0, 4.0, 8.5, 5.0, 4.0], 100.0),
        (4.5, [0, 3, 6, 5, 4, 5, 6, 7, 6, 9, 10], 15.0),
        (5.5, [0, 3, 6, 5, 4, 5, 6, 7, 6, 9, 10], 18.333333333333336),
        (2.5, [0, 1, 2, 3, 4, 3, 2, 1, 2, 3, 10], 25.0),
        (8.5, [0, 1, 2, 3, 4, 5, 6, 20, 8, 9, 10], 85.0),
        (1, [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2], 90.0),
        (8.5, [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 10], 81.25),
        (9, [0, 1, 2, 3, 4, 3, 2, 3, 2, 30, 10], 82.5),
        (0, [0] * 11, 100.0),
    ],
)
def test_interpolation_is_that_of_numpy_also_where_the_curve_falls(x, xs, y):
    assert routing_pairs.interpolated(x, xs, [10.0 * place for place in range(11)]) == pytest.approx(y)


def test_the_curve_goes_from_all_weak_to_all_strong_in_tenths():
    points = routing_pairs.curve([SAME] * 10 + [WON] * 10)
    assert points == [Point(pytest.approx(tenth / 10), pytest.approx(min(100, 50 + 10 * tenth))) for tenth in range(11)]


@pytest.mark.parametrize("seed", range(5))
def test_an_oracle_beats_chance_and_chance_beats_its_contrary(seed):
    draw = random.Random(seed)
    pairs = [Paired(float(draw.random() < 0.6), float(draw.random() < 0.8)) for _ in range(400)]
    gains = [pair.strong - pair.weak for pair in pairs]
    oracle = routing_pairs.gain(pairs, gains)
    chance = routing_pairs.gain(pairs, [0] * len(pairs))
    contrary = routing_pairs.gain(pairs, [-one for one in gains])
    assert oracle.apgr > chance.apgr > contrary.apgr
    assert oracle.cpt80 < chance.cpt80 < contrary.cpt80
    assert chance.apgr == pytest.approx(0.5, abs=0.1)


def test_equal_scores_are_put_in_many_orders_and_unequal_ones_in_one():
    pairs = [Paired(0, place) for place in range(8)]
    tied = routing_pairs.orders(pairs, [1, 1, 1, 1, 0, 0, 0, 0])
    assert len(tied) == routing_pairs.ORDERS
    assert {frozenset(order[:4]) for order in tied} == {frozenset(pairs[4:])}
    assert len({tuple(order) for order in tied}) > 1
    assert routing_pairs.orders(pairs, [8, 7, 6, 5, 4, 3, 2, 1]) == [pairs[::-1]]


def test_the_place_in_the_file_does_not_matter_where_scores_are_equal():
    pairs = [WON] * 200 + [SAME] * 200
    assert routing_pairs.gain(pairs, [0] * 400).apgr == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("pairs", [[SAME] * 5, [LOST, SAME], [WON, LOST]])
def test_without_a_gap_there_is_nothing_to_measure(pairs):
    assert routing_pairs.gain(pairs, range(len(pairs))) is None


def test_intervals_hold_the_measure_and_do_not_change():
    draw = random.Random(1)
    pairs = [Paired(float(draw.random() < 0.5), float(draw.random() < 0.8)) for _ in range(300)]
    scores = [draw.random() for _ in pairs]
    found, gain = routing_pairs.intervals(pairs, scores), routing_pairs.gain(pairs, scores)
    assert found == routing_pairs.intervals(pairs, scores)
    assert {name: low < getattr(gain, name) < high for name, (low, high) in found.items()} == {
        "apgr": True,
        "cpt50": True,
        "cpt80": True,
    }


def test_intervals_of_few_rows_are_wider():
    draw = random.Random(1)
    pairs = [Paired(float(draw.random() < 0.5), float(draw.random() < 0.8)) for _ in range(640)]
    scores = [draw.random() for _ in pairs]
    widths = []
    for count in (40, 640):
        low, high = routing_pairs.intervals(pairs[:count], scores[:count])["apgr"]
        widths.append(high - low)
    assert widths[0] > 2 * widths[1]
