"""Users of whom the truth is known: it is learned where there is something to learn, and refused where there is not."""

import pytest
from made_users import WEIGHTS, boundaries, careless, judged, prompts, shifted, verdict
from tiers import some

from orchestrate.learning import examples, trial
from orchestrate.learning.fit import fit
from orchestrate.learning.kept import Kept
from orchestrate.learning.lesson import KEPT, LEARNED, WITHDRAWN, Found, taught
from routing import routing_core
from routing.correction import DELTA_MOST, DELTAS_MOST, SHIFT_MOST, Correction, parse, weights_digest
from routing.score import TIERS

TEXTS = prompts(300)
SEEN, UNSEEN = TEXTS[:120], TEXTS[120:]
DEARER = boundaries(1, 1, TEXTS)
AT = "2026-11-21T12:00:00.000Z"
AT_RISK = ("drop the orders table", "force push the branch", "delete all rows of the users table in production")
# Also those by which a prompt is just haiku, so that the router is unsure of it.
LEANINGS = [Correction("c", (quarter / 4, quarter / 4)) for quarter in range(-8, 9)]
CORRECTIONS = (None, *LEANINGS, Correction("c", (1.0, -0.5), {"stack trace": (0.5, 0.5), "length": (0.1, 0.1)}))


def found(made):
    return Found(made, {"user": len(made)}, 0, 0)


@pytest.mark.parametrize("correction", some(CORRECTIONS, 5))
def test_an_example_is_decided_as_the_router_decides(correction):
    for text in (*TEXTS[:60], *AT_RISK):
        example = examples.of_text(text, TIERS, WEIGHTS)
        decision = routing_core.decide(text, routing_core.Situation(turn=0), correction)
        assert (text, TIERS[example.tier(WEIGHTS, correction)]) == (text, decision.tier)


@pytest.mark.parametrize(
    "direction", [(1, 1), *(pytest.param(one, marks=pytest.mark.slow) for one in [(-1, -1), (0, -1)])]
)
def test_a_shifted_user_is_learned_and_served_better_on_what_nobody_has_seen(direction):
    shift = boundaries(*direction, TEXTS)
    lesson = taught(found(shifted(SEEN, shift)), WEIGHTS, None, AT)
    assert lesson.outcome == LEARNED
    correction = parse(lesson.record, weights_digest())
    unseen = trial.of(shifted(UNSEEN, shift), WEIGHTS, correction)
    assert unseen.cheaper.is_sure
    assert unseen.right_corrected > unseen.right_shipped


def test_what_is_learned_stays_within_its_bounds():
    correction = fit(shifted(TEXTS, (9.0, 9.0)))
    assert max(map(abs, correction.shifts)) <= SHIFT_MOST
    assert len(correction.deltas) <= DELTAS_MOST
    assert all(abs(value) <= DELTA_MOST for pair in correction.deltas.values() for value in pair)


@pytest.mark.slow
def test_careless_users_are_refused_nearly_always():
    """The bound is one in forty, and half of them see a tier that might as well be another."""
    outcomes = [taught(found(careless(TEXTS[: 60 + 2 * seed], seed)), WEIGHTS, None, AT).outcome for seed in range(40)]
    assert outcomes.count(LEARNED) <= 2
    assert set(outcomes) <= {LEARNED, KEPT}


def test_a_user_of_the_shipped_weights_keeps_them():
    lesson = taught(found(judged(SEEN, lambda _text, _decided: "good")), WEIGHTS, None, AT)
    assert (lesson.outcome, lesson.record, lesson.trial.right_shipped) == (KEPT, None, 1.0)


@pytest.mark.parametrize("count", some([0, 5, 29], (29,)))
def test_few_signals_are_refused_however_clear(count):
    lesson = taught(found(shifted(TEXTS, DEARER)[:count]), WEIGHTS, None, AT)
    assert (lesson.outcome, lesson.trial) == (KEPT, None)
    assert lesson.why == f"{count} prompts with a signal and a text, 30 are needed"


def test_the_same_text_said_often_is_one_text():
    made = shifted(TEXTS, DEARER)[:10] * 10
    assert taught(found(made), WEIGHTS, None, AT).trial is None


def test_signals_that_contradict_one_another_are_refused():
    """Of every text he says once that the tier was right and once that it was not."""
    right = judged(SEEN, lambda _text, _decided: "good")
    wrong = judged(SEEN, lambda _text, decided: "too-strong" if decided == "opus" else "too-weak")
    lesson = taught(found([*right, *wrong]), WEIGHTS, None, AT)
    assert (lesson.outcome, lesson.trial, lesson.found.contradicting) == (KEPT, None, 240)


def test_a_correction_that_has_become_worse_than_the_shipped_weights_is_withdrawn():
    standing = Correction("c-old", (2.0, 2.0))
    content = found(judged(SEEN, lambda _text, _decided: "good"))
    lesson = taught(content, WEIGHTS, Kept({"id": "c-old"}, standing, ""), AT)
    assert (lesson.outcome, lesson.record) == (WITHDRAWN, None)


def test_a_correction_that_still_serves_stays_where_no_better_one_is_found():
    standing = Correction("c-old", (0.0, 0.0))
    lesson = taught(found(careless(SEEN, 1)), WEIGHTS, Kept({"id": "c-old"}, standing, ""), AT)
    assert (lesson.outcome, lesson.record) == (KEPT, {"id": "c-old"})


@pytest.mark.slow
def test_the_same_signals_teach_the_same():
    content = found(shifted(SEEN, DEARER))
    assert taught(content, WEIGHTS, None, AT) == taught(content, WEIGHTS, None, AT)


@pytest.mark.parametrize(
    ("accept", "tier", "cost"),
    [
        (["haiku"], "haiku", 1.0),
        (["haiku"], "opus", 5.0),
        (["sonnet"], "haiku", 8.0),  # haiku, then sonnet, and the user's time
        (["sonnet", "opus"], "haiku", 8.0),
        (["opus"], "sonnet", 12.0),
    ],
)
def test_too_weak_a_tier_costs_the_work_done_twice_and_the_users_time(accept, tier, cost):
    assert examples.of_text("Add a retry", accept, WEIGHTS).cost(TIERS.index(tier)) == cost


def test_verdicts_of_the_simulation_are_what_they_say():
    assert [verdict("sonnet", true) for true in TIERS] == ["too-strong", "good", "too-weak"]


def test_haiku_of_which_the_router_is_not_sure_is_sonnet():
    strict = examples.weights()
    strict.line = 1.1
    example = examples.of_text("Fix typo in README.md", ["haiku"], WEIGHTS)
    assert [TIERS[example.tier(weights, Correction("c", (-2.0, -2.0)))] for weights in (WEIGHTS, strict)] == [
        "haiku",
        "sonnet",
    ]
