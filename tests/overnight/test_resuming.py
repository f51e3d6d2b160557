"""Which sessions go on, by tables: the limit, the readings and the clock go in, a verdict with its reason comes out."""

from datetime import UTC, datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from orchestrate.overnight import resuming, resuming_reset
from orchestrate.overnight.resuming import DAY_S, UNKNOWN_S, Rules, Watched, due
from orchestrate.overnight.resuming_quiet import Quiet
from orchestrate.overnight.resuming_reset import Limit
from state.quota import Reading
from state.store.resume_records import Attempt

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600.0


def at(text, zone=UTC):
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


STOPPED = at("2026-11-21T14:00")
RESET = STOPPED + 2 * HOUR
EVEN = Rules(jitter_s=0.0)
LIMIT = Limit("l1", STOPPED, RESET, "five_hour")
BLIND = Limit("l1", STOPPED)
SESSION = Watched("s1", "/p", True, EVEN, LIMIT)


def row(one, now, readings=None, zone=UTC):
    (found,) = due([one], readings or {}, now, zone)
    return found


def verdict(one, now, readings=None, zone=UTC):
    found = row(one, now, readings, zone)
    return found.verdict, found.reason


def reading(used, resets_at, read_at):
    return Reading(used, resets_at, read_at, "statusline")


def attempt(number=0, outcome="rate_limited", limit_at=STOPPED - HOUR, points=1.0, **changes):
    """One that the limit of SESSION ended, unless told otherwise."""
    whole = Attempt(
        "s1", f"l-{number}", limit_at, "me", 1, STOPPED - 60, STOPPED - 60, STOPPED, outcome, RESET, points
    )  # fmt: skip
    return whole._replace(**changes)


def ended(minutes_ago, points=None, usd=None, now=RESET, session="other"):
    then = now - minutes_ago * 60
    return Attempt(session, f"o-{minutes_ago}", then, "me", 1, then, then, then, "ok", None, points, usd)


GOES = ("resume", "the limit is over")
WAITS = ("wait", "the limit is not over")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, GOES),
        ({"is_on": False}, ("skip", "switched off for this session")),
        ({"rules": EVEN._replace(off="resume.enabled is false")}, ("skip", "resume.enabled is false")),
        ({"limit": None}, ("idle", "no limit stands in its way")),
        ({"lacking": "its folder is gone: /p"}, ("skip", "its folder is gone: /p")),
        ({"client": 12}, ("wait", "a client is open on it (pid 12)")),
        ({"limit": None, "client": 12}, ("idle", "no limit stands in its way")),
    ],
)
def test_what_stands_in_the_way(changes, expected):
    assert verdict(SESSION._replace(**changes), RESET) == expected


@pytest.mark.parametrize(("now", "expected"), [(RESET - 1, WAITS), (RESET, GOES), (RESET + 90 * DAY_S, GOES)])
def test_it_goes_on_from_the_reset_on(now, expected):
    assert verdict(SESSION, now) == expected


def test_many_sessions_go_on_one_after_the_other_and_always_at_the_same_moment():
    many = [SESSION._replace(session=f"s{number}", rules=Rules(jitter_s=120)) for number in range(50)]
    moments = [found.at for found in due(many, {}, STOPPED, UTC)]
    assert moments == [found.at for found in due(many, {}, RESET - 1, UTC)]
    assert all(RESET <= moment < RESET + 120 for moment in moments)
    assert len(set(moments)) > 40
    assert {found.verdict for found in due(many, {}, RESET + 120, UTC)} == {"resume"}
    early = next(one for one, moment in zip(many, moments, strict=True) if moment > RESET + 1)
    assert verdict(early, RESET) == ("wait", "spread after the reset")


