import pytest
from night_world import EVENING, HOUR, LIMITS, SPAN, at, five, job, week

from orchestrate.overnight import cost, night
from orchestrate.overnight.night import ACTIVITY, BLIND, DONE, FLOOR, OVER, begun, ended, moves, opened

UNKNOWN = five(None)


class Played:
    """A night whose two clocks go alike, unless a test says otherwise."""

    def __init__(self, *jobs, limits=LIMITS, begins=EVENING):
        self.jobs = {one.id: one for one in jobs}
        self.wall, self.monotonic = begins, 1000.0
        self.state = opened(SPAN, limits, self.wall, self.monotonic)

    def move(self, *readings, after_s=0.0, is_active=False):
        self.wall += after_s
        self.monotonic += after_s
        found = moves(self.state, self.wall, self.monotonic, readings, list(self.jobs.values()), is_active)
        self.state = found.state
        for start in found.starts:
            self.state = begun(self.state, start, self.monotonic)
            self.jobs[start.job.id] = self.jobs[start.job.id]._replace(status="running")
        return found

    def codes(self, *readings, **named):
        return [start.job.code for start in self.move(*readings, **named).starts]

    def end(self, code, points=4.0, status="shipped"):
        name = f"id{code}"
        self.state = ended(self.state, name, points)
        self.jobs[name] = self.jobs[name]._replace(status=status)


def jobs(count, **fields):
    return [job(number, **fields) for number in range(1, count + 1)]


def test_as_many_begin_as_may_run_at_the_same_time():
    played = Played(*jobs(5))
    assert played.codes(five(10)) == ["J-1", "J-2", "J-3"]
    assert played.codes(five(10)) == []
    played.end(2)
    assert played.codes(five(14)) == ["J-4"]


@pytest.mark.parametrize(
    ("used", "error", "begin"),
    [
        (10, 1, 3),
        (69, 1, 2),  # 20 left: 6 set aside and 1 to guard for each of two
        (76, 1, 1),
        (81, 1, 1),
        (82, 1, 1),
        (83, 1, 0),
        (76, 7, 1),
        (76, 8, 0),
        (90, 0, 0),
        (120, 1, 0),
    ],
)
def test_nothing_begins_that_might_not_fit_above_the_floor(used, error, begin):
    assert len(Played(*jobs(3)).codes(five(used, error=error))) == begin


def test_what_is_in_flight_is_set_aside_in_full_until_it_lands():
    played = Played(*jobs(3), limits=LIMITS._replace(max_concurrent=2))
    assert played.codes(five(74)) == ["J-1", "J-2"]
    played.state = ended(played.state, "id1", 3.0)
    assert played.codes(five(77)) == []
    played.end(1, 3.0)
    played.end(2, 3.0)
    assert played.codes(five(80)) == ["J-3"]


def test_the_cap_bounds_what_a_night_uses_of_a_window():
    played = Played(*jobs(9), limits=LIMITS._replace(window_cap_percent=20, max_concurrent=1))
    for number, used in ((1, 0), (2, 6), (3, 12)):
        assert played.codes(five(used)) == [f"J-{number}"]
        played.end(number, 6.0)
    assert played.move(five(18)).starts == ()
    assert played.codes(five(0, resets_at=at(30)), after_s=3 * HOUR) == ["J-4"]


def test_a_new_window_is_known_by_its_time_also_where_more_is_used_of_it():
    played = Played(*jobs(9), limits=LIMITS._replace(window_cap_percent=20, max_concurrent=1))
    played.codes(five(0))
    played.end(1, 18.0)
    assert played.codes(five(18), after_s=60) == []
    assert played.codes(five(20, resets_at=at(30)), after_s=2 * HOUR) == ["J-2"]


@pytest.mark.parametrize(("used", "begin"), [(84, 1), (86.5, 1), (86.6, 0)])
def test_of_the_week_a_quarter_is_set_aside(used, begin):
    assert len(Played(*jobs(1)).codes(five(0), week(used))) == begin


