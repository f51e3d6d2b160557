import pytest

from routing import economics, main_thread
from routing.economics import Usage
from routing.main_thread import Past, Wish, decide

SHORT_DIPS = {"base": "opus", "to": "opus", "past": {"sonnet": [9, 9, 9]}}


def used(model="opus", context=100_000, **known):
    return Usage(model, cache_read=context, at=1000.0, **known)


def to(wish, served, before=None, usage=None, age_s=30.0):
    return decide(wish, served, usage or used(served), age_s, before or {}).choice.tier


def left(**known):
    return {"base": "opus", "to": "haiku", "wanted": "haiku", "switch": True, "since": 0, "past": {}, **known}


@pytest.mark.parametrize(
    ("wish", "served", "before", "tier"),
    [
        (Wish("opus"), "haiku", left(), "opus"),  # a sure wish for more is met, whatever it costs
        (Wish("opus"), "haiku", {}, "opus"),  # above the user's own choice, too
        (Wish("opus", is_sure=False), "haiku", {}, "haiku"),  # an unsure one is not
        (Wish("opus", is_sure=False), "haiku", left(), "opus"),  # but goes back to what the user chose
        (Wish("sonnet", is_sure=False), "haiku", left(base="sonnet"), "sonnet"),
        (Wish("haiku", is_sure=False), "opus", {}, "opus"),  # and never down
        (Wish("sonnet"), "opus", SHORT_DIPS, "opus"),
        (Wish("sonnet", is_asked=True), "opus", SHORT_DIPS, "sonnet"),  # the user's word counts in both directions
        (Wish("opus", is_asked=True), "haiku", {}, "opus"),
        (Wish("haiku", is_asked=True), "gpt-7", {}, "gpt-7"),  # nothing is known of what runs
    ],
)
def test_the_tier_for_a_wish(wish, served, before, tier):
    assert to(wish, served, before) == tier


@pytest.mark.parametrize("served", [None, ""])
def test_a_fresh_session_of_unknown_model_follows_a_sure_router(served):
    assert decide(Wish("haiku"), served, None, None, {}).as_dict()["to"] == "haiku"
    assert decide(Wish("opus", is_sure=False), served, None, None, {}).as_dict()["to"] is None


def test_after_a_compaction_what_was_set_still_runs():
    before = left(to="sonnet")
    assert decide(Wish("haiku"), None, None, None, before).choice.tier == "haiku"
    unsure = decide(Wish("haiku", is_sure=False), None, None, None, before)
    assert (unsure.current, unsure.base, unsure.choice.switch, unsure.choice.tier) == (
        "sonnet",
        "opus",
        False,
        "sonnet",
    )


@pytest.mark.parametrize(
    ("served", "before", "base"),
    [
        ("opus", {}, "opus"),
        ("haiku", left(), "opus"),  # it runs what was set
        ("opus", left(), "opus"),  # it does not, as the mod is gone: the user's own model
        ("sonnet", left(), "sonnet"),  # the user chose anew
    ],
)
def test_what_the_user_chose_is_remembered(served, before, base):
    assert decide(Wish("haiku"), served, used(served), 30, before).base == base


def test_what_one_prompt_leaves_to_the_next():
    usage = used(last_steps=7)
    before = {
        "base": "opus",
        "to": "opus",
        "wanted": "sonnet",
        "switch": False,
        "since": 3,
        "past": {"haiku": [2, 9, 1]},
    }
    move = decide(Wish("opus"), "opus", usage, 30, before)
    assert move.as_dict() == {
        "from": "opus",
        "to": "opus",
        "base": "opus",
        "wanted": "opus",
        "switch": False,
        "stay_usd": pytest.approx(move.choice.stay_usd, abs=1e-6),
        "switch_usd": None,
        "why": "nothing cheaper would do",
        "since": 4,
        "missed_usd": 0.0,
        "past": {"haiku": [2, 9, 1], "sonnet": [1, 7, 1]},
    }


def test_waiting_adds_up_until_more_is_wanted():
    usage = used(last_steps=5)
    stayed = {"base": "opus", "to": "opus", "wanted": "sonnet", "switch": False, "missed_usd": 0.25}
    turn_usd = economics.missed_usd("opus", "sonnet", usage)
    assert decide(Wish("sonnet"), "opus", usage, 30, stayed).missed_usd == pytest.approx(0.25 + turn_usd)
    assert decide(Wish("opus"), "opus", usage, 30, stayed).missed_usd == 0
    assert decide(Wish("sonnet"), "opus", usage, 30, {**stayed, "switch": True}).missed_usd == 0


def test_a_long_wait_ends_in_a_switch():
    before, tiers = {}, []
    for _ in range(40):
        move = decide(Wish("sonnet"), "opus", used(context=400_000, last_steps=1, growth=0.0), 30, before)
        before = {**move.as_dict(), "past": {"sonnet": [9, 9, 9]}}  # as if more were always wanted next
        tiers.append(move.choice.tier)
    assert tiers[0] == "opus"
    assert "sonnet" in tiers


def test_the_session_teaches_how_long_turns_are_and_how_often_more_is_wanted():
    new, easy, hard = Past({}), Past({"haiku": (20, 20, 0)}), Past({"haiku": (20, 20, 15)})
    assert easy.steps("haiku") < new.steps("haiku") == economics.STEPS["haiku"]
    assert easy.back("haiku") < new.back("haiku") < hard.back("haiku")
    assert easy.horizon("haiku").turns > hard.horizon("haiku").turns
    assert Past({"opus": (5, 200, 0)}).steps("haiku") > new.steps("haiku")  # long turns are this session's way


@pytest.mark.parametrize(
    "before",
    [
        {"past": 3, "since": "x", "base": [], "to": {}, "wanted": 7},
        {"past": {"haiku": [1, 2], "opus": "x", "sonnet": [None, -3, 1.5], "other": [1, 2, 3]}, "wanted": "sonnet"},
        {"base": "opus", "to": "opus", "wanted": "haiku", "missed_usd": "much", "switch": None},
    ],
)
def test_garbage_that_was_left_is_as_nothing(before):
    assert decide(Wish("opus"), "opus", used(), 30, before).choice.tier == "opus"
    assert isinstance(decide(Wish("haiku"), "opus", used(), 30, before).choice.switch, bool)


def test_a_switch_down_starts_the_dwell():
    down = decide(Wish("haiku"), "opus", None, None, {})
    up = decide(Wish("opus"), "haiku", used("haiku"), 30, down.as_dict())
    assert (down.since, up.since, main_thread.decide(Wish("opus"), "opus", used(), 30, up.as_dict()).since) == (0, 1, 2)
