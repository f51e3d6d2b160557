"""From the events of an experiment to its arms side by side."""

import random
from collections import Counter
from datetime import date

import pytest

from metrics.ab import Found, compare
from metrics.ab_measures import GOALS, MEASURES
from metrics.ab_sessions import Assigned, Prompt, Session, gather
from metrics.days import Window
from metrics.facts import gather as gather_facts

HAIKU, OPUS = "claude-haiku-4-5", "claude-opus-4-1"
DAY = Window(date(2026, 11, 21), date(2026, 11, 21), "2026-11-21T00:00:00.000Z", "2026-11-22T00:00:00.000Z", "UTC")


def decided(arm="directive", session="s", prompt_id="p", **payload):
    return {"kind": "prompt.decided", "arm": arm, "session": session, "prompt_id": prompt_id, **payload}


def told(kind, session="s", prompt_id="p", **fields):
    return {"kind": kind, "session": session, "prompt_id": prompt_id, **fields}


def ran(outcome, run="r"):
    return told("run.finished", entity=("run", run), agent="haiku-general", model_served=HAIKU, outcome=outcome)


def requested(tool="t", session="s", rung="rewrite"):
    return told(
        "spawn.requested", session, entity=("spawn", tool), tier="haiku", rung=rung, model_set="haiku", overhead_ms=None
    )


def launched(model, tool="t", session="s"):
    return told("spawn.launched", session, entity=("spawn", tool), agent_type="x", model=model, overhead_ms=None)


@pytest.fixture
def arms(event, message):
    def of(happened, served=(), price=None):
        events = [event(**fields) for fields in happened]
        random.Random(1).shuffle(events)
        return gather(gather_facts(events, [], [message(model, **fields) for model, fields in served]), price)

    return of


@pytest.mark.parametrize(
    ("happened", "sessions", "left_out"),
    [
        ([decided(None)], {}, 0),
        ([decided("directive"), decided("directive", prompt_id="q")], {"directive": [2]}, 0),
        ([decided("directive"), decided("session", session="t")], {"directive": [1], "session": [1]}, 0),
        ([decided("directive"), decided("directive", session="t")], {"directive": [1, 1]}, 0),
        ([decided("directive"), decided(None, prompt_id="q")], {"directive": [1]}, 0),
        ([decided("directive"), decided("session", prompt_id="q"), decided("session", "t")], {"session": [1]}, 1),
        ([told("turn.end"), told("prompt.skipped", session="t")], {}, 0),
    ],
)
def test_a_session_belongs_to_one_arm_or_to_none(arms, happened, sessions, left_out):
    found = arms(happened)
    assert {arm: [len(session.prompts) for session in each] for arm, each in found.arms.items()} == sessions
    assert found.left_out == left_out


@pytest.mark.parametrize(
    ("happened", "served", "expected"),
    [
        ([decided()], [], (None, None)),
        ([decided(), told("turn.end")], [], (False, True)),
        ([decided(), told("turn.failed")], [], (False, False)),
        ([decided(), told("turn.failed"), told("turn.end")], [], (False, False)),
        ([decided(), launched(HAIKU) | {"agent_type": "haiku-general"}, told("turn.end")], [], (True, True)),
        ([decided(action="stay"), told("turn.end")], [], (None, True)),
        ([decided(rung="none"), told("turn.end")], [], (None, True)),
        ([decided(rung="mod", main_model="haiku"), told("turn.end")], [(HAIKU, {})], (True, True)),
        ([decided(rung="mod", main_model="haiku"), told("turn.end")], [(OPUS, {})], (False, True)),
        ([decided(rung="orchestration"), ran("ok")], [], (True, True)),
        ([decided(rung="orchestration"), ran("timeout"), told("turn.end")], [], (None, False)),
        ([decided(rung="orchestration"), ran("timeout"), ran("ok", "r2")], [], (True, True)),
        ([decided(rung="orchestration"), told("run.started", entity=("run", "r"))], [], (None, None)),
        ([decided(rung="orchestration"), told("turn.end")], [], (False, None)),
    ],
)
def test_a_prompt_was_followed_and_finished_or_nothing_tells(arms, happened, served, expected):
    [[session]] = arms(happened, served).arms.values()
    assert [(prompt.is_followed, prompt.is_finished) for prompt in session.prompts] == [expected]


def test_what_a_session_was_served_and_took_is_known_prompt_by_prompt(arms):
    happened = [
        decided(overhead_ms=10.0, override=True),
        told("turn.end", overhead_ms=5.0),
        decided(prompt_id="q", overhead_ms=None),
        decided(session="t", overhead_ms=None),
    ]
    served = [(HAIKU, {}), (OPUS, {"agent_id": "a"}), ("arn:x1", {}), (None, {}), (OPUS, {"prompt_id": None})]
    found = arms(happened, served, price=lambda message: message.output_tokens / 10)
    prompts = [prompt for session in found.arms["directive"] for prompt in session.prompts]
    tokens = Counter(haiku=35, opus=35, other=35)
    assert sorted(prompts, key=lambda prompt: prompt.tokens is None)[0] == Prompt(
        "directive", False, True, True, 15.0, tokens, 1.5
    )
    nothing = Prompt("directive", None, None, False, None, None, None)
    assert sorted(prompts, key=lambda prompt: prompt.tokens is None)[1:] == [nothing, nothing]


@pytest.mark.parametrize("price", [None, lambda message: None])
def test_points_that_nobody_can_tell_are_not_known(arms, price):
    [[session]] = arms([decided()], [(HAIKU, {})], price).arms.values()
    assert [prompt.points for prompt in session.prompts] == [None]


