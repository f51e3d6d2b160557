"""The second signal, measured on pairs labelled by hand. The threshold was chosen on the first, not on the second."""

import pytest
from near_pairs import OTHER, OTHER_LATER, SAME, SAME_LATER

from orchestrate.memory import bug_near
from orchestrate.memory.bug_near import NEAR, SHOWN_MOST, likeness
from orchestrate.memory.bugs import Report, found

ROOT = "/srv/proj"


def measured(same, other):
    """(precision, recall)"""
    hits = sum(likeness(*pair) >= NEAR for pair in same)
    false = sum(likeness(*pair) >= NEAR for pair in other)
    return round(hits / (hits + false), 2), round(hits / len(same), 2)


def test_where_the_threshold_was_chosen():
    assert measured(SAME, OTHER) == (0.95, 0.91)


def test_on_pairs_that_it_was_not_chosen_on():
    assert measured(SAME_LATER, OTHER_LATER) == (0.89, 0.8)


@pytest.mark.parametrize("pair", [*SAME, *OTHER])
def test_likeness_has_no_direction_and_its_bounds(pair):
    one, other = pair
    assert likeness(one, other) == likeness(other, one)
    assert likeness(one, one) == 1.0
    assert 0.0 <= likeness(one, other) <= 1.0


def bug(message, file=None):
    return found(Report(message, file=file), ROOT, ROOT)


def test_the_likest_come_first_and_not_itself_and_few():
    mine = bug("Connection refused by db:5432", "a.py")
    others = [bug(f"connection to db:5432 was refused {word}") for word in ("", "again", "twice over", "now and then")]
    told = bug_near.near(mine, [mine, *others, bug("certificate has expired")], ROOT)
    assert len(told) == SHOWN_MOST
    assert [one.score for one in told] == sorted((one.score for one in told), reverse=True)
    assert told[0].bug == others[0]


def test_the_same_file_counts():
    mine = bug("cart total is wrong", "cart.py")
    here, there = bug("total of the cart wrong", "cart.py"), bug("total of the cart wrong", "shop.py")
    told = {one.bug.file_path: one.score for one in bug_near.near(mine, [here, there], ROOT)}
    assert told["cart.py"] > told["shop.py"]
