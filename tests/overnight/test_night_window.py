from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from night_world import HOUR, at

from orchestrate.overnight.window import Estimate, Night, Reading, Span, clock, readings
from state import quota

BERLIN = ZoneInfo("Europe/Berlin")
LATE = Night(time(23), time(6), UTC)


def local(text):
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


@pytest.mark.parametrize(
    ("night", "now", "begins", "ends", "evening"),
    [
        (LATE, at(12), at(23), at(30), date(2026, 11, 21)),
        (LATE, at(23), at(23), at(30), date(2026, 11, 21)),
        (LATE, at(5, 59), at(-1), at(6), date(2026, 11, 20)),
        (LATE, at(6), at(23), at(30), date(2026, 11, 21)),
        (Night(time(1), time(5), UTC), at(3), at(1), at(5), date(2026, 11, 21)),
        (Night(time(1), time(5), UTC), at(5), at(25), at(29), date(2026, 11, 22)),
        (Night(time(6), time(6), UTC), at(7), at(6), at(30), date(2026, 11, 21)),
    ],
)
def test_the_night_is_the_one_that_it_is_or_the_next(night, now, begins, ends, evening):
    assert night.span(now) == Span(begins, ends, evening)


@pytest.mark.parametrize(
    ("evening", "hours"),
    [("2026-10-24", 8), ("2026-10-25", 7), ("2026-03-28", 6), ("2026-03-29", 7)],
)
def test_a_change_of_the_clocks_makes_the_night_longer_or_shorter(evening, hours):
    span = Night(time(23), time(6), BERLIN).span(local(f"{evening}T20:00"))
    assert (span.ends - span.begins) / HOUR == hours
    assert datetime.fromtimestamp(span.ends, BERLIN).time() == time(6)


@pytest.mark.parametrize(
    ("until", "evening", "ends"),
    [
        (time(2, 30), "2026-10-24T20:00", "2026-10-25T00:30:00+00:00"),  # it comes twice: the first
        (time(2, 30), "2026-03-28T20:00", "2026-03-29T01:30:00+00:00"),  # it does not come: as much later
    ],
)
def test_a_time_that_comes_twice_or_never_ends_a_night_once(until, evening, ends):
    span = Night(time(23), until, BERLIN).span(local(evening))
    assert datetime.fromtimestamp(span.ends, UTC).isoformat() == ends


@pytest.mark.parametrize(("now", "ends"), [(at(14), at(30)), (at(23, 30), at(30)), (at(29), at(30)), (at(30), at(54))])
def test_a_night_begun_by_hand_lasts_until_its_next_end(now, ends):
    assert LATE.from_now(now)[:2] == (now, ends)


def test_the_zone_of_the_machine_is_asked_where_none_is_named(monkeypatch):
    import time as clocks

    monkeypatch.setenv("TZ", "Europe/Berlin")
    clocks.tzset()
    try:
        here = Night(time(23), time(6)).span(local("2026-10-24T20:00"))
    finally:
        monkeypatch.undo()
        clocks.tzset()
    assert here == Night(time(23), time(6), BERLIN).span(local("2026-10-24T20:00"))


@pytest.mark.parametrize(
    ("read", "guess", "expected"),
    [
        (quota.Reading(40.0, at(25), at(23), "s"), None, Reading("five_hour", 40.0, 100.0, at(25), 0.0, 1.0)),
        (quota.Reading(40.0, at(25), at(22), "s"), None, Reading("five_hour", 40.0, 100.0, at(25), HOUR, 7.0)),
        (quota.Reading(40.0, None, at(22), "s"), None, Reading("five_hour", 40.0, 100.0, None, HOUR, 7.0)),
        (
            quota.Reading(40.0, at(25), at(22), "s"),
            Estimate(44.0, 47.5),
            Reading("five_hour", 44.0, 100.0, at(25), HOUR, 3.5),
        ),
        (quota.Reading(40.0, at(22, 59), at(22), "s"), None, Reading("five_hour", None, 100.0, at(22, 59), HOUR, 0.0)),
        (quota.Reading(40.0, None, at(16), "s"), None, Reading("five_hour", None, 100.0, None, 7 * HOUR, 0.0)),
    ],
)
def test_a_reading_says_how_far_it_may_be_off_or_that_it_is_unknown(read, guess, expected):
    given = {} if guess is None else {"five_hour": guess}
    assert readings({"five_hour": read}, given, at(23)) == (expected,)


def test_the_weeks_reading_lasts_for_a_day_and_drifts_slowly():
    read = quota.Reading(40.0, at(72), at(13), "s")
    assert readings({"seven_day": read}, {}, at(23)) == (
        Reading("seven_day", 40.0, 100.0, at(72), 10 * HOUR, 16.0),
    )  # fmt: skip
    assert readings({"seven_day": read}, {}, at(38))[0].used_points is None


def test_what_nobody_read_is_not_there():
    assert readings({}, {}, at(23)) == ()


@pytest.mark.parametrize("text", ["", "23", "23:0", "24:00", "12:60", "ab:cd", "-1:00", "1:2:3"])
def test_what_is_no_time_of_day_is_refused(text):
    with pytest.raises(ValueError):
        clock(text)


def test_a_time_of_day_may_leave_out_its_first_nought():
    assert (clock("6:05"), clock("23:00")) == (time(6, 5), time(23))
