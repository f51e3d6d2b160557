import pytest

from routing.correction import DELTAS_MOST, Correction, parse, weights_digest
from routing.routing_core import Situation, decide
from routing.score import TIERS

GOOD = {"v": 1, "id": "c-1", "weights": "w", "shifts": [0.5, -0.5], "deltas": {"stack trace": [0.25, 0.5]}}
PROMPTS = (
    "Fix typo in README.md",
    "Add a retry to the uploader and test it",
    "Why do these two workers deadlock under load?",
    "Rename foo to bar in a.py",
)


def test_a_correction_is_read_as_it_was_written():
    found = parse(GOOD, "w")
    assert (found.id, found.shifts, found.deltas) == ("c-1", (0.5, -0.5), {"stack trace": (0.25, 0.5)})


@pytest.mark.parametrize(
    "change",
    [
        {"weights": "other"},
        {"v": 2},
        {"v": None},
        {"id": None},
        {"id": 7},
        {"shifts": None},
        {"shifts": [0.5]},
        {"shifts": [0.5, 0.5, 0.5]},
        {"shifts": [2.5, 0.0]},
        {"shifts": [float("nan"), 0.0]},
        {"shifts": [float("inf"), 0.0]},
        {"shifts": [10**400, 0.0]},
        {"shifts": [True, 0.0]},
        {"shifts": ["0.5", 0.0]},
        {"deltas": None},
        {"deltas": []},
        {"deltas": {"stack trace": [1.5, 0.0]}},
        {"deltas": {"stack trace": 0.5}},
        {"deltas": {f"fact {number}": [0.1, 0.1] for number in range(DELTAS_MOST + 1)}},
    ],
)
def test_a_correction_that_says_more_than_it_may_counts_for_nothing(change):
    assert parse({**GOOD, **change}, "w") is None


def test_an_empty_record_is_no_correction():
    assert parse({}, "w") is None


@pytest.mark.parametrize(
    ("values", "moved"),
    [
        ([0.0, 0.0, 0.0], (0.5, -0.5)),
        ([1.0, 0.0, 0.0], (0.75, 0.0)),
        ([0.0, 1.0, 1.0], (0.7, -0.7)),  # steps of one name count together
    ],
)
def test_a_correction_adds_its_shift_and_what_its_facts_weigh(values, moved):
    found = Correction("c", (0.5, -0.5), {"stack trace": (0.25, 0.5), "length": (0.1, -0.1)})
    assert found.of(("stack trace", "length", "length"), values) == pytest.approx(moved)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_correction_of_nothing_changes_nothing(prompt):
    assert decide(prompt, None, Correction("c", (0.0, 0.0))).as_dict() == decide(prompt).as_dict()


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_correction_moves_the_decision_its_own_way_only(prompt):
    ranks = [TIERS.index(decide(prompt, None, Correction("c", (by, by))).tier) for by in (-2.0, 0.0, 2.0)]
    assert ranks == sorted(ranks)


def test_a_correction_speaks_among_the_features():
    found = dict(decide("Add a retry to the uploader and test it", None, Correction("c", (1.5, 1.5))).features)
    assert found["your correction"] == 1.5
    assert "your correction" not in dict(decide("Add a retry to the uploader and test it").features)


@pytest.mark.parametrize(
    ("prompt", "situation"),
    [
        ("use haiku for this", Situation()),
        ("yes", Situation(last_tier="haiku", last_age_s=5.0)),
        ("drop the customers table in production", Situation()),
    ],
)
def test_a_correction_leaves_choices_answers_and_floors_alone(prompt, situation):
    assert decide(prompt, situation, Correction("c", (-2.0, -2.0))).tier == decide(prompt, situation).tier


def test_the_digest_is_that_of_the_weights_beside_it():
    assert len(weights_digest()) == 16
    assert weights_digest() == weights_digest()