def test_spawns_and_feedback_are_of_their_session(arms):
    happened = [
        decided("subagents"),
        requested("t1"),
        launched(HAIKU, "t1"),
        requested("t2"),
        launched(OPUS, "t2"),
        requested("t3"),
        requested("t4", rung="none"),
        launched(OPUS, "t4"),
        requested("t5", session="u"),
        launched(HAIKU, "t5", session="u"),
        *(told("feedback.given", verdict=verdict, prompt_id=None) for verdict in ("good", "too-weak", "too-strong")),
        told("feedback.given", verdict="whatever"),
        told("feedback.given", session="u", verdict="good"),
    ]
    [[session]] = arms(happened).arms.values()
    assert (sorted(session.spawns), sorted(session.feedback)) == ([False, True], [False, False, True])


def prompt(**fields):
    known = {"rung": "directive", "is_followed": None, "is_finished": None, "is_override": False, "overhead_ms": None}
    return Prompt(**(known | {"tokens": None, "points": None} | fields))


def sessions(number, **fields):
    return [Session([prompt(**fields)]) for _ in range(number)]


def compared(**arms):
    return compare(DAY, Assigned(arms, 0), {}).arms


def test_arms_stand_in_their_order():
    found = compared(zebra=sessions(1), session=sessions(1), orchestration=sessions(2), directive=sessions(1))
    assert list(found) == ["directive", "session", "orchestration", "zebra"]
    assert [arm.sessions for arm in found.values()] == [1, 1, 2, 1]


def test_an_arm_tells_its_rungs():
    [arm] = compared(session=[*sessions(2, rung="mod"), *sessions(1)]).values()
    assert (arm.sessions, arm.prompts, arm.rungs) == (3, 3, {"directive": 1, "mod": 2})


def test_what_nobody_measured_is_null():
    [arm] = compared(directive=sessions(9)).values()
    measured = {name for name, found in arm.found.items() if found != Found(None, None, None)}
    assert measured == {"override_rate"}
    assert set(arm.found) == set(MEASURES)


# Values of the directive arm and of another, in 100 sessions each; whether the other meets its goal.
@pytest.mark.parametrize(
    ("name", "fields", "base", "met"),
    [
        ("compliance", [{"is_followed": True}] * 100, [], True),
        ("compliance", [{"is_followed": True}] * 97 + [{"is_followed": False}] * 3, [], None),
        ("compliance", [{"is_followed": True}] * 60 + [{"is_followed": False}] * 40, [], False),
        ("completion", [{"is_finished": True}] * 100, [], True),
        ("completion", [{"is_finished": True}] * 90 + [{"is_finished": False}] * 10, [], None),
        ("completion", [{"is_finished": False}] * 100, [], False),
        (
            "overhead_mean_ms",
            [{"overhead_ms": 540.0}, {"overhead_ms": 550.0}] * 50,
            [{"overhead_ms": 60.0}] * 100,
            True,
        ),
        (
            "overhead_mean_ms",
            [{"overhead_ms": 60.0}, {"overhead_ms": 1060.0}] * 50,
            [{"overhead_ms": 60.0}] * 100,
            None,
        ),
        (
            "overhead_mean_ms",
            [{"overhead_ms": 600.0}, {"overhead_ms": 610.0}] * 50,
            [{"overhead_ms": 60.0}] * 100,
            False,
        ),
        ("overhead_mean_ms", [{"overhead_ms": 10.0}] * 100, [], None),
    ],
)
def test_a_goal_is_met_or_missed_where_the_whole_interval_says_so(name, fields, base, met):
    arms = {"session": [Session([prompt(**each)]) for each in fields]}
    if base:
        arms["directive"] = [Session([prompt(**each)]) for each in base]
    assert compared(**arms)["session"].found[name].met is met


@pytest.mark.parametrize(
    ("good", "base", "met"), [((100, 0), (50, 50), True), ((50, 50), (50, 50), None), ((20, 80), (80, 20), False)]
)
def test_satisfaction_is_held_against_the_directive_arm(good, base, met):
    def given(yes, no):
        return [Session([prompt()], [], [verdict]) for verdict in [True] * yes + [False] * no]

    found = compared(session=given(*good), directive=given(*base))
    assert found["session"].found["good_feedback"].met is met
    assert found["directive"].found["good_feedback"].against is None


def test_overrides_are_held_against_the_directive_arm():
    some = [*sessions(9), *sessions(1, is_override=True)]
    found = compared(session=sessions(10), directive=some)["session"].found["override_rate"]
    assert (found.estimate.value, found.against.value, found.met) == (0.0, -0.1, None)
    assert found.against.low < -0.1 < found.against.high


@pytest.mark.parametrize(
    ("number", "fields", "is_enough"),
    [
        (1, {"is_followed": True}, False),
        (5, {"is_followed": True}, False),
        (20, {"is_followed": True}, True),
        (200, {}, False),
    ],
)
def test_an_arm_of_few_sessions_says_nothing(number, fields, is_enough):
    assert compared(session=sessions(number, **fields))["session"].is_enough is is_enough


def test_the_goals_are_those_that_were_set():
    found = {name: (goal.relation, goal.limit, goal.is_against_base, goal.baseline) for name, goal in GOALS.items()}
    assert found == {
        "compliance": (">", 0.95, False, (0.4, 0.6)),
        "completion": (">", 0.9, False, (0.5, 0.5)),
        "overhead_mean_ms": ("<", 500, True, None),
        "good_feedback": (">=", 0, True, None),
        "quota_utilisation": (">", 0.8, False, (0.4, 0.6)),
    }
