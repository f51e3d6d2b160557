"""The report of a night, from what it told: good nights, bad ones, one that was cut off, and one that never began."""

from datetime import date

import pytest

from metrics.quota_readings import Reading
from orchestrate.overnight import report, report_text
from orchestrate.overnight.report_records import Known, Told
from orchestrate.overnight.window import Span
from state.store.night_records import Job

EVENING = date(2026, 11, 20)
BEGINS, ENDS = 1_795_215_600.0, 1_795_240_800.0  # 23:00 to 06:00
SPAN = Span(BEGINS, ENDS, EVENING)
NAME_THEM = "name the checks of its project: without any nothing is shipped"
BASE, COMMIT = "b" * 40, "c" * 40


def clock(hour, minute=0):
    """Of the evening from noon on, else of the morning after."""
    return BEGINS + ((hour - 23 if hour >= 12 else hour + 1) * 60 + minute) * 60


def night(verb, at, **payload):
    return Told(f"n-{verb}-{at:.0f}", verb, str(EVENING), at, payload)


def began(at=BEGINS, owner="dead"):
    return night("began", at, begins=BEGINS, ends=ENDS, owner=owner)


def ended(at, why="done", halted=None):
    return night("ended", at, why=why, halted=halted)


def about(code, verb, at, **payload):
    return Told(f"{code}-{verb}", verb, f"id-{code}", at, {"code": code, "project": "/p", **payload})


def left(code, why):
    return night("left", clock(5), job=f"id-{code}", code=code, text=f"text of {code}", why=why)


def claimed(code, at):
    return about(code, "claimed", at, text=f"text of {code}", fence=1)


def made(**more):
    told = {"run": "r-1", "decision": "d-1", "model": "claude-haiku-5-5", "took_s": 90.0, "answer": "/answer.md"}
    where = {"branch": "overnight/J", "worktree": "/u/tree", "commit": COMMIT, "base": BASE}
    return {**told, **where, "checks": [], "outcome": "ok", **more}


def finished(code, status, at, why=None, **more):
    return about(code, "finished", at, status=status, why=why, **{**made(), **more})


def job(code, status="queued", **more):
    fields = dict.fromkeys(Job._fields)
    given = {"id": f"id-{code}", "code": code, "text": f"text of {code}", "project": "/p", "status": status}
    return Job(**{**fields, **given, "added_at": BEGINS - 3600, **more})


def built(told, jobs=(), history=None, now=ENDS + 3600, alive=()):
    queue, added = {each.id: each for each in jobs}, {each.id: f"{each.code}-added" for each in jobs}
    return report.build(Known(SPAN, told, queue, lambda owner: owner in alive, history or {}, 10.0, now, added))


def sections(found):
    names = ("shipped", "unverified", "not_done")
    return {name: [(line.code, line.why) for line in getattr(found, name)] for name in names}


GOOD = [
    began(),
    claimed("J-1", clock(23, 1)),
    finished("J-1", "shipped", clock(23, 9), points=4.0, checks=[{"command": "pytest -q", "code": 0, "tail": ""}]),
    claimed("J-2", clock(23, 1)),
    finished("J-2", "unverified", clock(23, 8), "no check is configured", points=None, decisions=["a or b?"]),
    claimed("J-3", clock(23, 9)),
    finished(
        "J-3", "failed", clock(23, 40), "the check 'pytest -q' is red (exit code 1): 2 failed",
        points=1.5, checks=[{"command": "pytest -q", "code": 1, "tail": "2 failed"}],
    ),
    left("J-4", "30 minutes do not fit before the night ends"),
    ended(clock(5)),
]  # fmt: skip


def test_each_job_stands_where_its_last_event_puts_it():
    found = built(GOOD)
    assert sections(found) == {
        "shipped": [("J-1", None)],
        "unverified": [("J-2", "no check is configured")],
        "not_done": [
            ("J-3", "the check 'pytest -q' is red (exit code 1): 2 failed"),
            ("J-4", "30 minutes do not fit before the night ends"),
        ],
    }
    assert (found.state, found.why, found.began_at, found.ended_at) == ("ended", "done", BEGINS, clock(5))


def test_every_line_names_its_events():
    found = built(GOOD)
    lines = [*found.shipped, *found.unverified, *found.not_done]
    assert {line.code: line.events for line in lines} == {
        "J-1": ("J-1-claimed", "J-1-finished"),
        "J-2": ("J-2-claimed", "J-2-finished"),
        "J-3": ("J-3-claimed", "J-3-finished"),
        "J-4": (GOOD[-2].id,),
    }
    assert found.quota.events == found.events == (GOOD[0].id, GOOD[-1].id)
    assert all(owed.events for owed in found.decisions)


