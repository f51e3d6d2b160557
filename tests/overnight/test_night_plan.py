import pytest
from night_world import EVENING, HOUR, LIMITS, NIGHT, SPAN, at, five, job, week

from orchestrate.overnight import cost, ranking
from orchestrate.overnight.limits import Limits
from orchestrate.overnight.night import Spent
from orchestrate.overnight.plan import RUN, SKIP, WAIT, plan

NOON = at(12)
FRESH = [five(10, resets_at=at(26))]


def planned(jobs, readings=FRESH, limits=LIMITS, now=EVENING, **named):
    return plan(jobs, readings, NIGHT, limits, now, **named)


def shown(rows):
    return [(row.job.code, row.verdict) for row in rows]


def order(jobs, limits=LIMITS):
    return [one.job.code for one in ranking.candidates(jobs, limits, SPAN, EVENING)]


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ([job(1), job(2)], ["J-1", "J-2"]),
        ([job(1), job(2, value=2.0)], ["J-2", "J-1"]),
        ([job(1), job(2, quota_points=2.0)], ["J-2", "J-1"]),
        ([job(1, value=9.0), job(2, priority="P1")], ["J-2", "J-1"]),
        ([job(1, priority="P0"), job(2, priority="P3", deadline=at(40))], ["J-2", "J-1"]),
        ([job(1), job(2, deadline=at(24 * 9))], ["J-1", "J-2"]),  # another night comes before
        ([job(1, deadline=at(40)), job(2, deadline=at(35))], ["J-2", "J-1"]),
        ([job(1), job(2, value=1.5), job(3, value=9.0, depends=("id1",))], ["J-3", "J-1", "J-2"]),
        ([job(1), job(2), job(3, priority="P0", depends=("id2",))], ["J-2", "J-3", "J-1"]),
        ([job(1), job(2), job(3, deadline=at(35), depends=("id2",))], ["J-2", "J-3", "J-1"]),
        ([job(1), job(2), job(3, value=50.0, depends=("id2",), status="shipped")], ["J-1", "J-2"]),
    ],
)
def test_the_order_is_deadline_then_priority_then_value_for_a_point_then_age(jobs, expected):
    assert order(jobs) == expected


def test_what_another_waits_for_counts_as_much_as_that_other():
    first, second, third = ranking.candidates(
        [job(1), job(2, value=3.0), job(3, depends=("id1",), value=11.0)], LIMITS, SPAN, EVENING
    )
    assert (first.job.code, first.rate, first.behind) == ("J-3", 2.75, None)
    assert (second.job.code, second.rate, second.behind) == ("J-1", 1.5, "J-3")
    assert (third.job.code, third.rate, third.behind) == ("J-2", 0.75, None)


@pytest.mark.parametrize(("points", "verdicts"), [(0.0, [RUN, RUN]), (10.0, [RUN, WAIT]), (16.0, [WAIT, WAIT])])
def test_what_the_night_has_spent_already_is_no_longer_to_be_had(points, verdicts):
    capped, until_morning = LIMITS._replace(window_cap_percent=20), at(31)
    spent = Spent("five_hour", points, 10.0, until_morning)._asdict()
    told = {"spent": [spent], "in_flight": 0.0}
    rows = planned([job(1), job(2)], [five(10, resets_at=until_morning)], capped, span=SPAN, told=told)
    assert [row.verdict for row in rows] == verdicts


def test_a_plan_says_when_each_job_begins():
    rows = planned([job(n, minutes=60.0) for n in range(1, 5)], limits=LIMITS._replace(max_concurrent=2))
    assert [(row.job.code, row.order, row.starts_at) for row in rows] == [
        ("J-1", 1, EVENING),
        ("J-2", 2, EVENING),
        ("J-3", 3, EVENING + HOUR),
        ("J-4", 4, EVENING + HOUR),
    ]
    assert rows[0].reason == "P2, value 0.25 per point"


def test_by_day_the_plan_is_of_the_coming_night_and_its_windows_are_new_then():
    (row,) = planned([job(1, quota_points=60.0)], [five(88, resets_at=at(16))], now=NOON)
    assert (row.verdict, row.starts_at) == (RUN, EVENING)


def test_a_night_begun_by_hand_is_planned_from_now():
    (row,) = planned([job(1)], now=NOON, span=NIGHT.from_now(NOON))
    assert (row.verdict, row.starts_at) == (RUN, NOON)


def test_what_does_not_fit_now_begins_after_the_reset():
    rows = planned([job(n, quota_points=30.0, minutes=30.0) for n in range(1, 5)], [five(20, resets_at=at(26))])
    assert [(row.job.code, row.starts_at) for row in rows] == [
        ("J-1", EVENING),
        ("J-2", at(26) + 5),
        ("J-3", at(26) + 5 + 1800),
        ("J-4", None),
    ]
    assert rows[-1].reason == "46 points of the five-hour limit are to be set aside for it, 29 are left"