@pytest.mark.parametrize(
    ("limit", "readings", "expected"),
    [
        (LIMIT, {}, RESET),
        # Readings from before the limit say nothing that it did not.
        (LIMIT, {"five_hour": reading(97, RESET + HOUR, STOPPED - 60)}, RESET),
        # It moved: later, earlier, or away.
        (LIMIT, {"five_hour": reading(100, RESET + HOUR, STOPPED + 60)}, RESET + HOUR),
        (LIMIT, {"five_hour": reading(100, RESET - HOUR, STOPPED + 60)}, RESET - HOUR),
        (LIMIT, {"five_hour": reading(3, RESET + 4 * HOUR, STOPPED + 60)}, STOPPED),
        # Still full, and nobody says until when: what was told holds.
        (LIMIT, {"five_hour": reading(100, None, STOPPED + 60)}, RESET),
        # Another limit is full as well.
        (LIMIT, {"seven_day": reading(100, RESET + 24 * HOUR, STOPPED + 60)}, RESET + 24 * HOUR),
        (LIMIT, {"seven_day": reading(40, RESET + 24 * HOUR, STOPPED + 60)}, RESET),
        # Somebody has used up the next window too.
        (LIMIT, {"five_hour": reading(100, RESET + 5 * HOUR, RESET + 60)}, RESET + 5 * HOUR),
        # A window that no reading knows.
        (LIMIT._replace(window="seven_day_opus"), {"five_hour": reading(3, RESET, STOPPED + 60)}, RESET),
        (Limit("l", STOPPED, RESET), {"five_hour": reading(3, RESET, STOPPED + 60)}, STOPPED),
        (Limit("l", STOPPED, STOPPED + 3 * DAY_S), {"five_hour": reading(3, RESET, STOPPED + 60)}, STOPPED + 3 * DAY_S),
        # Nobody told the session when: the window that was nearly full, or nothing.
        (BLIND, {}, None),
        (BLIND, {"five_hour": reading(95, RESET, STOPPED - 600)}, RESET),
        (BLIND, {"five_hour": reading(42, RESET, STOPPED - 600)}, None),
        (BLIND, {"five_hour": reading(95, STOPPED - 60, STOPPED - 600)}, None),
        (BLIND, {"five_hour": reading(95, None, STOPPED - 600)}, None),
        (
            BLIND,
            {"five_hour": reading(95, RESET, STOPPED - 9), "seven_day": reading(93, RESET + DAY_S, STOPPED - 9)},
            RESET + DAY_S,
        ),
        (BLIND, {"five_hour": reading(100, RESET + 60, STOPPED + 60)}, RESET + 60),
        (BLIND, {"five_hour": reading(3, RESET, STOPPED + 60)}, STOPPED),
        (BLIND, {"five_hour": reading(3, RESET, STOPPED + 60), "seven_day": reading(50, None, STOPPED - 60)}, None),
        # What is further away than a week is a clock that is wrong.
        (LIMIT._replace(resets_at=STOPPED + 60 * DAY_S), {}, None),
        (BLIND, {"five_hour": reading(100, STOPPED + 60 * DAY_S, STOPPED + 60)}, None),
    ],
)
def test_the_newest_word_of_a_reset_holds(limit, readings, expected):
    assert resuming_reset.when(limit, readings, STOPPED + 300) == expected


def test_a_reset_that_moved_later_is_waited_for_again_and_one_that_moved_earlier_is_taken():
    later = {"five_hour": reading(100, RESET + HOUR, STOPPED + 60)}
    assert [verdict(SESSION, RESET, later), verdict(SESSION, RESET + HOUR, later)] == [WAITS, GOES]
    earlier = {"five_hour": reading(100, RESET - HOUR, STOPPED + 60)}
    assert [verdict(SESSION, RESET - HOUR - 1, earlier), verdict(SESSION, RESET - HOUR, earlier)] == [WAITS, GOES]