def test_a_reset_that_moves_gives_no_second_helping():
    played = Played(*jobs(9), limits=LIMITS._replace(window_cap_percent=20, max_concurrent=1))
    played.codes(five(0, resets_at=at(24)))
    played.end(1, 18.0)
    assert played.codes(five(18, resets_at=at(24, 30)), after_s=1800) == []
    assert played.codes(five(18, resets_at=at(28)), after_s=60) == []
    assert played.move(five(18, resets_at=at(28)), after_s=2 * HOUR).due_at == at(28) + 5


def test_the_week_is_used_no_faster_than_it_goes_by():
    paced = LIMITS._replace(weekly_pace=True)
    # At 06:00 of this night three of its seven days have gone by: 90 * 3 / 7 = 38.6 points.
    resets_at = SPAN.ends + 4 * 24 * HOUR
    assert len(Played(*jobs(1), limits=paced).codes(five(0), week(30, resets_at))) == 1
    played = Played(*jobs(1), limits=paced)
    assert played.move(five(0), week(36, resets_at)).stop == FLOOR
    assert len(Played(*jobs(1)).codes(five(0), week(36, resets_at))) == 1
    assert len(Played(*jobs(1), limits=paced).codes(five(0), week(80, SPAN.ends - HOUR))) == 1


@pytest.mark.parametrize("used", [86, 89, 89.5, 100])
def test_where_the_floor_comes_near_the_newest_end_first(used):
    played = Played(*jobs(3))
    assert len(played.move(five(10)).starts) == 3
    left = {86: 3, 89: 0, 89.5: 0, 100: 0}[used]
    assert played.move(five(used), after_s=60).ends == tuple(f"id{n}" for n in range(left + 1, 4))
    played = Played(*jobs(3))
    played.move(five(10))
    assert played.move(five(87), after_s=60).ends == ("id3",)


def test_an_unknown_reset_is_no_reset_before_its_time():
    played = Played(*jobs(30), limits=LIMITS._replace(max_concurrent=1))
    used, ran = 60.0, 0
    while played.codes(five(used, resets_at=None), after_s=600):
        ran, used = ran + 1, used + 4
        played.end(ran)
    assert (ran, used) == (6, 84.0)
    found = played.move(five(used, resets_at=None))
    first_read = EVENING + 600
    assert (found.stop, found.due_at) == (None, first_read + 5 * HOUR + 5)  # no window is longer
    late = five(used, resets_at=None, age_s=3 * HOUR + 2900)
    assert played.move(late, after_s=found.due_at - played.wall - 60).starts == ()
    assert [start.is_probe for start in played.move(late, after_s=60).starts] == [True]
    assert len(played.codes(five(2.0, resets_at=None), after_s=30)) == 0
    played.end(7)
    assert len(played.codes(five(6.0, resets_at=None), after_s=30)) == 1


def test_where_no_reset_can_come_before_morning_the_floor_ends_the_night():
    assert Played(*jobs(1), begins=at(26)).move(five(86, resets_at=None)).stop == FLOOR


def test_the_night_waits_for_a_reset_that_is_known():
    played = Played(*jobs(1))
    found = played.move(five(88, resets_at=at(25)))
    assert (found.starts, found.stop, found.due_at, found.wait_s) == ((), None, at(25) + 5, 60.0)
    assert Played(*jobs(1)).move(five(88, resets_at=at(31))).stop == FLOOR


def test_after_a_reset_one_job_looks_before_others_follow():
    played = Played(*jobs(5))
    played.move(five(88, resets_at=at(25)))
    found = played.move(five(None, resets_at=at(25)), after_s=2 * HOUR + 5)
    assert [(start.job.code, start.is_probe) for start in found.starts] == [("J-1", True)]
    assert played.codes(five(None, resets_at=at(25)), after_s=30) == []
    assert played.codes(five(2, resets_at=at(30)), after_s=30) == ["J-2", "J-3"]


