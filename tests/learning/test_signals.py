import pytest

from orchestrate.learning.events import (
    DECIDED,
    FEEDBACK,
    LAUNCHED,
    RUN_FINISHED,
    RUN_STARTED,
    TURN_ENDED,
    TURN_FAILED,
    Told,
)
from orchestrate.learning.signals import RETRY_S, SOURCES, WEIGHTS, labels, signals

LONG = {"hash": "aa", "length": 60}


def at(second):
    return f"2026-11-21T12:{int(second) // 60:02d}:{int(second) % 60:02d}.000Z"


def told(kind, second=0, prompt="p", entity="", session="s", **payload):
    return Told(f"{int(second):012x}{kind}{prompt}{entity}", at(second), kind, session, prompt, entity, payload)


def decided(tier="haiku", second=0, prompt="p", **payload):
    return told(DECIDED, second, prompt, tier=tier, **{"action": "delegate", "rung": "directive", **payload})


def said(verdict, second=5, prompt="p"):
    return told(FEEDBACK, second, prompt, verdict=verdict)


def ran(first, last, outcome="ok"):
    return [
        told(RUN_STARTED, 1, entity="r", tier=first),
        told(RUN_FINISHED, 2, entity="r", tier=last, outcome=outcome),
    ]


def short(found):
    return [(signal.prompt_id, signal.source, signal.verdict, signal.tier, sorted(signal.accept)) for signal in found]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([decided()], []),
        ([decided(), said("good")], [("p", "user", "good", "haiku", ["haiku"])]),
        ([decided(), said("too-weak")], [("p", "user", "too-weak", "haiku", ["opus", "sonnet"])]),
        ([decided(), said("too-strong")], []),  # nothing is weaker
        ([decided("opus"), said("too-weak")], []),
        ([decided("opus"), said("too-strong")], [("p", "user", "too-strong", "opus", ["haiku", "sonnet"])]),
        ([decided(), said("whatever")], []),
        ([said("good")], []),  # of a prompt that nobody decided
        # What the main thread did is judged by the main thread.
        (
            [decided("haiku", action="stay", main_tier="sonnet"), said("too-weak")],
            [("p", "user", "too-weak", "sonnet", ["opus"])],
        ),
        ([decided("haiku", action="stay", main_tier="opus"), said("good")], []),  # haiku might have done as well
        (
            [decided("opus", action="stay", main_tier="sonnet"), said("good")],
            [("p", "user", "good", "sonnet", ["sonnet"])],
        ),
        (
            [decided("haiku", action="stay", main_tier="opus", main_model="haiku", rung="mod"), said("good")],
            [("p", "user", "good", "haiku", ["haiku"])],
        ),
        # What an agent did is judged by the agent.
        (
            [decided("haiku"), told(LAUNCHED, 1, entity="t", model="claude-sonnet-5-5"), said("too-weak")],
            [("p", "user", "too-weak", "sonnet", ["opus"])],
        ),
        # Nobody was launched, so the main thread did it.
        (
            [decided("haiku", main_tier="sonnet"), told(TURN_ENDED, 1), said("too-weak")],
            [("p", "user", "too-weak", "sonnet", ["opus"])],
        ),
        # The model that the user forced.
        ([decided("opus", override=True)], [("p", "forced", "good", "opus", ["opus"])]),
        # The escalation that was needed.
        (
            [decided("haiku", rung="orchestration"), *ran("haiku", "sonnet")],
            [("p", "escalation", "too-weak", "haiku", ["opus", "sonnet"])],
        ),
        ([decided("haiku", rung="orchestration"), *ran("haiku", "haiku")], []),
        (
            [decided("haiku", rung="orchestration"), *ran("haiku", "sonnet", "red_check")],
            [("p", "red-check", "too-weak", "sonnet", ["opus"])],
        ),
        ([decided("opus", rung="orchestration"), *ran("opus", "opus", "red_check")], []),
        # The retry that followed.
        (
            [decided("haiku"), decided("opus", 60, "q", override=True)],
            [("p", "raised", "too-weak", "haiku", ["opus", "sonnet"]), ("q", "forced", "good", "opus", ["opus"])],
        ),
        (
            [decided("haiku", **LONG), decided("haiku", RETRY_S, "q", **LONG)],
            [("p", "repeat", "too-weak", "haiku", ["opus", "sonnet"])],
        ),
        ([decided("haiku", **LONG), decided("haiku", RETRY_S + 1, "q", **LONG)], []),  # too late
        ([decided("haiku", **LONG), decided("haiku", 9, "q", hash="bb", length=60)], []),  # another text
        (
            [decided("haiku", hash="aa", length=13), decided("haiku", 9, "q", hash="aa", length=13)],
            [],
        ),  # "run the tests"
        ([decided("haiku", **LONG), told(TURN_FAILED, 1), decided("haiku", 9, "q", **LONG)], []),  # the service failed
        ([decided("opus", **LONG), decided("opus", 9, "q", **LONG)], []),  # nothing is stronger
        ([decided("haiku", **LONG), decided("haiku", 9, "r", **LONG)._replace(session="t")], []),
        ([decided("opus"), decided("haiku", 60, "q", override=True)], [("q", "forced", "good", "haiku", ["haiku"])]),
    ],
)
def test_what_events_say(events, expected):
    assert sorted(short(signals(events))) == sorted(expected)


def test_an_override_that_is_a_tier_nobody_knows_says_nothing():
    assert signals([decided("huge", override=True)]) == []


@pytest.mark.parametrize(
    ("events", "accept", "weight", "sources"),
    [
        ([decided(), said("good"), said("too-weak", 6)], ["opus", "sonnet"], 1.0, ("user",)),  # the last word
        # The user's word stands alone.
        ([decided("haiku", rung="orchestration"), *ran("haiku", "sonnet"), said("good", 9)], ["haiku"], 1.0, ("user",)),
        (
            [decided("sonnet", rung="orchestration", override=False), *ran("haiku", "sonnet", "red_check")],
            ["opus"],
            0.6,
            ("red-check",),
        ),
        (
            [decided(), decided("sonnet", 9, "q", override=True, **LONG), decided("opus", 12, "r", override=True)],
            ["opus", "sonnet"],
            0.6,
            ("raised",),
        ),
    ],
)
def test_one_label_for_a_prompt(events, accept, weight, sources):
    found, _ = labels(events)
    label = next(label for label in found if label.decided.prompt_id == "p")
    assert (sorted(label.accept), label.weight, label.sources) == (accept, weight, sources)


def test_derived_signals_that_contradict_say_nothing():
    """He forced sonnet, and forced opus right after: one of them he did not mean."""
    found, contradicting = labels([decided("sonnet", override=True), decided("opus", 9, "q", override=True)])
    assert [label.decided.prompt_id for label in found] == ["q"]
    assert contradicting == 1


def test_no_source_outweighs_the_users_own_word():
    assert set(WEIGHTS) == set(SOURCES)
    assert max(WEIGHTS, key=WEIGHTS.__getitem__) == "user"
