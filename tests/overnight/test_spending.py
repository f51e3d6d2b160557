"""What a night has used of a window counts also when it was cut off and is begun again."""

import orjson
import pytest
from night_world import EVENING, LIMITS, SPAN, five, job, week

from orchestrate.overnight import night, spending
from orchestrate.overnight.cost import Cost
from orchestrate.overnight.night import Spent, Start

CAPPED = LIMITS._replace(window_cap_percent=20, max_concurrent=1)


def opened(limits=CAPPED):
    return night.opened(SPAN, limits, EVENING, 1000.0)


def kept(state):
    """As it is read from the store."""
    return orjson.loads(orjson.dumps(spending.account(state)))


def moves(state, *readings, jobs=(), after_s=0.0):
    return night.moves(state, EVENING + after_s, 1000.0 + after_s, readings, list(jobs))


def after_one(points=6.0, used=10.0):
    """The state of a night whose first job has taken so much, before it lands and after."""
    before = moves(opened(), five(used), week(5.0), jobs=[job(1)])
    flying = night.begun(before.state, before.starts[0], 1000.0)
    return flying, night.ended(flying, "id1", points)


def test_what_was_spent_is_known_to_the_night_that_follows():
    _, landed = after_one()
    again = spending.resumed(opened(), kept(landed))
    assert again == opened()._replace(spent=landed.spent)
    assert [(one.window, one.points) for one in again.spent] == [("five_hour", 6.0), ("seven_day", 1.5)]


def test_what_flew_when_it_was_cut_off_has_used_what_was_set_aside():
    flying, _ = after_one()
    again = spending.resumed(opened(), kept(flying))
    assert (again.flights, again.lost) == ((), 6.0)
    assert kept(again) == kept(flying)  # cut off once more, before anything was read
    seen = moves(again, five(10.0), week(5.0)).state
    assert [(one.window, one.points) for one in seen.spent] == [("five_hour", 6.0), ("seven_day", 1.5)]
    assert seen.lost == 0.0


def test_what_flew_blind_counts_as_soon_as_a_window_is_read():
    probe = night.begun(opened(), Start(job(1), Cost(4.0, 20.0, "said"), True), 1000.0)
    again = spending.resumed(opened(), kept(probe))
    assert again.blind == 1
    seen = moves(again, five(10.0)).state
    assert [(one.window, one.points) for one in seen.spent] == [("five_hour", 6.0)]


def test_what_flew_into_a_new_window_counts_there():
    flying, _ = after_one()
    seen = moves(spending.resumed(opened(), kept(flying)), five(0.0), week(5.0), after_s=60).state
    assert [(one.window, one.points) for one in seen.spent] == [("five_hour", 6.0), ("seven_day", 1.5)]


def test_no_more_jobs_run_blind_however_often_it_begins():
    probe = night.begun(opened(), Start(job(1), Cost(4.0, 20.0, "said"), True), 1000.0)
    again = spending.resumed(opened(), kept(night.ended(probe, "id1", None)))
    assert moves(opened(), jobs=[job(2)]).starts
    assert moves(again, jobs=[job(2)]).starts == ()
    assert moves(again, jobs=[job(2)]).stop == night.BLIND


def test_a_night_that_has_told_nothing_has_spent_nothing():
    assert spending.resumed(opened(), None) == opened()
    assert spending.resumed(opened(), kept(opened())) == opened()


@pytest.mark.parametrize(
    ("points", "reading", "after_s", "begins"),
    [
        (6.0, five(16), 60, True),
        (18.0, five(28), 60, False),  # 20 is the cap: 6 and 1 to guard are no longer left
        (18.0, five(0), 60, True),  # it was reset, as its use says
        (18.0, five(28, resets_at=EVENING + 7 * 3600), 3 * 3600, True),  # and as its time says
    ],
)
def test_the_cap_holds_for_the_night_however_often_it_begins(points, reading, after_s, begins):
    _, landed = after_one(points)
    again = spending.resumed(opened(), kept(landed))
    assert bool(moves(again, reading, jobs=[job(2)], after_s=after_s).starts) is begins


def test_it_is_told_as_it_stands():
    state = opened()._replace(spent=(Spent("five_hour", 2.5, 10.0, 99.0),))
    state = night.begun(state, Start(job(1), Cost(4.0, 20.0, "said")), 1000.0)
    assert kept(state) == {
        "spent": [{"window": "five_hour", "points": 2.5, "used": 10.0, "resets_by": 99.0}],
        "in_flight": 6.0,
        "blind": 0,
    }