def test_without_any_reading_the_cheapest_goes_first_and_alone():
    played = Played(job(1, quota_points=9.0), job(2, quota_points=2.0), job(3))
    found = played.move()
    assert [(start.job.code, start.is_probe) for start in found.starts] == [("J-2", True)]
    assert played.codes(after_s=600) == []
    assert played.codes(five(3), after_s=60) == ["J-3", "J-1"]


def test_a_probe_that_brings_no_reading_ends_the_night():
    played = Played(*jobs(3))
    played.move()
    played.end(1)
    found = played.move(after_s=60)
    assert (found.starts, found.stop) == ((), BLIND)


@pytest.mark.parametrize(("blind", "runs"), [(0, 1), (1, 2), (2, 3), (9, 5)])
def test_so_many_follow_a_blind_probe_as_may(blind, runs):
    played = Played(*jobs(5), limits=LIMITS._replace(blind_jobs=blind, max_concurrent=2))
    ran, most = [], 0
    for _ in range(40):
        found = played.move(after_s=60)
        ran += [start.job.number for start in found.starts]
        most = max(most, len(played.state.flights))
        if found.stop:
            break
        if not found.starts and played.state.flights:
            played.end(played.state.flights[0].job.removeprefix("id"))
    assert (ran, found.stop) == (list(range(1, runs + 1)), DONE if runs == 5 else BLIND)
    assert most == min(2, max(1, runs - 1))


@pytest.mark.parametrize(
    ("wall_s", "monotonic_s", "starts"),
    [
        (60, 60, 3),
        (3600, 0, 1),  # the machine slept, or the clock was set
        (-3600, 60, 1),
        (90, 60, 3),
    ],
)
def test_where_the_clocks_part_readings_from_before_are_not_trusted(wall_s, monotonic_s, starts):
    played = Played(*jobs(5), limits=LIMITS._replace(max_concurrent=3))
    read_at = played.wall
    played.wall += wall_s
    played.monotonic += monotonic_s
    found = played.move(five(10, age_s=played.wall - read_at))
    assert [start.is_probe for start in found.starts] == [starts == 1] * starts
    assert played.move(five(10, age_s=-1.0), after_s=2).starts == () or starts == 1


def test_a_reading_from_after_the_jump_is_trusted():
    played = Played(*jobs(5))
    played.wall += 2 * HOUR
    assert [start.is_probe for start in played.move(five(10, age_s=2 * HOUR, resets_at=at(29))).starts] == [True]
    assert played.codes(five(12, age_s=5.0, resets_at=at(29)), after_s=30) == ["J-2", "J-3"]


def test_the_week_has_no_say_in_that():
    played = Played(*jobs(5))
    played.wall += 2 * HOUR
    played.move(five(10, age_s=2 * HOUR, resets_at=at(29)), week(10, age_s=2 * HOUR))
    assert played.codes(five(12, resets_at=at(29)), week(10, age_s=2 * HOUR), after_s=30) == ["J-2", "J-3"]


@pytest.mark.parametrize(
    ("wall_s", "monotonic_s", "stop"),
    [
        (7 * HOUR - 1, 7 * HOUR - 1, None),
        (7 * HOUR, 7 * HOUR, OVER),
        (7 * HOUR, 60, OVER),  # it slept through the night
        (-HOUR, 7 * HOUR, OVER),  # the clock was set back: the night is no longer for it
    ],
)
def test_the_night_is_over_by_whichever_clock_says_so_first(wall_s, monotonic_s, stop):
    played = Played(*jobs(2))
    played.move(five(10))
    played.wall += wall_s
    played.monotonic += monotonic_s
    found = played.move(five(10))
    assert (found.stop, found.ends) == (stop, ("id1", "id2") if stop else ())


def test_the_users_own_work_ends_the_night_only_where_he_said_so():
    played = Played(*jobs(2))
    assert played.move(five(10), is_active=True).stop is None
    told = Played(*jobs(2), limits=LIMITS._replace(stop_on_activity=True))
    told.move(five(10))
    found = told.move(five(10), after_s=60, is_active=True)
    assert (found.stop, found.ends) == (ACTIVITY, ("id1", "id2"))