def test_an_unknown_reset_is_waited_out_and_one_attempt_is_made():
    blind = SESSION._replace(limit=BLIND)
    found = row(blind, STOPPED + UNKNOWN_S - 1)
    assert found[2:5] == ("wait", "the reset is unknown: five hours are waited", STOPPED + UNKNOWN_S)
    assert verdict(blind, STOPPED + UNKNOWN_S) == ("resume", "the reset is unknown: one attempt")
    again = blind._replace(attempts=(attempt(resets_at=None),))
    assert verdict(again, STOPPED + UNKNOWN_S) == ("skip", "the reset is unknown, and one attempt was made")
    assert verdict(again, RESET, {"five_hour": reading(100, RESET, STOPPED + 60)}) == GOES


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (STOPPED - DAY_S, WAITS),  # set back by a day
        (STOPPED - 30 * DAY_S, ("wait", "the reset is unknown: five hours are waited")),  # what was told is no time
        (STOPPED + 30 * DAY_S, GOES),
    ],
)
def test_a_clock_that_was_set_makes_nobody_go_on_early(now, expected):
    assert verdict(SESSION, now) == expected


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        ([attempt(limit_id="l1", limit_at=STOPPED, outcome="ok")], ("skip", "went on once after this limit: ok")),
        (
            [attempt(limit_id="l1", limit_at=STOPPED, outcome=None, ended_at=None)],
            ("skip", "went on once after this limit: has not told its end"),
        ),
        (
            [attempt(limit_id="l1", limit_at=STOPPED, started_at=None, ended_at=None, expires_at=RESET + 1)],
            ("wait", "another process is about to go on with it"),
        ),
        ([attempt(limit_id="l1", limit_at=STOPPED, started_at=None, ended_at=None, expires_at=RESET)], GOES),
        ([attempt()], GOES),
        ([attempt(points=None)], ("skip", "what the last attempt used is unknown, and one attempt was made")),
        ([attempt(points=None, usd=0.2)], GOES),
        ([attempt(points=None, outcome="ok")], GOES),  # its user has come back since: the limit is another one
        ([attempt(points=None, started_at=STOPPED - HOUR, ended_at=STOPPED - 600)], GOES),
        (
            [attempt(outcome=None, ended_at=None, points=None)],
            ("skip", "what the last attempt used is unknown, and one attempt was made"),
        ),
    ],
)
def test_each_limit_is_dealt_with_once(attempts, expected):
    assert verdict(SESSION._replace(attempts=tuple(attempts)), RESET) == expected


def chain(count):
    """Each attempt ended at a limit that the next began after; the last at that of SESSION."""
    moments = [STOPPED - 6 * HOUR * number for number in range(count, -1, -1)]
    return tuple(
        attempt(number, limit_at=before, started_at=after - 120, ended_at=after)
        for number, (before, after) in enumerate(pairwise(moments))
    )


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, GOES),
        (2, GOES),
        (3, ("skip", "gave up after 3 limits in a row")),
        (4, ("skip", "gave up after 4 limits in a row")),
    ],
)
def test_it_gives_up_after_some_limits_in_a_row(count, expected):
    one = SESSION._replace(attempts=chain(count), rules=EVEN._replace(give_up_after=3))
    assert len(resuming.in_a_row(one)) == count
    assert verdict(one, RESET) == expected


def test_a_claim_that_nobody_began_does_not_hide_what_went_before():
    claim = attempt(limit_id="l1", limit_at=STOPPED, started_at=None, ended_at=None, outcome=None, expires_at=0)
    assert verdict(SESSION._replace(attempts=(*chain(3), claim)), RESET) == ("skip", "gave up after 3 limits in a row")


CAPPED = EVEN._replace(max_points=10.0, max_usd=2.0)


@pytest.mark.parametrize(
    ("spent", "is_paid", "expected", "left"),
    [
        ([], False, GOES, (10.0, None)),
        ([ended(60, 4.0), ended(30, 3.0)], False, GOES, (3.0, None)),
        ([ended(60, 4.0), ended(30, 6.0)], False, ("wait", "resume.max_points is used up: 10"), (0.0, None)),
        ([ended(1441, 40.0)], False, GOES, (10.0, None)),
        ([ended(60, None)], False, GOES, (10.0, None)),
        ([ended(60, 40.0)], True, GOES, (None, 2.0)),
        ([ended(60, None, 1.5)], True, GOES, (None, 0.5)),
        ([ended(60, None, 2.5)], True, ("wait", "resume.max_usd is used up: 2"), (None, 0.0)),
    ],
)
def test_all_sessions_together_stay_within_the_cap(spent, is_paid, expected, left):
    other = Watched("other", "/p", True, CAPPED, None, attempts=tuple(spent))
    one = SESSION._replace(rules=CAPPED, is_paid=is_paid)
    found = due([one, other], {}, RESET, UTC)[0]
    assert (found[2:4], found[-2:]) == (expected, left)


def test_a_cap_that_is_used_up_is_free_again_when_the_oldest_is_a_day_old():
    other = Watched("other", "/p", True, CAPPED, None, attempts=(ended(600, 6.0), ended(60, 6.0)))
    one = SESSION._replace(rules=CAPPED)
    found = due([one, other], {}, RESET, UTC)[0]
    assert (found.verdict, found.at) == ("wait", RESET - 600 * 60 + DAY_S)
    assert due([one, other], {}, found.at, UTC)[0].verdict == "resume"