def test_what_is_to_be_decided_is_told_with_the_way_to_it():
    take = "git -C /p fetch /u/tree overnight/J:overnight/J"
    told = [(owed.code, owed.text, owed.command) for owed in built(GOOD).decisions]
    assert told == [
        ("J-2", "name the checks of its project: without any nothing is shipped",
         "cd /p && orchestrate config set overnight.checks 'pytest -q'"),
        ("J-1", "merge it, or leave it", take),
        ("J-2", "look at it: nobody has verified it", take),
        ("J-2", "a or b?", None),
        ("J-3", "what it has so far is on its branch: go on from there, or leave it", take),
    ]  # fmt: skip


def test_points_are_summed_and_those_that_nobody_knows_are_counted():
    found = built(GOOD).quota
    assert (found.jobs, found.unknown) == (5.5, 1)


def test_without_readings_everything_of_the_limits_is_unknown():
    windows = built([began(), ended(clock(23, 1))]).quota
    assert [tuple(used)[1:] for used in windows.windows] == [(None, None, None, None)] * 2
    assert (windows.jobs, windows.unknown) == (None, 0)


def reading(at, used, resets_at=None):
    return Reading(at, used, resets_at or clock(1))


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([reading(clock(22, 50), 10), reading(clock(23, 30), 30)], (20.0, None, 70.0, 70.0)),
        ([reading(clock(23, 10), 10), reading(clock(23, 30), 30)], (20.0, None, 70.0, 70.0)),
        (
            [reading(clock(22, 50), 10), reading(clock(23, 30), 70), reading(clock(2), 5, clock(7))],
            (65.0, 95.0, 30.0, 30.0),
        ),
        ([reading(clock(22, 50), 10, clock(7))], (None, None, None, None)),
        ([reading(clock(2), 20, clock(7)), reading(clock(3), 25, clock(7))], (25.0, 75.0, 0.0, 75.0)),
        ([reading(clock(2), 20, clock(7)), reading(ENDS + 60, 80, clock(7))], (20.0, 80.0, 0.0, 80.0)),
    ],
)
def test_the_limits_are_told_as_they_were_read(readings, expected):
    told = built([began(), ended(clock(5))], history={"five_hour": readings}).quota.windows[0]
    assert (told.used, told.left, told.wasted, told.lowest) == expected


def test_a_night_that_was_cut_off_says_so_and_what_it_took_with_it():
    jobs = [job("J-1", "running"), job("J-2"), job("J-3", added_at=ENDS + 60)]
    found = built([began(), claimed("J-1", clock(3))], jobs)
    assert (found.state, found.ended_at) == ("cut off", None)
    assert sections(found)["not_done"] == [
        ("J-1", "the night was cut off while it ran: it begins again with the next"),
        ("J-2", "the night was cut off before its turn"),
    ]


def test_a_night_that_was_begun_again_is_one_night():
    told = [
        began(),
        claimed("J-1", clock(2, 50)),
        began(clock(3)),
        about("J-1", "requeued", clock(3), why="its runner was gone"),
        claimed("J-1", clock(3, 1)),
        finished("J-1", "shipped", clock(3, 9)),
        ended(clock(5)),
    ]
    found = built(told)
    assert sections(found) == {"shipped": [("J-1", None)], "unverified": [], "not_done": []}
    assert (found.state, found.began_at) == ("ended", BEGINS)
    assert len(found.shipped[0].events) == 4


def test_an_attempt_that_came_to_nothing_does_not_borrow_from_the_one_before():
    told = [
        began(),
        claimed("J-1", clock(23)),
        about("J-1", "requeued", clock(23, 5), why="crashed", points=2.0, **made()),
        claimed("J-1", clock(23, 30)),
        about("J-1", "finished", clock(23, 31), status="failed", why="the project is gone", points=None),
        ended(clock(5)),
    ]
    (line,) = built(told).not_done
    assert (line.run, line.commit, line.branch, line.points) == (None, None, None, 2.0)


