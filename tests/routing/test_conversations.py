import pytest
from conversations import ALONE, STAYS

from routing.routing_core import Situation, decide

SITUATION = Situation(turn=3)
ROWS = [*((row, "stay") for row in STAYS.split("\n") if row), *((row, "delegate") for row in ALONE.split("\n") if row)]
MISSES_MOST = 0


def test_there_are_enough_of_them():
    assert len({prompt for prompt, _ in ROWS}) == len(ROWS) >= 150


def test_who_leans_on_the_conversation_stays_and_who_does_not_is_handed_over():
    missed = [(prompt, action) for prompt, action in ROWS if decide(prompt, SITUATION).action != action]
    assert len(missed) <= MISSES_MOST, missed


@pytest.mark.parametrize("last", ["haiku", "sonnet", "opus"])
def test_what_failed_last_is_not_tried_again_on_less(last):
    tiers = ["haiku", "sonnet", "opus"]
    tier = decide("fix it", Situation(last_tier=last, last_age_s=9.0, last_failed=True, turn=2)).tier
    assert tiers.index(tier) >= tiers.index(last)


@pytest.mark.parametrize(
    ("prompt", "size", "tier"),
    [
        ("rename `cfg` to `settings` in loader.py", None, "haiku"),
        ("rename `cfg` to `settings` in loader.py", 4_000, "haiku"),
        ("rename `cfg` to `settings` in loader.py", 900_000, "sonnet"),
        ("count the lines of data/all.csv", 900_000, "haiku"),
    ],
)
def test_a_change_to_large_files_cannot_be_checked_at_a_glance(prompt, size, tier):
    assert decide(prompt, Situation(named_bytes=size)).tier == tier


def test_the_permission_mode_tells_plan_mode():
    assert Situation(permission_mode="plan").plan_mode
    assert not Situation(permission_mode="acceptEdits").plan_mode
