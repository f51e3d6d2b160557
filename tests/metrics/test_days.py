"""A day is the user's; the store keeps UTC."""

import time
from datetime import date

import pytest

from metrics.days import Window, window


@pytest.fixture
def zone(monkeypatch):
    def choose(name):
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield choose
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("name", "day", "start", "end", "label"),
    [
        ("UTC", date(2026, 11, 21), "2026-11-21T00:00:00.000Z", "2026-11-22T00:00:00.000Z", "UTC"),
        ("Europe/Berlin", date(2026, 11, 21), "2026-11-20T23:00:00.000Z", "2026-11-21T23:00:00.000Z", "CET, UTC+01:00"),
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z", "CET, UTC+01:00"),
        (
            "Europe/Berlin",
            date(2026, 10, 25),
            "2026-10-24T22:00:00.000Z",
            "2026-10-25T23:00:00.000Z",
            "CEST, UTC+02:00",
        ),
        ("Asia/Kathmandu", date(2026, 11, 21), "2026-11-20T18:15:00.000Z", "2026-11-21T18:15:00.000Z", "UTC+05:45"),
        (
            "America/New_York",
            date(2026, 12, 31),
            "2026-12-31T05:00:00.000Z",
            "2027-01-01T05:00:00.000Z",
            "EST, UTC-05:00",
        ),
    ],
)
def test_a_day_lasts_from_local_midnight_to_the_next(zone, name, day, start, end, label):
    zone(name)
    assert window(day, day) == Window(day, day, start, end, label)


def test_a_period_includes_its_last_day(zone):
    zone("UTC")
    found = window(date(2026, 11, 1), date(2026, 11, 30))
    assert (found.start, found.end) == ("2026-11-01T00:00:00.000Z", "2026-12-01T00:00:00.000Z")
    assert found.title == "2026-11-01 to 2026-11-30"
