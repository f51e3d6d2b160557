import json
from pathlib import Path

import pytest

from routing.routing_core import FOLLOWED_CONFIDENCE, Situation, decide

FOLLOW_UPS = Path(__file__).resolve().parents[2] / "bench" / "routing" / "corpus" / "followup.jsonl"
LEANING = [
    "",
    "   \n",
    "yes",
    "Yes, please!",
    "ok go ahead",
    "do it",
    "no",
    "thanks",
    "continue",
    "lgtm, ship it",
    "ja bitte",
    "oui",
    "sí",
    "好的",
    "はい",
    "да",
    "do the second one",
    "option b",
    "2",
    "B. write it",
    "the former",
    "same for the other file",
    "do the same thing in the client",
    "now make it faster",
    "undo that",
    "try again",
    "still fails",
    "that didn't work",
    "as you suggested, but without the cache",
    "what about the other endpoint",
    "why did you change your plan",
    "explain that again",
    "and in german?",
    "but keep the old name",
    "make those configurable",
    "is this correct?",
    "fix it",
    "refactor this function",
    "again but shorter please",
]
ALONE = [
    "Fix typo in README.md",
    "add a dropdown for all users",
    "what does this repo do",
    "list the open issues of this project",
    "is it safe to upgrade numpy",
    "which one of the services owns the invoices table",
    "write a test that fails when the cache is cold",
    "prove that the merge algorithm is linearizable",
    "run the linter",
    "what port does the dev server use",
    "rename `that` to `other` in parser.py",
    "add an option to hide the sidebar in settings.tsx",
    "explain how the scheduler picks the next job",
    "给登录页面添加一个按钮",
]


@pytest.mark.parametrize("prompt", LEANING)
def test_a_prompt_that_leans_on_the_conversation_stays(prompt):
    assert decide(prompt).action == "stay"


@pytest.mark.parametrize("prompt", LEANING)
def test_nothing_known_is_never_haiku(prompt):
    decision = decide(prompt)
    assert decision.tier != "haiku" or decision.decision == "direct"


def test_words_of_an_answer_are_no_evidence_of_its_work():
    decision = decide("do the second one")
    assert (decision.decision, decision.tier, decision.confidence, decision.features) == (
        "escalate",
        "sonnet",
        0.33,
        (),
    )


@pytest.mark.parametrize("prompt", ALONE)
def test_a_prompt_that_stands_alone_is_delegated(prompt):
    assert decide(prompt).action == "delegate"


@pytest.mark.parametrize("last", ["haiku", "sonnet", "opus"])
@pytest.mark.parametrize("prompt", ["yes", "do the second one", "same for the other file", "go ahead", "好的"])
def test_an_answer_follows_what_it_answers(prompt, last):
    decision = decide(prompt, Situation(last_tier=last, last_age_s=40.0))
    assert (decision.decision, decision.action, decision.tier, decision.confidence) == ("direct", "stay", last, 0.75)
    assert decision.reason.endswith(f"follows the {last} decision before")


def test_an_inherited_tier_is_as_often_right_as_its_confidence_says():
    rows = [json.loads(line) for line in FOLLOW_UPS.read_text(encoding="utf-8").splitlines()]
    right = []
    for row in rows:
        before = decide(row["context"]["follow_up_of"]).tier
        decision = decide(row["prompt"], Situation(last_tier=before, turn=1))
        if "; follows the " in decision.reason:
            right.append(decision.tier in row["accept"])
    assert len(right) > 50
    assert sum(right) / len(right) == pytest.approx(FOLLOWED_CONFIDENCE, abs=0.03)


@pytest.mark.parametrize("last", ["haiku", "opus"])
@pytest.mark.parametrize("prompt", ["fix all of them", "revert that", "build it", "make them agree", "resolve them"])
def test_a_few_words_about_what_was_there_before_follow_it(prompt, last):
    decision = decide(prompt, Situation(last_tier=last, last_age_s=40.0))
    assert (decision.decision, decision.action, decision.tier, decision.confidence) == ("direct", "stay", last, 0.75)


@pytest.mark.parametrize(
    ("prompt", "situation"),
    [
        ("delete those rows", Situation(last_tier="haiku")),
        ("fix all of them", Situation(last_tier="haiku", plan_mode=True)),
        ("fix all of them", Situation(last_tier="haiku", last_age_s=7200.0)),
    ],
)
def test_a_few_words_get_below_no_floor(prompt, situation):
    decision = decide(prompt, situation)
    assert decision.action == "stay"
    assert decision.tier != "haiku"


@pytest.mark.parametrize("prompt", ["commit it", "push that", "show the rest", "run it again", "how many is that"])
def test_what_is_small_anyway_does_not_follow(prompt):
    decision = decide(prompt, Situation(last_tier="opus", last_age_s=40.0))
    assert decision.action == "stay"
    assert "follows" not in decision.reason


@pytest.mark.parametrize("situation", [None, Situation(), Situation(last_tier="opus", last_age_s=7200.0)])
def test_an_answer_to_something_unknown_or_long_ago_is_unsure(situation):
    decision = decide("yes", situation)
    assert (decision.decision, decision.action, decision.tier, decision.confidence) == (
        "escalate",
        "stay",
        "sonnet",
        0.33,
    )


def test_a_task_of_its_own_does_not_follow():
    assert decide("fix the typo in README.md", Situation(last_tier="opus", last_age_s=5.0)).tier == "haiku"


@pytest.mark.parametrize(
    ("prompt", "main", "action"),
    [
        ("fix the typo in README.md", "haiku", "stay"),
        ("fix the typo in README.md", "sonnet", "delegate"),
        ("fix the typo in README.md", "opus", "delegate"),
        ("fix the typo in README.md", None, "delegate"),
        ("write tests for the invoice service", "sonnet", "stay"),
        ("write tests for the invoice service", "opus", "delegate"),
        ("write tests for the invoice service", "haiku", "delegate"),
        ("prove that the merge algorithm is linearizable", "opus", "stay"),
        ("prove that the merge algorithm is linearizable", "fable", "stay"),
        ("prove that the merge algorithm is linearizable", "haiku", "delegate"),
        ("which part of the code reads the feature flags", "sonnet", "stay"),
        ("which part of the code reads the feature flags", "opus", "stay"),
        ("which part of the code reads the feature flags", "haiku", "stay"),
        ("which part of the code reads the feature flags", None, "delegate"),
        ("audit our JWT signing for replay and key confusion attacks", "haiku", "delegate"),
        ("use opus for this", "sonnet", "delegate"),
        ("use opus for this", "opus", "stay"),
        ("use opus for this", None, "delegate"),
    ],
)
def test_the_main_thread_keeps_what_is_its_own_or_within_the_error(prompt, main, action):
    assert decide(prompt, Situation(main_tier=main)).action == action


def test_the_first_prompt_has_no_earlier_work_to_refer_to():
    assert decide("also add a dropdown to the filters page", Situation(turn=3)).action == "stay"
    assert decide("also add a dropdown to the filters page", Situation(turn=0)).action == "delegate"
    assert decide("yes", Situation(turn=0)).action == "stay"


def test_the_reason_says_why_it_stays():
    assert decide("fix the typo in README.md", Situation(main_tier="haiku")).reason.endswith(
        "; the main thread already runs haiku"
    )
    assert decide("refactor this function").reason.endswith("; refers to earlier work")
