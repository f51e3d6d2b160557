import json
from pathlib import Path

import pytest

from metrics.quota_readings import Reading, history, spans
from state import quota

RESET = 1_800_018_000.0
NEXT = RESET + 18_000


def read(at, used, resets_at=RESET):
    return Reading(at, used, resets_at)


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([], []),
        ([read(1, 5)], [[5]]),
        ([read(1, 5), read(2, 9), read(3, 9, RESET + 60)], [[5, 9, 9]]),
        ([read(1, 5), read(2, 3)], [[5, 3]]),  # two sessions, whose writing crossed
        ([read(1, 50), read(2, 9)], [[50], [9]]),  # given back
        ([read(1, 50), read(2, 9, NEXT)], [[50], [9]]),
        ([read(1, 50), read(2, 60, NEXT)], [[50], [60]]),
        ([read(1, 50), read(RESET + 1, 60)], [[50], [60]]),
        ([read(1, 5, None), read(2, 6, None)], [[5, 6]]),
        ([read(1, 5, None), read(2, 6)], [[5], [6]]),
    ],
)
def test_readings_of_one_window_stay_together(readings, expected):
    assert [[reading.used for reading in span.readings] for span in spans(readings)] == expected


def test_a_window_that_ended_before_its_time_is_marked():
    early, late = spans([read(1, 50), read(2, 9, NEXT)]), spans([read(1, 50), read(RESET + 5, 9, NEXT)])
    assert [span.is_cut for span in early] == [True, False]
    assert [span.is_cut for span in late] == [False, False]


def test_the_history_is_read_from_both_files_in_order(tmp_path):
    user = str(tmp_path)
    for number, name in enumerate((quota.LOG + ".1", quota.LOG)):
        windows = {"five_hour": {"used": number, "resets_at": RESET}, "elsewhere": {"used": 1}}
        Path(user, name).write_text(json.dumps({"at": 100 + number, "windows": windows}) + "\n")
    assert history(user) == {"five_hour": [read(100, 0), read(101, 1)], "seven_day": []}
    assert history(user, since=101)["five_hour"] == [read(101, 1)]


def test_without_a_file_there_is_no_history(tmp_path):
    assert history(str(tmp_path)) == {"five_hour": [], "seven_day": []}


@pytest.mark.parametrize(
    "line",
    [
        "garbage",
        "[]",
        '{"at": 1}',
        '{"windows": {"five_hour": {"used": 1}}}',
        '{"at": "x", "windows": {"five_hour": {"used": 1}}}',
        '{"at": 1, "windows": {"five_hour": {"used": "x"}}}',
        '{"at": 1, "windows": {"five_hour": 3}}',
        '{"at": 1, "windows": []}',
        '{"at": 1, "windows": {"five_hour": {"us',
        "",
    ],
)
def test_a_line_that_cannot_be_understood_is_left_out(line, tmp_path):
    good = json.dumps({"at": 5, "windows": {"five_hour": {"used": 7, "resets_at": None}}})
    (tmp_path / quota.LOG).write_text(f"{line}\n{good}\n")
    assert history(str(tmp_path))["five_hour"] == [read(5, 7, None)]
