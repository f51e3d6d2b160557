"""What a comparison of arms looks like."""

from collections import Counter
from datetime import date

import pytest

from metrics.ab import compare
from metrics.ab_measures import GOALS, MEASURES
from metrics.ab_render import as_json, text
from metrics.ab_sessions import Assigned, Prompt, Session
from metrics.days import Window

DAYS = Window(date(2026, 10, 23), date(2026, 11, 21), "2026-10-23T00:00:00.000Z", "2026-11-22T00:00:00.000Z", "UTC")
UTILISATION = {"five_hour": 0.43, "seven_day": None}
TEXT = """\
Arms compared for 2026-10-23 to 2026-11-21 (UTC)

arm            sessions  prompts  by rung
directive            20       40  directive 40
session               1        1  mod 1
orchestration        20       40  orchestration 40

compliance      value  95% interval     against directive       target > 95%, was 40-60%
directive       50.0%  28.4% to 71.6%                           MISSED
session        100.0%  -                +50.0                   open
orchestration  100.0%  82.0% to 100.0%  +50.0 (+21.9 to +71.6)  open

completion     value  95% interval  against directive  target > 90%, was 50%
directive          -  -                                no data
session            -  -                                no data
orchestration      -  -                                no data

overhead, mean     value  95% interval          against directive    target < +500 ms
directive        15.0 ms  12.6 ms to 17.4 ms                         the baseline
session          20.0 ms  -                     +5.0                 open
orchestration   400.0 ms  400.0 ms to 400.0 ms  +385 (+383 to +387)  met

overhead, p95     value  95% interval   against directive
directive       20.0 ms  20.0 ms to ?
session         20.0 ms  -              +0
orchestration  400.0 ms  400.0 ms to ?  +380

good feedback   value  95% interval     against directive      target >= directive
directive       90.0%  62.4% to 98.0%                          the baseline
session             -  -                                       no data
orchestration  100.0%  82.0% to 100.0%  +10.0 (-9.7 to +37.6)  open

haiku tokens per prompt  value  95% interval  against directive
directive                    -  -
session                  1,500  -
orchestration                -  -

quota utilisation, whatever the arm: 43.0% of the five-hour limit
target > 80%, was 40-60%; see `orchestrate quota report`

directive: 20 sessions are too few to say anything: compliance is known to 43 points, not 20
session: 1 session is too few to say anything: one alone has no interval

sessions left out, as they were in more than one arm: 2"""


def prompt(rung="directive", **fields):
    nothing = {"is_followed": None, "is_finished": None, "is_override": False, "tokens": None, "points": None}
    return Prompt(rung=rung, **({"overhead_ms": None} | nothing | fields))


@pytest.fixture
def found():
    def half(number):
        return [prompt(is_followed=bool(number % 2), overhead_ms=10.0 + number % 2 * 10) for _ in range(2)]

    directive = [Session(half(number), [], [number > 1]) for number in range(20)]
    all_done = [prompt("orchestration", is_followed=True, overhead_ms=400.0)] * 2
    orchestration = [Session(all_done, [], [True]) for _ in range(20)]
    session = [Session([prompt("mod", is_followed=True, overhead_ms=20.0, tokens=Counter(haiku=1500))])]
    arms = {"orchestration": orchestration, "session": session, "directive": directive}
    return compare(DAYS, Assigned(arms, 2), UTILISATION)


def test_text(found):
    assert text(found) == TEXT


def test_text_stays_within_100_columns(found):
    wide = Prompt("orchestration", True, True, True, 1e5, Counter(haiku=10**7, other=10**7), 1e4)
    arms = {
        arm: [Session([wide._replace(rung=rung) for rung in ("none", "directive", "mod", "orchestration")] * 99)] * 9
        for arm in found.arms
    }
    told = text(compare(DAYS, Assigned(arms, 10**6), UTILISATION))
    assert max(map(len, told.splitlines())) <= 100
    assert max(map(len, text(found).splitlines())) <= 100


def test_json(found):
    told = as_json(found)
    assert list(told) == [
        "since",
        "until",
        "time_zone",
        "data",
        "base",
        "goals",
        "arms",
        "sessions_left_out",
        "quota_utilisation",
    ]
    assert (told["data"], told["base"], told["sessions_left_out"]) == (True, "directive", 2)
    assert told["quota_utilisation"] == UTILISATION
    assert {name: goal["target"] for name, goal in told["goals"].items()} == {
        name: goal.limit for name, goal in GOALS.items()
    }
    assert told["goals"]["overhead_mean_ms"]["against"] == "directive"
    arm = told["arms"]["orchestration"]
    assert list(arm) == ["sessions", "prompts", "rungs", "enough", *MEASURES]
    assert (arm["sessions"], arm["prompts"], arm["rungs"], arm["enough"]) == (20, 40, {"orchestration": 40}, True)
    assert arm["good_feedback"]["against"]["value"] == 0.1
    nothing = {"value": None, "low": None, "high": None, "sessions": 0, "size": 0, "against": None, "met": None}
    assert arm["completion"] == nothing
    assert told["arms"]["session"]["compliance"] == {
        "value": 1.0,
        "low": None,
        "high": None,
        "sessions": 1,
        "size": 1,
        "against": {"value": 0.5, "low": None, "high": None, "sessions": 21, "size": 41},
        "met": None,
    }


def test_without_an_experiment_the_text_tells_how_to_begin_one():
    nothing = compare(DAYS, Assigned({}, 0), {})
    assert text(nothing) == (
        "no data for 2026-10-23 to 2026-11-21 (UTC)\n\nno session of this period is in an arm: "
        "`orchestrate config set ab.enabled true` assigns those that begin from then on"
    )
    told = as_json(nothing)
    assert (told["data"], told["arms"]) == (False, {})


def test_an_experiment_whose_sessions_all_changed_arms_says_so():
    assert text(compare(DAYS, Assigned({}, 3), {})).endswith("in more than one arm: 3")