@pytest.mark.parametrize(
    ("jobs", "verdict", "reason"),
    [
        ([job(1, not_before=at(31))], WAIT, "20 minutes do not fit before the night ends"),
        ([job(1, minutes=600.0)], WAIT, "600 minutes do not fit before the night ends"),
        ([job(1, deadline=at(22))], SKIP, "its deadline is over"),
        ([job(1, quota_points=95.0)], SKIP, "takes 95 points, and the night leaves a job 88 of a window"),
        ([job(2, depends=("id1",)), job(1, status="failed")], SKIP, "depends on J-1, which is failed"),
        (
            [job(3, depends=("id2",)), job(2, depends=("id1",)), job(1, status="cancelled")],
            SKIP,
            "depends on J-2, which depends on J-1, which is cancelled",
        ),
    ],
)
def test_what_does_not_run_has_its_reason(jobs, verdict, reason):
    rows = {row.job.code: row for row in planned(jobs)}
    assert (rows[jobs[0].code].verdict, rows[jobs[0].code].reason) == (verdict, reason)


def test_what_waits_for_a_job_that_does_not_run_says_so():
    rows = {row.job.code: row for row in planned([job(1, minutes=600.0), job(2, depends=("id1",))])}
    assert (rows["J-2"].verdict, rows["J-2"].reason) == (WAIT, "waits for J-1")


def test_more_jobs_than_the_night_has_time_for_wait():
    rows = planned([job(n, minutes=300.0) for n in range(1, 5)], limits=LIMITS._replace(max_concurrent=3))
    assert shown(rows) == [("J-1", RUN), ("J-2", RUN), ("J-3", RUN), ("J-4", WAIT)]
    assert rows[-1].reason == "others come before it, and the night is over then"


@pytest.mark.parametrize("readings", [FRESH, []])
def test_what_is_due_before_the_night_begins_is_skipped_by_it(readings):
    (row,) = planned([job(1, deadline=at(20))], readings, now=NOON)
    assert (row.verdict, row.reason) == (SKIP, "its deadline is over before the night begins")


def test_where_nobody_has_read_the_limits_only_a_probe_is_sure():
    rows = planned([job(1, quota_points=6.0), job(2, quota_points=2.0)], [])
    assert shown(rows) == [("J-2", RUN), ("J-1", WAIT)]
    assert rows[0].reason.startswith("a probe: nobody has read the limits")
    assert rows[1].reason == "nobody has read the limits: it follows if the probe brings a reading with room for it"
    assert shown(planned([job(1), job(2)], [], LIMITS._replace(blind_jobs=1))) == [("J-1", RUN), ("J-2", RUN)]


def test_a_job_that_runs_already_comes_first_and_keeps_its_place():
    running = job(2, status="running", started_at=at(22), expires_at=at(30), minutes=60.0)
    rows = planned([job(1), running], limits=LIMITS._replace(max_concurrent=1))
    assert (rows[0].job.code, rows[0].reason) == ("J-2", "runs already")
    assert rows[1].starts_at == EVENING + HOUR


def test_the_week_and_the_floor_bound_the_plan():
    jobs = [job(n, quota_points=20.0) for n in range(1, 4)]
    assert shown(planned(jobs, [five(10), week(84, resets_at=at(72))]))[0] == ("J-1", WAIT)
    assert [row.verdict for row in planned(jobs, limits=LIMITS._replace(floor_percent=60))] == [RUN, WAIT, WAIT]


def test_an_end_in_sight_of_the_floor_does_not_hold_the_plan_up():
    running = [job(n, status="running", started_at=at(22), expires_at=at(30)) for n in (1, 2, 3)]
    rows = planned([*running, job(4)], [five(89.5, resets_at=at(40))])
    assert shown(rows)[:3] == [("J-1", RUN), ("J-2", RUN), ("J-3", RUN)]


def test_a_long_queue_is_planned():
    rows = planned([job(n, quota_points=0.5, minutes=5.0) for n in range(1, 301)])
    assert len(rows) == 300
    assert {row.verdict for row in rows} == {RUN, WAIT}


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (job(9), (4.0, 20.0, "said", 6.0)),
        (job(9, quota_points=None, minutes=None), (5.0, 30.0, "guessed", 10.0)),
    ],
)
def test_what_a_job_takes_is_said_or_guessed(one, expected):
    found = cost.learn([]).of(one)
    assert (*found, found.reserve) == expected


def test_what_a_job_takes_is_learned_from_those_before():
    done = [
        job(n, tier="opus" if n > 5 else "haiku", status="shipped", attempts=1, points_used=float(n),
            started_at=EVENING, ended_at=EVENING + 60 * n)
        for n in range(1, 11)
    ]  # fmt: skip
    unsaid = job(20, quota_points=None, minutes=None)
    past = cost.learn([*done, job(21, status="failed", attempts=1, points_used=99.0)])
    assert past.of(unsaid) == (8.0, 8.0, "learned")
    assert past.of(unsaid._replace(tier="haiku")) == (4.0, 4.0, "learned")
    assert past.of(unsaid._replace(tier="opus")) == (9.0, 9.0, "learned")
    assert cost.learn(done[:4]).of(unsaid).basis == "guessed"
    assert cost.learn([one._replace(attempts=2) for one in done]).of(unsaid).basis == "guessed"


def test_limits_have_their_defaults():
    assert Limits() == (10.0, 100.0, True, 3, 0, False)