def test_a_night_that_goes_on_is_told_as_far_as_it_is():
    found = built([began(owner="me"), claimed("J-1", clock(23))], [job("J-1", "running"), job("J-2")], alive=("me",))
    assert found.state == "running"
    assert sections(found)["not_done"] == [
        ("J-1", "it runs"),
        ("J-2", "its turn may still come: the night goes on"),
    ]


def test_a_night_that_never_began_owes_a_timer():
    found = built([], [job("J-1"), job("J-2", "shipped")])
    assert (found.state, sections(found)["not_done"]) == ("never began", [("J-1", "no night ran")])
    assert [owed.command for owed in found.decisions] == ["orchestrate overnight install-timer"]
    assert [line.events for line in (*found.not_done, *found.decisions)] == [("J-1-added",), ("J-1-added",)]
    assert built([]).decisions == ()


def test_where_nothing_was_changed_the_answer_is_named():
    found = built(
        [began(), finished("J-1", "unverified", clock(23, 1), "it changed nothing", commit=None), ended(clock(5))]
    )
    assert "    answer /answer.md, claude-haiku-5-5, unknown points, 1.5 min" in list(report_text.lines(found))
    assert found.decisions == ()


def test_a_night_without_jobs_owes_nothing():
    found = built([began(), ended(BEGINS + 1)])
    assert (sections(found), found.decisions) == ({"shipped": [], "unverified": [], "not_done": []}, ())


def test_what_halted_a_night_is_the_first_decision():
    found = built([began(), ended(clock(23, 1), "halted", "log in")])
    assert [(owed.text, owed.events) for owed in found.decisions] == [("log in", (found.events[-1],))]


def test_the_checks_of_a_project_are_owed_once_for_all_its_jobs():
    told = [began()]
    for number, root in enumerate(("/p", "/q", "/p", "/a b"), 1):
        told.append(finished(f"J-{number}", "unverified", clock(23, number), "no check is configured", project=root))
    found = built([*told, ended(clock(5))])
    set_checks = "orchestrate config set overnight.checks 'pytest -q'"
    assert [tuple(owed) for owed in found.decisions if "name the checks" in owed.text] == [
        ("J-1, J-3", NAME_THEM, f"cd /p && {set_checks}", ("J-1-finished", "J-3-finished")),
        ("J-2", NAME_THEM, f"cd /q && {set_checks}", ("J-2-finished",)),
        ("J-4", NAME_THEM, f"cd '/a b' && {set_checks}", ("J-4-finished",)),
    ]
    assert "  J-1, J-3  name the checks of its project: without any nothing is shipped" in report_text.lines(found)


def test_a_night_that_nobody_told_the_limits_owes_somebody_who_does():
    found = built([began(), claimed("J-1", clock(23)), finished("J-1", "shipped", clock(23, 5)), left("J-2", "unread"),
                   ended(clock(23, 6), "blind")])  # fmt: skip
    assert tuple(found.decisions[0]) == (
        None,
        "nobody has read the limits, and so the night ended early: have the status line read them while you work, or "
        "say with overnight.blind_jobs how many jobs run without",
        "orchestrate install --statusline",
        (found.events[-1],),
    )


@pytest.mark.parametrize("why", ["done", "floor", "over", "activity", "stopped"])
def test_a_night_that_knew_the_limits_does_not_owe_that(why):
    assert built([began(), ended(clock(5), why)]).decisions == ()


def test_a_job_that_was_put_off_says_until_when():
    told = [
        began(),
        claimed("J-1", clock(23)),
        about("J-1", "requeued", clock(23, 5), why="a limit", not_before=clock(4)),
    ]
    assert sections(built([*told, left("J-1", "too late"), ended(clock(5))]))["not_done"] == [
        ("J-1", "a limit: it may begin again at 04:00")
    ]


def test_a_job_that_was_cancelled_while_it_ran_is_not_called_cut_off():
    found = built([began(), claimed("J-1", clock(23)), ended(clock(5))], [job("J-1", "cancelled")])
    assert sections(found)["not_done"] == [("J-1", "it was cancelled while it ran")]


def test_a_job_that_was_cancelled_since_is_not_promised_another_night():
    told = [
        began(),
        claimed("J-1", clock(23)),
        about("J-1", "requeued", clock(23, 5), why="a limit", not_before=clock(4)),
        left("J-2", "waits for J-1"),
        ended(clock(5)),
    ]
    assert sections(built(told, [job("J-1", "cancelled"), job("J-2", "cancelled")]))["not_done"] == [
        ("J-1", "a limit; it was cancelled since"),
        ("J-2", "waits for J-1; it was cancelled since"),
    ]


