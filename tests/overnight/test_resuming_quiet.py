"""Quiet hours by tables: over midnight, and in the nights when a clock jumps forth or back."""

from datetime import UTC, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from orchestrate.overnight import resuming_quiet
from orchestrate.overnight.resuming_quiet import Quiet, begins, parse, until

BERLIN = ZoneInfo("Europe/Berlin")  # forth at 02:00 on 29 March 2026, back at 03:00 on 25 October 2026
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # back by half an hour at 02:00 on 5 April 2026
SUMMER, WINTER = timezone(timedelta(hours=2)), timezone(timedelta(hours=1))


def at(text, zone):
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("  ", None),
        ("22:00-07:00", Quiet(time(22), time(7))),
        (" 9:30-12:05 ", Quiet(time(9, 30), time(12, 5))),
    ],
)
def test_hours_are_read(text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize("text", ["22:00", "22-7", "24:00-07:00", "22:60-07:00", "22:00-07:00-08:00", "night"])
def test_what_are_no_hours_is_refused(text):
    with pytest.raises(ValueError, match=r"quiet hours|must be in"):
        parse(text)


@pytest.mark.parametrize(
    ("hours", "now", "ends"),
    [
        ("22:00-07:00", "2026-11-21T21:59:59", None),
        ("22:00-07:00", "2026-11-21T22:00", "2026-11-22T07:00"),
        ("22:00-07:00", "2026-11-22T00:00", "2026-11-22T07:00"),
        ("22:00-07:00", "2026-11-22T06:59:59", "2026-11-22T07:00"),
        ("22:00-07:00", "2026-11-22T07:00", None),
        ("12:00-13:30", "2026-11-22T13:29", "2026-11-22T13:30"),
        ("12:00-13:30", "2026-11-22T13:30", None),
        ("12:00-13:30", "2026-11-22T00:00", None),
        ("08:00-08:00", "2026-11-22T07:59", "2026-11-22T08:00"),
        ("08:00-08:00", "2026-11-22T08:00", "2026-11-23T08:00"),
        ("00:00-06:00", "2026-11-22T00:00", "2026-11-22T06:00"),
        ("18:00-00:00", "2026-11-21T23:59", "2026-11-22T00:00"),
        ("18:00-00:00", "2026-11-22T00:00", None),
    ],
)
def test_when_quiet_hours_end(hours, now, ends):
    assert until(parse(hours), at(now, BERLIN), BERLIN) == (at(ends, BERLIN) if ends else None)


@pytest.mark.parametrize(
    ("hours", "now", "zone", "ends"),
    [
        # Forth: from 02:00 to 03:00. A time between them is that moment, 01:00 UTC.
        ("22:00-07:00", "2026-03-29T00:59", UTC, "2026-03-29T05:00"),
        ("22:00-02:30", "2026-03-29T00:59", UTC, "2026-03-29T01:00"),
        ("22:00-02:30", "2026-03-29T01:00", UTC, None),
        ("02:30-06:00", "2026-03-29T00:59", UTC, None),
        ("02:30-06:00", "2026-03-29T01:00", UTC, "2026-03-29T04:00"),
        ("02:10-02:50", "2026-03-29T01:00", UTC, None),
        # Back: from 03:00 to 02:00. Begun when the clock first shows it, over when it last does.
        ("22:00-07:00", "2026-10-25T01:30", UTC, "2026-10-25T06:00"),
        ("02:30-06:00", "2026-10-25T02:29", SUMMER, None),
        ("02:30-06:00", "2026-10-25T02:30", SUMMER, "2026-10-25T05:00"),
        ("02:30-06:00", "2026-10-25T02:15", WINTER, "2026-10-25T05:00"),
        ("22:00-02:30", "2026-10-25T02:30", SUMMER, "2026-10-25T01:30"),
        ("22:00-02:30", "2026-10-25T02:29", WINTER, "2026-10-25T01:30"),
        ("22:00-02:30", "2026-10-25T02:30", WINTER, None),
    ],
)
def test_when_quiet_hours_end_in_the_nights_of_a_change(hours, now, zone, ends):
    assert until(parse(hours), at(now, zone), BERLIN) == (at(ends, UTC) if ends else None)


def test_a_clock_that_goes_back_by_half_an_hour():
    quiet = parse("01:45-06:00")
    first = datetime(2026, 4, 5, 1, 45, tzinfo=LORD_HOWE).timestamp()
    assert [until(quiet, now, LORD_HOWE) is not None for now in (first - 1, first, first + 1801)] == [False, True, True]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-21T21:00", "2026-11-21T22:00"),
        ("2026-11-21T22:00", "2026-11-22T22:00"),
        ("2026-11-22T03:00", "2026-11-22T22:00"),
    ],
)
def test_when_the_next_ones_begin(now, expected):
    assert begins(parse("22:00-07:00"), at(now, BERLIN), BERLIN) == at(expected, BERLIN)
    assert begins(None, at(now, BERLIN), BERLIN) is None


def test_without_a_zone_the_machines_own_clock_counts(monkeypatch):
    import time as clock

    monkeypatch.setenv("TZ", "Europe/Berlin")
    clock.tzset()
    try:
        for hour in [*range(24 * 86, 24 * 89), *range(24 * 296, 24 * 299)]:  # the days around both changes
            now = at("2026-01-01T00:20", BERLIN) + hour * 3600
            for hours in ("22:00-07:00", "02:30-06:00", "22:00-02:30"):
                assert until(parse(hours), now, None) == until(parse(hours), now, BERLIN)
    finally:
        monkeypatch.undo()
        clock.tzset()


def test_the_moment_of_a_jump_is_found_to_the_second():
    found = resuming_quiet.moment(datetime(2026, 3, 29, tzinfo=UTC).date(), time(2, 30), BERLIN)
    assert found == at("2026-03-29T01:00", UTC)