def test_a_job_begins_only_where_it_can_end_before_the_night():
    played = Played(job(1, minutes=500.0), job(2, minutes=400.0))
    assert played.codes(five(10)) == ["J-2"]
    assert played.codes(five(10), after_s=HOUR) == []


def test_dependents_wait_until_what_they_need_is_done():
    played = Played(job(1), job(2, depends=("id1",)), job(3, depends=("id2",)))
    assert played.codes(five(10)) == ["J-1"]
    played.end(1)
    assert played.codes(five(10)) == ["J-2"]
    played.end(2, status="failed")
    assert played.move(five(10)).stop == DONE


def test_what_is_to_begin_later_tonight_keeps_the_night_open():
    played = Played(job(1, not_before=at(26)))
    found = played.move(five(10))
    assert (found.stop, found.due_at) == (None, at(26))
    assert Played(job(1, not_before=at(31))).move(five(10)).stop == DONE
    assert played.codes(five(10, resets_at=at(29)), after_s=3 * HOUR) == ["J-1"]


def test_small_jobs_do_not_take_the_place_of_a_big_one_that_only_waits_for_others_to_land():
    played = Played(
        job(1, quota_points=4.0), job(2, quota_points=40.0, priority="P3"), job(3, priority="P3", value=0.1)
    )
    assert played.codes(five(24)) == ["J-1"]
    played.end(1)
    assert played.codes(five(26)) == ["J-2"]
    never = Played(job(1, quota_points=40.0, priority="P0"), job(2))
    assert never.codes(five(60)) == ["J-2"]


def test_points_that_nobody_knows_are_what_was_set_aside():
    played = Played(*jobs(2), limits=LIMITS._replace(max_concurrent=1))
    played.move(five(10))
    played.end(1, None)
    assert [one.points for one in played.state.spent] == [6.0]
    assert cost.Cost(4.0, 20.0, "said").reserve == 6.0


def test_an_empty_queue_ends_the_night_at_once():
    assert Played().move(five(10)).stop == DONE
    assert Played().move().stop == DONE


@pytest.mark.parametrize(
    ("readings", "is_known"),
    [
        ([five(10)], True),
        ([five(10), week(10)], True),
        ([week(10)], False),
        ([five(None), week(10)], False),
        ([five(10), week(None)], False),
        ([five(10), week(None, resets_at=at(20))], True),  # just reset
        ([five(10, resets_at=at(22))], False),
        ([five(10, age_s=-120.0)], False),
    ],
)
def test_which_readings_are_enough(readings, is_known):
    found = Played(*jobs(1)).move(*readings)
    assert [start.is_probe for start in found.starts] == [not is_known]


@pytest.mark.parametrize(
    ("used", "expires_at", "begin"),
    [
        (10, EVENING + 900, ["J-2", "J-3"]),
        (69, EVENING + 900, ["J-2"]),
        (76, EVENING + 900, []),
        (69, EVENING - 1, ["J-2", "J-3"]),  # its claim is over: nobody renews it
    ],
)
def test_what_another_runner_has_begun_counts_too(used, expires_at, begin):
    theirs = job(1, status="running", owner="another", expires_at=expires_at)
    played = Played(theirs, *jobs(4)[1:], limits=LIMITS._replace(max_concurrent=3))
    assert played.codes(five(used)) == begin


def test_the_night_goes_on_while_another_runner_has_what_others_wait_for():
    played = Played(job(1, status="running", expires_at=at(30)), job(2, depends=("id1",)))
    assert played.move(five(10)).stop is None
    played.end(1)
    assert played.codes(five(10)) == ["J-2"]


def test_the_state_is_a_value():
    state = opened(SPAN, LIMITS, EVENING, 0.0)
    first = moves(state, EVENING, 0.0, [five(10)], jobs(2))
    assert moves(state, EVENING, 0.0, [five(10)], jobs(2)) == first
    assert night.opened(SPAN, LIMITS, EVENING, 0.0) == state
