"""Intervals over sessions: against numbers that are known, and by how often they hold a truth that is known."""

import random
from math import exp, sqrt
from statistics import NormalDist

import pytest
from tiers import some

from metrics.ab_statistics import Estimate, difference, mean, percentile, share, student

TRIALS = 200
Z = 1.959964


def near(expected):
    return pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [
        (1, 12.706),
        (2, 4.303),
        (3, 3.182),
        (4, 2.776),
        (5, 2.571),
        (10, 2.228),
        (30, 2.042),
        (100, 1.984),
        (9999, 1.960),
    ],
)
def test_student_s_quantile_is_that_of_the_tables(freedom, quantile):
    assert student(freedom) == pytest.approx(quantile, rel=1.2e-3)


def test_a_share_of_sessions_of_one_prompt_has_wilson_s_interval():
    """Wilson's of 800 in 1000 is 0.7741 to 0.8237. Of ten sessions Student's quantile makes it wider."""
    assert share([[1.0]] * 800 + [[0.0]] * 200) == Estimate(0.8, near(0.7741), near(0.8237), 1000, 1000)
    few = share([[1.0]] * 8 + [[0.0]] * 2)
    assert (few.low < 0.4902, few.high > 0.9433) == (True, True)


def test_prompts_that_are_alike_within_their_session_tell_less():
    mixed = share([[1.0, 0.0]] * 10)
    alike = share([[1.0, 1.0], [0.0, 0.0]] * 5)
    assert mixed.value == alike.value == 0.5
    assert mixed.width < share([[1.0], [0.0]] * 5).width <= alike.width
    assert (alike.sessions, alike.size) == (10, 20)


def test_where_all_went_alike_each_session_counts_once():
    assert share([[1.0] * 50] * 10) == share([[1.0]] * 10)._replace(size=500)
    assert share([[0.0] * 3] * 10)[1:3] == (0.0, near(0.3385))


@pytest.mark.parametrize("estimate", [share, mean, lambda sessions: percentile(sessions, 95)])
def test_nothing_is_said_of_nothing_and_no_interval_of_one_session(estimate):
    assert estimate([]) is None
    assert estimate([[], []]) is None
    alone = estimate([[1.0, 1.0], []])
    assert alone == Estimate(1.0, None, None, 1, 2)
    assert alone.width is None


def test_a_mean_has_the_interval_of_its_sessions():
    """Sums of 3, 5 and 10 over 1, 2 and 3 prompts: off by 0, -1 and 1 about 3."""
    reach = 4.3027 * sqrt(3 / 2 * 2) / 6
    assert mean([[3.0], [2.0, 3.0], [3.0, 3.0, 4.0]]) == Estimate(3.0, near(3 - reach), near(3 + reach), 3, 6)


def test_what_one_session_alone_varies_by_is_known_as_badly_as_that_session():
    steady = mean([[value] for value in (9.0, 11.0) * 20])
    odd = mean([[10.0]] * 39 + [[10.0 + sqrt(39)]])
    assert odd.width > 1.9 * steady.width


def test_a_percentile_is_measured_and_its_ends_too():
    sessions = [[float(number)] for number in range(1, 1001)]
    assert percentile(sessions, 95) == Estimate(950.0, 935.0, 962.0, 1000, 1000)
    few = percentile([[float(number)] for number in range(1, 21)], 95)
    assert (few.value, few.high) == (19.0, None)
    assert few.low < 19.0


def test_a_difference_has_the_reaches_of_both():
    one, base = Estimate(0.9, 0.8, 0.95, 10, 90), Estimate(0.5, 0.4, 0.7, 12, 80)
    found = difference(one, base)
    assert found == Estimate(0.4, near(0.4 - sqrt(0.01 + 0.04)), near(0.4 + sqrt(0.0025 + 0.01)), 22, 170)
    assert difference(one, base._replace(low=None)) == found._replace(high=None)
    assert difference(one._replace(low=None, high=None), base)[1:3] == (None, None)


def shares(rng, sessions, rate, likeness):
    """`likeness` of a session's prompts: their correlation."""
    for _ in range(sessions):
        own = rng.betavariate(rate * (1 / likeness - 1), (1 - rate) * (1 / likeness - 1)) if likeness else rate
        yield [float(rng.random() < own) for _ in range(rng.randint(1, 15))]


def times(rng, sessions, between, within):
    for _ in range(sessions):
        own = rng.gauss(3, between)
        yield [exp(rng.gauss(own, within)) for _ in range(rng.randint(1, 15))]


def held(draw, estimate, truth):
    """The share of seeded trials whose interval holds the truth; an end that is not told holds it too."""
    rng = random.Random(20261121)
    found = [estimate(list(draw(rng))) for _ in range(TRIALS)]
    return sum(one.low <= truth and (one.high is None or truth <= one.high) for one in found) / TRIALS


def independent(sessions):
    """Wilson's interval as if the prompts were independent."""
    values = [value for session in sessions for value in session]
    size, rate = len(values), sum(values) / len(values)
    middle = rate + Z**2 / (2 * size)
    reach = Z * sqrt(rate * (1 - rate) / size + Z**2 / (4 * size**2))
    return Estimate(rate, *((middle + side * reach) / (1 + Z**2 / size) for side in (-1, 1)), len(sessions), size)


@pytest.mark.parametrize("likeness", [0.0, 0.2, 0.5])
@pytest.mark.parametrize("rate", [0.5, 0.8, 0.97])
@pytest.mark.parametrize("sessions", some([5, 12, 40, 100], (12,)))
def test_nine_intervals_of_a_share_in_ten_hold_the_truth(sessions, rate, likeness):
    assert held(lambda rng: shares(rng, sessions, rate, likeness), share, rate) >= 0.9


def test_prompts_taken_as_independent_would_claim_too_much():
    assert held(lambda rng: shares(rng, 40, 0.8, 0.5), independent, 0.8) < 0.7


@pytest.mark.parametrize("sessions", some([12, 40], (12,)))
@pytest.mark.parametrize(("rate", "base"), [(0.5, 0.5), (0.95, 0.5), (0.05, 0.02)])
def test_nine_differences_of_shares_in_ten_hold_the_truth(sessions, rate, base):
    def draw(rng):
        yield list(shares(rng, sessions, rate, 0.2))
        yield list(shares(rng, sessions, base, 0.2))

    assert held(draw, lambda pair: difference(*map(share, pair)), rate - base) >= 0.9


@pytest.mark.parametrize(("sessions", "least"), some([(12, 0.85), (40, 0.9)], 1))
@pytest.mark.parametrize(("between", "within"), [(0.0, 0.5), (0.3, 0.4)])
def test_intervals_of_times_hold_the_truth_though_some_take_long(sessions, least, between, within):
    def draw(rng):
        return times(rng, sessions, between, within)

    spread = sqrt(between**2 + within**2)
    late = exp(3 + spread * NormalDist().inv_cdf(0.95))
    assert held(draw, mean, exp(3 + spread**2 / 2)) >= least
    assert held(draw, lambda found: percentile(found, 95), late) >= least
