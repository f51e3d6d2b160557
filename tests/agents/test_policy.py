"""What follows an attempt, as a table of moves."""

import pytest
from replay import parts, tally_of

from orchestrate.agents.outcome import KINDS, Outcome
from orchestrate.agents.policy import (
    Attempt,
    Evidence,
    Limits,
    Move,
    evidence_in,
    fallen,
    next_move,
    stand_in,
    tier_of,
)
from orchestrate.agents.stream import Fallback, Tally

NOW = 1_000_000.0
LIMITS = Limits(random=0.0)  # jitter at its least: half of the step


def after(*kinds, model="haiku"):
    return [Attempt(model, kind) for kind in kinds]


def move(kind, history, limits=LIMITS, evidence=None, **more):
    return next_move(Outcome(kind, "why", **more), history, limits, NOW, evidence)


def retry(after_s, model="haiku"):
    return Move("retry", "why", after_s=after_s, model=model)


def fail(code):
    return Move("fail", "why", code)


DONE = Move("done", "")


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("blocked", 4),
        ("auth", 1),
        ("budget", 4),
        ("permission_denied", 4),
        ("aborted", 130),
        ("killed", 1),
        ("stalled", 124),
        ("cli_missing", 1),
    ],
)
def test_what_no_second_try_mends_fails_at_once(kind, code):
    assert move(kind, after(kind)) == fail(code)


@pytest.mark.parametrize(
    ("kind", "code"), [("crashed", 1), ("no_json", 1), ("empty", 1), ("lying_success", 1), ("timeout", 124)]
)
def test_a_fluke_is_tried_once_more(kind, code):
    assert move(kind, after(kind)) == retry(0.0)
    assert move(kind, after(kind, kind)) == fail(code)
    assert move(kind, after("overloaded", kind)) == retry(0.0)


@pytest.mark.parametrize(
    ("history", "after_s"),
    [(1, 0.5), (2, 1.0), (3, 2.0)],
)
@pytest.mark.parametrize("kind", ["overloaded", "api_error", "rate_limited"])
def test_what_passes_by_itself_is_waited_for_longer_each_time(kind, history, after_s):
    assert move(kind, after(*[kind] * history)) == retry(after_s)


def test_jitter_stays_within_the_step_and_the_step_within_its_most():
    limits = Limits(retries=9, random=0.999)
    assert move("api_error", after("api_error"), limits).after_s == pytest.approx(0.9995)
    assert move("api_error", after(*["api_error"] * 9), limits).after_s == pytest.approx(29.985)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, retry(0.5)),
        (408, retry(0.5)),
        (409, retry(0.5)),
        (500, retry(0.5)),
        (503, retry(0.5)),
        (400, fail(1)),
        (413, fail(1)),
    ],
)
def test_an_api_error_is_tried_again_when_the_service_is_at_fault(status, expected):
    assert move("api_error", after("api_error"), status=status) == expected


@pytest.mark.parametrize(
    ("reset_at", "deadline", "expected"),
    [
        (NOW + 60, None, retry(60.5)),
        (NOW + 60, NOW + 100, retry(60.5)),
        (NOW + 60, NOW + 60.5, fail(1)),
        (NOW + 86400, NOW + 100, fail(1)),
        (NOW - 60, NOW + 100, retry(0.5)),
        (None, NOW + 100, retry(0.5)),
    ],
)
def test_a_reset_is_waited_for_when_there_is_time(reset_at, deadline, expected):
    assert (
        move("rate_limited", after("rate_limited"), LIMITS._replace(deadline=deadline), reset_at=reset_at) == expected
    )


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_started_after_the_deadline(kind):
    late = LIMITS._replace(deadline=NOW)
    assert move(kind, after(kind), late).kind == ("done" if kind == "ok" else "fail")
    assert move("ok", after("ok"), late, Evidence(red_check="pytest")).kind == "fail"


@pytest.mark.parametrize("kind", KINDS)
def test_no_run_goes_on_for_ever(kind):
    many = [Attempt(f"model-{number}", kind) for number in range(10)]
    assert move(kind, many, Limits(retries=99, escalations=99)).kind in ("done", "fail")


