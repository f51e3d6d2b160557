"""What the router answers to a row, how steady it is and how long it takes."""

import random

import pytest

from orchestrate.measure import routing_answers, routing_latency, routing_robustness
from orchestrate.measure.routing_rows import Asked
from routing import routing_core
from state.errors import UserError

BEFORE = "prove that the lock-free queue is linearizable under weak memory ordering"


def asked(prompt, **context):
    return Asked(prompt, context, "", "rows.jsonl:7")


def facts(situation):
    return {name: getattr(situation, name) for name in situation.__slots__ if getattr(situation, name)}


def test_an_answer_is_the_decision_and_the_rank_that_the_scores_expect():
    typo, proof = routing_answers.answers([asked("fix the typo in README.md"), asked(BEFORE)])
    decision = routing_core.decide(BEFORE)
    assert (typo.tier, proof.tier) == ("haiku", "opus")
    assert 0 <= typo.score < 1 < proof.score <= 2
    assert (proof.confidence, proof.is_answered) == (decision.confidence, not decision.abstained)


def test_an_answer_that_abstains_is_none():
    assert not routing_answers.answers([asked("yes")])[0].is_answered


@pytest.mark.parametrize(
    ("context", "known"),
    [
        ({}, {}),
        ({"project": "godot 4", "open_files": ["a.py"]}, {}),
        ({"follow_up_of": BEFORE}, {"turn": 1, "last_tier": "opus"}),
        ({"follow_up_of": BEFORE, "last_tier": "haiku", "turn": 9}, {"turn": 9, "last_tier": "haiku"}),
        ({"follow_up_of": None, "last_tier": None}, {}),
        (
            {"main_tier": "opus", "last_age_s": 2.5, "plan_mode": True, "failures": 2},
            {"main_tier": "opus", "last_age_s": 2.5, "plan_mode": True, "failures": 2},
        ),
    ],
)
def test_a_situation_is_what_the_hook_would_know(context, known):
    assert facts(routing_answers.situation(asked("yes", **context))) == known


@pytest.mark.parametrize(
    ("name", "value"), [("turn", "3"), ("plan_mode", 1), ("failures", True), ("last_tier", 5), ("last_age_s", [])]
)
def test_a_fact_of_another_type_is_told(name, value):
    with pytest.raises(UserError) as raised:
        routing_answers.situation(asked("secret", **{name: value}))
    assert str(raised.value) == f"rows.jsonl:7: context.{name} is of another type than the router takes"


def test_a_bare_answer_has_the_tier_of_what_it_follows():
    assert [one.tier for one in routing_answers.answers([asked("yes go", follow_up_of=BEFORE)])] == ["opus"]


@pytest.mark.parametrize(
    ("kind", "prompt", "changed"),
    [
        ("case", "Fix it", ["fix it", "FIX IT", "fix it"]),
        ("whitespace", "a b\n  c d", ["\n  a b\n  c d", "a b\n  c d \n\n", "a  b\n  c  d", "a b\r\n  c d"]),
        (
            "politeness",
            "fix {}",
            [
                "please fix {}",
                "fix {}\n\nthanks!",
                "could you please help me with this: fix {}",
                "fix {} thank you very much",
            ],
        ),
        ("prefix", "fix", ["hi, fix", "ok so fix", "next: fix", "in this repo: fix", "- fix"]),
        ("paraphrase", "Fix it and show me", ["correct it and show me", "Fix it and display me"]),
        ("paraphrase", "prefix", []),
        ("typos", "a b cd", ["a b cd"]),
    ],
)
def test_changes_leave_the_request_as_it_is(kind, prompt, changed):
    assert list(routing_robustness.KINDS[kind](prompt, random.Random(1))) == changed


def test_typos_swap_neighbours_within_words():
    prompt = "rename the configuration loader everywhere in the repository"
    (changed,) = routing_robustness.KINDS["typos"](prompt, random.Random(1))
    assert changed != prompt
    assert [len(word) for word in changed.split()] == [len(word) for word in prompt.split()]
    assert [sorted(word) for word in changed.split()] == [sorted(word) for word in prompt.split()]
    assert sum(a != b for a, b in zip(prompt, changed, strict=True)) <= 4


def test_a_typo_is_never_a_swap_of_equal_letters():
    assert {next(routing_robustness.KINDS["typos"]("aaabaa", random.Random(seed))) for seed in range(9)} == {
        "aabaaa",
        "aaaaba",
    }


def test_robustness_counts_what_differs_only(monkeypatch):
    """The user's own choice stays whatever stands around it, and goes with the word for it."""
    found = {one.kind: one for one in routing_robustness.robustness([asked("use opus to fix the parser")])}
    assert (found["case"].variants, found["case"].unchanged) == (2, 1.0)
    assert (found["prefix"].variants, found["prefix"].unchanged) == (5, 1.0)
    assert (found["paraphrase"].variants, found["paraphrase"].unchanged) == (1, 1.0)
    monkeypatch.setitem(
        routing_robustness.KINDS, "case", lambda prompt, _: iter([prompt, prompt.replace("opus", "it")])
    )
    moved = routing_robustness.robustness([asked("use opus to fix the typo")])[0]
    assert (moved.kind, moved.variants, moved.unchanged) == ("case", 1, 0.0)


def test_what_no_change_touches_is_unknown():
    found = {one.kind: one for one in routing_robustness.robustness([asked("12 34")])}
    assert (found["case"].unchanged, found["typos"].unchanged, found["paraphrase"].unchanged) == (None, None, None)


def test_robustness_does_not_change():
    rows = [asked(f"{verb} the parser in module {place}") for place, verb in enumerate(("fix", "review", "rename") * 5)]
    assert routing_robustness.robustness(rows) == routing_robustness.robustness(rows)


def test_latency_is_told_by_length():
    rows = [asked("x" * size) for size in (99, 100, 499, 500, 1999, 2000, 8192, 9000)]
    found = routing_latency.latency(rows)
    assert [(one.shorter_than, one.prompts) for one in found] == [(100, 1), (500, 2), (2000, 2), (8192, 1), (None, 2)]
    assert all(0 < one.p50_ms <= one.p99_ms <= one.p99_call_ms for one in found)


def test_the_first_round_does_not_count(monkeypatch):
    """It is the one that loads the weights: here a second, and all others a millisecond."""
    ticks = iter([0, 10**9, *(tick for call in range(routing_latency.ROUNDS) for tick in (call, call + 10**6))])
    monkeypatch.setattr(routing_latency, "perf_counter_ns", lambda: next(ticks))
    (found,) = routing_latency.latency([asked("fix it")])
    assert (found.p50_ms, found.p99_ms, found.p99_call_ms, next(ticks, None)) == (1.0, 1.0, 1.0, None)


@pytest.mark.parametrize(("percent", "value"), [(50, 50), (99, 99), (100, 100), (0, 1)])
def test_percentiles_are_nearest_ranks(percent, value):
    assert routing_latency.percentile(range(100, 0, -1), percent) == value