@pytest.mark.parametrize(
    ("rules", "is_paid", "reason"),
    [
        (EVEN._replace(max_points=0.0), False, "resume.max_points is 0"),
        (EVEN._replace(max_usd=0.0), True, "resume.max_usd is 0"),
    ],
)
def test_a_cap_of_nothing_is_an_off_switch(rules, is_paid, reason):
    found = row(SESSION._replace(rules=rules, is_paid=is_paid), RESET)
    assert (found.verdict, found.reason, found.at) == ("skip", reason, None)


NIGHTLY = EVEN._replace(quiet=Quiet(time(22), time(7)))


@pytest.mark.parametrize(
    ("reset", "now", "expected", "goes_at"),
    [
        ("2026-11-21T16:00", "2026-11-21T16:00", GOES, "2026-11-21T16:00"),
        ("2026-11-21T16:00", "2026-11-21T22:00", ("wait", "quiet hours"), None),
        ("2026-11-21T21:59", "2026-11-21T21:00", WAITS, "2026-11-21T21:59"),
        ("2026-11-21T22:00", "2026-11-21T21:00", WAITS, "2026-11-22T07:00"),
        ("2026-11-22T03:00", "2026-11-22T03:00", ("wait", "quiet hours"), "2026-11-22T07:00"),
        ("2026-11-22T03:00", "2026-11-22T07:00", GOES, "2026-11-22T07:00"),
        # The clocks go forward at 02:00 on 29 March, and back at 03:00 on 25 October.
        ("2026-03-29T03:30", "2026-03-29T03:30", ("wait", "quiet hours"), "2026-03-29T07:00"),
        ("2026-03-29T03:30", "2026-03-29T07:00", GOES, "2026-03-29T07:00"),
        ("2026-10-25T03:30", "2026-10-25T03:30", ("wait", "quiet hours"), "2026-10-25T07:00"),
        ("2026-10-25T03:30", "2026-10-25T07:00", GOES, "2026-10-25T07:00"),
    ],
)
def test_nobody_goes_on_in_quiet_hours(reset, now, expected, goes_at):
    reset, now = at(reset, BERLIN), at(now, BERLIN)
    found = row(SESSION._replace(limit=Limit("l", reset - HOUR, reset, "five_hour"), rules=NIGHTLY), now, zone=BERLIN)
    assert (found.verdict, found.reason) == expected
    if goes_at and expected != GOES:
        assert found.at == at(goes_at, BERLIN)


@pytest.mark.parametrize("hours", [(22, 7), (2, 6), (12, 14), (23, 3)])
@pytest.mark.parametrize("day", ["2026-03-27", "2026-10-23"])
def test_around_a_change_of_the_clocks_an_hour_is_quiet_as_they_show_and_no_wait_ends_in_one(day, hours):
    start, end = (time(hour) for hour in hours)
    one = SESSION._replace(rules=EVEN._replace(quiet=Quiet(start, end)), limit=Limit("l", 0.0, 0.0))
    for hour in range(24 * 4):
        now = at(f"{day}T00:30", BERLIN) + hour * HOUR
        found = row(one, now, zone=BERLIN)
        shown = datetime.fromtimestamp(now, BERLIN).time()
        is_quiet = shown >= start or shown < end if start > end else start <= shown < end
        if shown.hour != 2:  # comes twice in October: see the table of quiet hours
            assert found.verdict == ("wait" if is_quiet else "resume"), datetime.fromtimestamp(now, BERLIN)
        assert row(one, found.at, zone=BERLIN).verdict == "resume"


def test_with_an_api_key_they_go_on_one_after_the_other():
    many = [SESSION._replace(session=f"s{number}", is_paid=True) for number in range(3)]
    busy = ("wait", "another session goes on, and what it costs is not known yet")
    assert [found[2:4] for found in due(many, {}, RESET, UTC)] == [GOES, busy, busy]
    at_work = attempt(session="s0", limit_id="l1", limit_at=STOPPED, outcome=None, started_at=RESET - 60, ended_at=None)
    went = ("skip", "went on once after this limit: has not told its end")
    rows = due([many[0]._replace(attempts=(at_work,)), *many[1:]], {}, RESET, UTC)
    assert [found[2:4] for found in rows] == [went, busy, busy]
    rows = due([many[0]._replace(attempts=(at_work,)), *many[1:]], {}, RESET + EVEN.longest_s, UTC)
    assert [found[2:4] for found in rows] == [went, GOES, busy]
    assert {found.verdict for found in due([one._replace(is_paid=False) for one in many], {}, RESET, UTC)} == {"resume"}