@pytest.mark.parametrize(
    ("model", "stands_in"), [("haiku", "sonnet"), ("sonnet", "opus"), ("opus", "sonnet"), ("claude-opus-5-5", "sonnet")]
)
def test_another_model_stands_in(model, stands_in):
    fallback = Move("fallback", "why", model=stands_in)
    assert move("model_not_found", after("model_not_found", model=model)) == fallback
    assert move("overloaded", after(*["overloaded"] * 4, model=model)) == fallback


def test_the_chain_of_stand_ins_has_an_end():
    tried = [Attempt(model, "model_not_found") for model in ("opus", "claude-sonnet-5-5")]
    assert move("model_not_found", tried) == Move("fallback", "why", model="haiku")
    assert move("model_not_found", [*tried, Attempt("haiku", "model_not_found")]) == fail(1)


def test_only_named_stand_ins_are_used():
    limits = LIMITS._replace(stand_ins=("claude-opus-4-8",))
    assert stand_in("opus", [], limits) == "claude-opus-4-8"
    assert stand_in("claude-opus-4-8", [], limits) is None
    assert stand_in("opus", [], LIMITS._replace(stand_ins=())) is None
    assert stand_in("someone-elses-model", [], LIMITS) is None


def test_who_stood_in_within_the_client_does_not_do_so_again():
    tried = [Attempt("haiku", "model_not_found", stood_in="sonnet")]
    assert move("model_not_found", tried) == Move("fallback", "why", model="opus")


def test_work_that_a_stand_in_did_goes_to_the_tier_above_it():
    tried = [Attempt("haiku", "max_turns", stood_in="sonnet")]
    assert move("max_turns", tried) == Move("escalate", "why", tier="opus")


@pytest.mark.parametrize(
    ("triggers", "answered_by", "stand_in", "expected"),
    [
        (["overloaded"], "claude-sonnet-5-5", "sonnet", ("sonnet", "overloaded")),
        (["server_error"], "claude-sonnet-5-5", "sonnet", ("sonnet", "api_error")),
        (["model_not_found"], None, "sonnet", ("sonnet", "model_not_found")),
        (["last_resort"], None, "sonnet", ("sonnet", "last_resort")),
        (["overloaded"], "claude-sonnet-5-5", "", ("claude-sonnet-5-5", "overloaded")),  # of the client's own settings
        ([], "claude-sonnet-5-5", "sonnet", ("sonnet", "overloaded")),  # a client that does not tell
        ([], "claude-opus-5-5", "sonnet", ("", "")),
        ([], "claude-haiku-5-5", "sonnet", ("", "")),
        ([], "claude-haiku-5-5", "", ("", "")),
        ([], "a-gateway-s-own", "sonnet", ("", "")),
        ([], None, "sonnet", ("", "")),
    ],
)
def test_a_fallback_within_the_client_is_seen(triggers, answered_by, stand_in, expected):
    tally = Tally()
    tally.fallbacks = [Fallback(trigger, "claude-haiku-5-5", "claude-sonnet-5-5") for trigger in triggers]
    tally.answered_by = answered_by
    assert fallen("haiku", stand_in, tally) == expected


@pytest.mark.parametrize("kind", ["overloaded", "api_error", "rate_limited"])
def test_a_model_behind_an_open_breaker_is_left_at_once(kind):
    limits = LIMITS._replace(closed=frozenset({"haiku", "sonnet"}))
    assert move(kind, after(kind), limits) == Move("fallback", "why", model="opus")
    assert move(kind, after(kind), limits._replace(stand_ins=())) == fail(1)


@pytest.mark.parametrize("kind", ["api_error", "rate_limited", "crashed", "empty", "timeout"])
def test_infrastructure_never_makes_the_work_dearer(kind):
    kinds = {move(kind, after(*[kind] * times)).kind for times in range(1, 9)}
    assert kinds == {"retry", "fail"}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("haiku", Move("escalate", "why", tier="sonnet")),
        ("claude-sonnet-5-5", Move("escalate", "why", tier="opus")),
        ("opus", fail(1)),
        ("someone-elses-model", fail(1)),
    ],
)
def test_too_many_turns_ask_for_a_stronger_tier(model, expected):
    assert move("max_turns", after("max_turns", model=model)) == expected


