import pytest

from orchestrate.shadow.evidence import OPEN, PASSED, REFUSED, Pair, standing, wilson

GOOD, CONTROLLED = Pair(True), Pair(True, saw_control=True)
WORSE, BROKE = Pair(False), Pair(False, is_regression=True)


def pairs(good, worse=0, broke=0, controls=10, seen=10, green=True):
    """The bad ones first, so that no earlier look passes."""
    saw = [*[True] * min(seen, controls), *[False] * (controls - seen), *[None] * good]
    return [*[WORSE] * worse, *[BROKE] * broke, *(Pair(True, False, green, saw[number]) for number in range(good))]


@pytest.mark.parametrize(
    ("tried", "outcome", "why"),
    [
        ([], OPEN, "0 pairs, 50 are needed"),
        (pairs(49), OPEN, "49 pairs, 50 are needed"),
        (pairs(50), PASSED, "as good, beyond chance"),
        (pairs(49, worse=1), OPEN, "as good in 49 of 50, which may be 88%: 90% is needed"),
        (pairs(97, worse=3), PASSED, "as good, beyond chance"),
        (pairs(96, worse=4), OPEN, "as good in 96 of 100, which may be 89%: 90% is needed"),
        (pairs(97, broke=3), OPEN, "it alone broke the tests in 3 of 100"),
        (pairs(98, broke=2), PASSED, "as good, beyond chance"),
        (pairs(50, green=False), OPEN, "the check is green for the dearer tier in 0 of 50 only: it tells too little"),
        (pairs(50, controls=0), OPEN, "the judge saw through 0 of 0 controls: it is not to be believed"),
        (pairs(50, seen=7), OPEN, "the judge saw through 7 of 10 controls: it is not to be believed"),
        (pairs(50, seen=8), PASSED, "as good, beyond chance"),
        (pairs(12, worse=8), REFUSED, "20 pairs, 50 are needed"),
        (pairs(8, worse=8), OPEN, "16 pairs, 50 are needed"),
        (pairs(186, worse=14, controls=20, seen=20), REFUSED, "as good in 186 of 200, which may be 88%: 90% is needed"),
    ],
)
def test_a_class_stands_as_its_pairs_say(tried, outcome, why):
    found = standing(tried)
    assert (found.outcome, found.why) == (outcome, why)


def test_between_two_looks_nothing_passes():
    unlucky = [WORSE, *[CONTROLLED] * 49]
    assert standing(unlucky).outcome == OPEN
    assert standing([*unlucky, *[CONTROLLED] * 49])[:2] == (OPEN, "looked at again at 100 pairs")
    assert standing([*unlucky, *[CONTROLLED] * 50]).outcome == PASSED


def test_what_has_passed_is_not_undone_by_more_pairs():
    assert standing([*pairs(50), *[WORSE] * 40]).pairs == 50


@pytest.mark.parametrize(
    ("successes", "count", "low", "high"),
    [(0, 0, 0.0, 1.0), (50, 50, 0.9087, 1.0), (49, 50, 0.8753, 0.9971), (0, 50, 0.0, 0.0913), (5, 10, 0.2107, 0.7893)],
)
def test_the_bounds_are_wilsons(successes, count, low, high):
    assert wilson(successes, count) == pytest.approx((low, high), abs=5e-4)
