"""A cheaper tier that is worse does not step down, and one that is as good does: 200 seeds of each."""

import planted
import pytest
from tiers import some


@pytest.mark.parametrize("judge", some([planted.EXACT, planted.GOOD, planted.NOISY], 1))
@pytest.mark.parametrize("gap", [10, 20])
@pytest.mark.parametrize("most", [50, 200])
def test_a_gap_of_ten_points_and_more_is_refused(gap, judge, most):
    assert planted.accepted(gap, judge, most)[0] <= 0.05


@pytest.mark.parametrize("judge", [planted.EXACT, planted.GOOD, planted.NOISY])
def test_true_equality_passes(judge):
    assert planted.accepted(0, judge)[0] >= 0.95


@pytest.mark.parametrize("judge", some([planted.LAZY, planted.TOSSING], 1))
@pytest.mark.parametrize("gap", some(planted.GAPS, planted.GAPS[:2]))
def test_a_judge_who_does_not_look_lets_nothing_pass(gap, judge):
    assert planted.accepted(gap, judge)[0] == 0