def test_a_check_that_could_not_be_started_is_not_said_to_have_run():
    checks = [{"command": "pytst -q", "code": None, "tail": ""}]
    found = built([began(), finished("J-1", "unverified", clock(23, 9), "the check is not found", checks=checks)])
    assert any("`pytst -q` did not run to its end" in line for line in report_text.lines(found))


def test_in_json_every_key_is_there_and_what_nobody_knows_is_null():
    told = report.as_json(built([]))
    assert (told["night"], told["begins"], told["ends"]) == (
        "2026-11-20",
        "2026-11-20T23:00:00Z",
        "2026-11-21T06:00:00Z",
    )
    assert (told["began_at"], told["ended_at"], told["why"], told["halted"]) == (None, None, None, None)
    unknown = dict.fromkeys(("used", "left", "wasted", "lowest"))
    assert told["quota"]["windows"][0] == {"window": "five_hour", **unknown}
    (line,) = report.as_json(built(GOOD))["shipped"]
    assert (line["points"], line["minutes"], line["checks"][0]["code"]) == (4.0, 1.5, 0)


TEXT = """\
The night of 2026-11-20, 23:00 to 06:00: ended 05:00: there was nothing more to do
    events n-began-1795215600 n-ended-1795237200

Shipped and verified (1)
  J-1  text of J-1
    overnight/J at cccccccccccc, `pytest -q` green, claude-haiku-5-5, 4 points, 1.5 min
    events J-1-claimed J-1-finished; run r-1; decision d-1

Done but unverified (1)
  J-2  text of J-2
    no check is configured
    overnight/J at cccccccccccc, claude-haiku-5-5, unknown points, 1.5 min
    events J-2-claimed J-2-finished; run r-1; decision d-1

Not done, and why (2)
  J-3  text of J-3
    the check 'pytest -q' is red (exit code 1): 2 failed
    overnight/J at cccccccccccc, `pytest -q` exit code 1, claude-haiku-5-5, 1.5 points, 1.5 min
    events J-3-claimed J-3-finished; run r-1; decision d-1
  J-4  text of J-4
    30 minutes do not fit before the night ends
    events n-left-1795237200

Decisions you owe (5)
  J-2  name the checks of its project: without any nothing is shipped
    $ cd /p && orchestrate config set overnight.checks 'pytest -q'
    events J-2-claimed J-2-finished
  J-1  merge it, or leave it
    $ git -C /p fetch /u/tree overnight/J:overnight/J
    events J-1-claimed J-1-finished
  J-2  look at it: nobody has verified it
    $ git -C /p fetch /u/tree overnight/J:overnight/J
    events J-2-claimed J-2-finished
  J-2  a or b?
    events J-2-claimed J-2-finished
  J-3  what it has so far is on its branch: go on from there, or leave it
    $ git -C /p fetch /u/tree overnight/J:overnight/J
    events J-3-claimed J-3-finished

Quota, in points
  five-hour used 20, left unknown, wasted 70, at the lowest 70 left
  seven-day used unknown, left unknown, wasted unknown
  jobs      5.5 of the five-hour window, and those of 1 more are unknown
  floor     10 of each
    events n-began-1795215600 n-ended-1795237200

Open an event: orchestrate events list --id ID
"""

NO_NIGHT = """\
The night of 2026-11-20, 23:00 to 06:00: no night ran

Shipped and verified (0)
  none

Done but unverified (0)
  none

Not done, and why (1)
  J-1  text of J-1
    no night ran
    events J-1-added

Decisions you owe (1)
  -  no night ran: let a timer begin it, or begin it yourself
    $ orchestrate overnight install-timer
    events J-1-added

Quota, in points
  five-hour used unknown, left unknown, wasted unknown
  seven-day used unknown, left unknown, wasted unknown
  jobs      unknown of the five-hour window
  floor     10 of each

Open an event: orchestrate events list --id ID
"""


@pytest.mark.parametrize(
    ("told", "jobs", "history", "expected"),
    [
        (GOOD, (), {"five_hour": [reading(clock(22, 50), 10), reading(clock(23, 30), 30)]}, TEXT),
        ([], [job("J-1")], {}, NO_NIGHT),
    ],
)
def test_the_morning_is_told_in_the_same_words_whatever_the_night_was(told, jobs, history, expected):
    assert "".join(f"{line}\n" for line in report_text.lines(built(told, jobs, history))) == expected