RED = Evidence(red_check="pytest -q")
RED_FAIL = Move("fail", "the check is red: pytest -q", 1)


@pytest.mark.parametrize(
    ("evidence", "model", "expected"),
    [
        (None, "haiku", DONE),
        (Evidence(), "haiku", DONE),
        (Evidence("opus", "a proof"), "haiku", Move("escalate", "a proof", tier="opus")),
        (Evidence("sonnet", "a bit"), "haiku", Move("escalate", "a bit", tier="sonnet")),
        (Evidence("haiku", "too easy"), "sonnet", DONE),
        (Evidence("opus", "again"), "opus", DONE),
        (RED, "haiku", Move("escalate", "the check is red: pytest -q", tier="sonnet")),
        (RED._replace(asked_tier="opus"), "haiku", Move("escalate", "the check is red: pytest -q", tier="opus")),
        (RED._replace(asked_tier="haiku"), "sonnet", Move("escalate", "the check is red: pytest -q", tier="opus")),
        (RED, "opus", RED_FAIL),
        (Evidence(no_check="there is no pytest"), "haiku", Move("fail", "there is no pytest", 1)),
    ],
)
def test_evidence_makes_an_answer_go_up(evidence, model, expected):
    assert move("ok", after("ok", model=model), evidence=evidence) == expected


def test_escalations_are_counted():
    second = [Attempt("haiku", "max_turns"), Attempt("sonnet", "overloaded"), Attempt("sonnet", "ok")]
    assert move("ok", second, evidence=RED) == RED_FAIL
    assert move("ok", second, Limits(escalations=2), RED).tier == "opus"


def test_a_model_that_the_user_named_is_kept():
    assert move("ok", after("ok"), Limits(escalations=0), RED) == RED_FAIL
    assert move("max_turns", after("max_turns"), Limits(escalations=0)) == fail(1)


def test_no_escalation_into_an_open_breaker():
    limits = LIMITS._replace(closed=frozenset({"sonnet"}))
    assert move("max_turns", after("max_turns"), limits) == Move("escalate", "why", tier="opus")


@pytest.mark.parametrize(
    ("name", "evidence"),
    [
        ("ok_text", Evidence()),
        ("ok_structured", Evidence()),
        ("ok_structured_escalate", Evidence("opus", "needs a proof")),
        ("crashed_bad_flag", Evidence()),
    ],
)
def test_an_agent_asks_for_more_in_its_structured_output(name, evidence):
    assert evidence_in(tally_of(parts(name)[1]).result) == evidence


@pytest.mark.parametrize(
    ("output", "evidence"),
    [
        ({"escalate": "gpt", "why": "x"}, Evidence()),
        ({"escalate": ["opus"]}, Evidence()),
        ({"escalate": "opus", "why": 7}, Evidence("opus")),
        ("opus", Evidence()),
    ],
)
def test_only_a_known_tier_can_be_asked_for(output, evidence):
    assert evidence_in({"structured_output": output}) == evidence


@pytest.mark.parametrize(
    ("answer", "evidence"),
    [
        ('{"escalate": "opus", "why": "a race"}', Evidence("opus", "a race")),
        (' {"escalate": "sonnet"}\n', Evidence("sonnet")),
        ('{"escalate": "gpt"}', Evidence()),
        ('It says {"escalate": "opus"}', Evidence()),
        ('{"escalate": "opus"', Evidence()),
        ('{"escalate": "opus"} as asked', Evidence()),
        ("", Evidence()),
    ],
)
def test_an_agent_without_a_schema_asks_by_its_whole_answer(answer, evidence):
    assert evidence_in({"result": answer}) == evidence


@pytest.mark.parametrize(
    ("model", "tier"), [("haiku", "haiku"), ("claude-sonnet-5-5", "sonnet"), ("opus[1m]", "opus"), ("fable", None)]
)
def test_tier(model, tier):
    assert tier_of(model) == tier
