from datetime import UTC, date, datetime

import pytest

from metrics import quota_report
from metrics.quota_readings import Reading
from metrics.quota_report import Day, Reset

FIRST, LAST = date(2026, 11, 20), date(2026, 11, 21)
NEVER = Day("", None, 0, None, None, None, None)


def at(text):
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=UTC).timestamp()


NOW = at("21 20:00")


def build(five=(), seven=(), pressure=0.9):
    history = {
        name: [Reading(at(when), used, None if reset is None else at(reset)) for when, used, reset in readings]
        for name, readings in (("five_hour", five), ("seven_day", seven))
    }
    return quota_report.build(history, FIRST, LAST, pressure, NOW)


def days(found, window="five_hour"):
    return {day.date: day for day in found.limits[window].days}


def test_without_readings_every_figure_is_unknown():
    found = build()
    assert not found.has_data
    empty = {
        "points": None,
        "resets": 0,
        "utilisation": None,
        "waste": None,
        "peak": None,
        "pressure_s": None,
        "target": 0.8,
        "met": None,
        "days": [NEVER._replace(date=day)._asdict() for day in ("2026-11-20", "2026-11-21")],
        "by_reset": [],
    }
    assert quota_report.as_json(found) == {
        "since": "2026-11-20",
        "until": "2026-11-21",
        "time_zone": "UTC",
        "data": False,
        "windows": {"five_hour": empty, "seven_day": empty},
    }


def test_what_a_window_did_not_use_expires_at_its_reset():
    found = build(
        five=[
            ("20 09:00", 10, "20 14:00"),
            ("20 13:00", 70, "20 14:00"),
            ("20 15:00", 5, "20 20:00"),
            ("20 19:30", 100, "20 20:00"),
            ("21 18:00", 40, "21 23:00"),  # still runs
        ]
    )
    day = Day("2026-11-20", 170.0, 2, 0.85, 30.0, 100, 1800.0)
    assert days(found) == {"2026-11-20": day, "2026-11-21": Day("2026-11-21", 40.0, 0, None, None, 40, 0.0)}
    limit = found.limits["five_hour"]
    assert limit.total == Day("", 210.0, 2, 0.85, 30.0, 100, 1800.0)
    assert limit.resets == [Reset(at("20 14:00"), 70, 30.0, 3600.0), Reset(at("20 20:00"), 100, 0.0, 1800.0)]
    told = quota_report.as_json(found)["windows"]["five_hour"]
    assert (told["utilisation"], told["target"], told["met"]) == (0.85, 0.8, True)
    assert told["by_reset"][0] == {"at": at("20 14:00"), "used": 70, "waste": 30.0, "unread_s": 3600.0}


def test_what_was_used_before_anybody_read_it_is_of_no_day():
    """A week that began before: nobody knows on which of its days."""
    found = build(seven=[("20 10:00", 60, "23 00:00"), ("20 12:00", 63, "23 00:00"), ("21 12:00", 70, "23 00:00")])
    assert [day.points for day in days(found, "seven_day").values()] == [3.0, 7.0]
    assert found.limits["seven_day"].total.points == 10.0


def test_a_window_s_points_fall_on_the_days_they_were_read():
    found = build(five=[("20 22:00", 10, "21 03:00"), ("20 23:50", 30, "21 03:00"), ("21 01:00", 45, "21 03:00")])
    assert {name: (day.points, day.resets, day.utilisation) for name, day in days(found).items()} == {
        "2026-11-20": (30.0, 0, None),
        "2026-11-21": (15.0, 1, 0.45),
    }


@pytest.mark.parametrize(
    ("readings", "pressure", "seconds"),
    [
        ([("20 10:00", 89, "20 14:00")], 0.9, [0.0, None]),
        ([("20 10:00", 90, "20 14:00")], 0.9, [4 * 3600.0, None]),
        ([("20 10:00", 50, "20 14:00")], 0.5, [4 * 3600.0, None]),
        ([("20 23:00", 95, "21 01:00")], 0.9, [3600.0, 3600.0]),  # over midnight
        ([("21 19:00", 95, "21 23:00")], 0.9, [None, 3600.0]),  # it is 20:00
        ([("20 10:00", 95, None), ("20 11:00", 96, None)], 0.9, [3600.0, None]),
        ([("20 10:00", 95, "20 14:00"), ("20 11:00", 3, "20 16:00")], 0.9, [0.0, None]),  # given back
    ],
)
def test_time_under_pressure_lasts_to_the_reset(readings, pressure, seconds):
    assert [day.pressure_s for day in days(build(five=readings, pressure=pressure)).values()] == seconds


def test_a_window_that_was_cut_short_expired_nothing():
    found = build(five=[("20 10:00", 95, "20 14:00"), ("20 11:00", 3, "20 16:00")])
    assert [reset.used for reset in found.limits["five_hour"].resets] == [3]


def test_more_than_all_is_all_of_it():
    limit = build(five=[("20 10:00", 110, "20 14:00")]).limits["five_hour"]
    assert (limit.total.utilisation, limit.total.waste, limit.total.peak) == (1.0, 0.0, 110)


def test_days_are_local(monkeypatch):
    import time

    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        found = build(five=[("20 16:00", 30, "20 20:00")])
    finally:
        monkeypatch.undo()
        time.tzset()
    assert [day.points for day in days(found).values()] == [None, 30.0]
    assert found.zone == "JST, UTC+09:00"
