import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from state import quota
from state.quota import Reading

NOW = 1_800_000_000.0
RESET = NOW + 3 * 3600
WEEK = NOW + 4 * 86_400
REPO = Path(__file__).resolve().parents[2]


@pytest.fixture
def user(tmp_path):
    return str(tmp_path / "user")


def five(used, resets_at=RESET):
    return {"five_hour": {"used": used, "resets_at": resets_at}}


def known(user):
    return {name: reading.as_dict() for name, reading in quota.read(user).items()}


def history(user, name=quota.LOG):
    path = Path(user, name)
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def test_nothing_is_known_before_the_first_reading(user):
    assert quota.read(user) == {}
    assert quota.pressure(quota.read(user), NOW) is None


def test_a_reading_is_kept_with_its_time_and_source(user):
    week = {"used": 13.5, "resets_at": WEEK}
    after = quota.note(user, {**five(42), "seven_day": week}, "statusline", NOW)
    expected = {
        "five_hour": {"used": 42, "resets_at": RESET, "read_at": NOW, "source": "statusline"},
        "seven_day": {"used": 13.5, "resets_at": WEEK, "read_at": NOW, "source": "statusline"},
    }
    assert known(user) == {name: reading.as_dict() for name, reading in after.items()} == expected
    assert json.loads(Path(user, quota.FILE).read_bytes()) == {"v": 1, "windows": expected, "seen": {}}
    windows = {"five_hour": {"used": 42, "resets_at": RESET}, "seven_day": week}
    assert history(user) == [{"v": 1, "at": NOW, "source": "statusline", "windows": windows}]


def test_only_a_window_that_differs_gets_a_line(user):
    quota.note(user, {**five(42), "seven_day": {"used": 13, "resets_at": WEEK}}, "stream", NOW)
    quota.note(user, {**five(42, RESET + 5), "seven_day": {"used": 13, "resets_at": WEEK}}, "stream", NOW + 1)
    quota.note(user, {**five(43), "seven_day": {"used": 13, "resets_at": WEEK}}, "stream", NOW + 2)
    assert [line["windows"] for line in history(user)[1:]] == [five(43)]
    assert known(user)["seven_day"]["read_at"] == NOW + 2


def test_the_same_answer_of_the_platform_counts_once(user):
    quota.note(user, five(42), "statusline", NOW, ("s", 1000))
    quota.note(user, five(42), "statusline", NOW + 900, ("s", 1000))
    assert known(user)["five_hour"]["read_at"] == NOW
    quota.note(user, five(42), "statusline", NOW + 1000, ("s", 1500))
    assert known(user)["five_hour"]["read_at"] == NOW + 1000


LATER = NOW + 60


@pytest.mark.parametrize(
    ("old", "new", "call", "used"),
    [
        (five(60), five(42), ("other", 7), 60),  # a session that rested shows what it heard an hour ago
        (five(60), five(61), ("other", 7), 61),
        (five(60), five(42), None, 42),  # the platform has said so just now: it gave something back
        (five(60), five(59), None, 60),  # two sessions, whose writing crossed
        (five(60), five(3, RESET + 5 * 3600), ("other", 7), 3),  # the next window
        (five(60), five(99, RESET - 5 * 3600), ("other", 7), 60),  # the last one
        (five(60), five(99, RESET - 3600), ("other", 7), 60),
        (five(60), five(2, RESET - 3600), None, 2),  # the platform moved the window
        (five(60), five(70, LATER - 1), None, 60),  # a window that is over by now
        (five(60, NOW + 30), five(4, None), ("other", 7), 4),  # ours is over, so this is of the next
        (five(60), five(61, None), ("other", 7), 61),
    ],
)
def test_what_is_older_never_replaces_what_is_newer(old, new, call, used, user):
    quota.note(user, old, "stream", NOW)
    quota.note(user, new, "statusline", LATER, call)
    assert known(user)["five_hour"]["used"] == used


def test_a_lower_reading_counts_once_its_session_has_heard_from_the_platform_again(user):
    quota.note(user, five(60), "statusline", NOW, ("one", 10))
    quota.note(user, five(20), "statusline", NOW + 1, ("other", 5))
    assert known(user)["five_hour"]["used"] == 60
    quota.note(user, five(20), "statusline", NOW + 2, ("other", 6))
    assert known(user)["five_hour"]["used"] == 20


def test_a_reading_without_a_reset_keeps_the_known_one(user):
    quota.note(user, five(60), "stream", NOW)
    quota.note(user, five(61, None), "stream", NOW + 1)
    assert known(user)["five_hour"]["resets_at"] == RESET


@pytest.mark.parametrize("used", [None, "42", True, -1, float("nan"), float("inf"), 1e9, [], {}])
def test_what_is_no_percentage_is_no_reading(used, user):
    quota.note(user, five(used), "statusline", NOW)
    assert (known(user), history(user)) == ({}, [])


@pytest.mark.parametrize("resets_at", ["soon", -5, float("nan"), RESET * 1000, [1]])
def test_what_is_no_time_is_an_unknown_reset(resets_at, user):
    quota.note(user, five(42, resets_at), "statusline", NOW)
    assert known(user)["five_hour"]["resets_at"] is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage",
        b"[]",
        b'{"windows": 3, "seen": 4}',
        b'{"windows": {"five_hour": 3}}',
        b'{"windows": {"five_hour": {"used": "x", "read_at": 1}}}',
        b'{"windows": {"five_hour": {"used": 1}}}',
        b'{"windows": {"elsewhere": {"used": 1, "read_at": 1}}, "seen": {"s": "x"}}',
    ],
)
def test_a_file_of_garbage_is_no_knowledge_and_is_replaced(content, user):
    os.makedirs(f"{user}/cache")
    Path(user, quota.FILE).write_bytes(content)
    assert quota.read(user) == {}
    quota.note(user, five(42), "stream", NOW)
    assert known(user)["five_hour"]["used"] == 42


def test_both_files_are_for_this_user_alone_and_nothing_else_is_left(user):
    quota.note(user, five(42), "stream", NOW)
    files = sorted(path for path in Path(user).rglob("*") if path.is_file())
    assert [str(path.relative_to(user)) for path in files] == [quota.FILE, "cache/quota.lock", quota.LOG]
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}


def test_a_disk_that_takes_nothing_costs_the_reading_alone(user):
    Path(user).write_text("a file stands in the way")
    assert quota.note(user, five(42), "stream", NOW) == {}


def test_a_long_history_is_rotated_once(user, monkeypatch):
    monkeypatch.setattr(quota, "_ROTATE_BYTES", 300)
    for used in range(10):
        quota.note(user, five(used), "stream", NOW + used)
    both = history(user, quota.LOG + ".1") + history(user)
    assert [line["windows"]["five_hour"]["used"] for line in both] == list(range(10))[-len(both) :]
    assert len(both) >= 4
    assert 0 < len(history(user)) < len(both)


WRITER = """\
import sys
sys.path.insert(0, sys.argv[1])
from state import quota
quota._LOCK_TRIES = 100_000  # else one that others hold for long is not waited for
for number in range(60):
    used = number + int(sys.argv[3]) / 10
    call = f"{sys.argv[3]} {number}", 1
    quota.note(sys.argv[2], {"five_hour": {"used": used, "resets_at": 2e9}}, "statusline", 1.8e9, call)
"""


def test_many_sessions_write_at_once_and_every_line_is_whole(user):
    python = [sys.executable, "-I", "-S", "-c", WRITER, str(REPO), user]
    writers = [subprocess.Popen([*python, str(number)]) for number in range(4)]
    assert [writer.wait(100) for writer in writers] == [0] * 4
    values = [line["windows"]["five_hour"]["used"] for line in history(user)]
    assert values == sorted(values)
    assert known(user)["five_hour"]["used"] == values[-1] > 59


def test_a_lock_that_others_hold_is_not_waited_for(user, monkeypatch):
    import fcntl

    monkeypatch.setattr(quota, "_LOCK_TRIES", 3)
    os.makedirs(f"{user}/cache")
    with open(f"{user}/cache/quota.lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert quota.note(user, five(42), "stream", NOW) == {}
    assert known(user) == {}
    quota.note(user, five(42), "stream", NOW)
    assert known(user)["five_hour"]["used"] == 42


@pytest.mark.parametrize(
    ("rate_limits", "windows"),
    [
        (None, {}),
        ("x", {}),
        ({}, {}),
        ({"five_hour": None, "spend_limit": {"used_percentage": 3}}, {}),
        ({"five_hour": {"used_percentage": 42.5, "resets_at": RESET}}, five(42.5)),
        ({"seven_day": {}}, {"seven_day": {"used": None, "resets_at": None}}),
    ],
)
def test_what_the_status_line_is_shown(rate_limits, windows):
    assert quota.shown(rate_limits) == windows


UNIFIED = {
    "five_hour": {"utilization": 0.42, "resetsAt": RESET, "status": "allowed"},
    "seven_day": {"utilization": 1.07, "resetsAt": WEEK},
    "seven_day_overage_included": {"utilization": 0.1, "resetsAt": WEEK},
}


@pytest.mark.parametrize(
    ("info", "windows"),
    [
        (None, {}),
        ({"status": "allowed", "resetsAt": RESET, "rateLimitType": "five_hour"}, {}),  # nothing tells how much
        ({"rateLimitType": "five_hour", "utilization": 0.915, "resetsAt": RESET}, five(91.5)),
        ({"status": "rejected", "rateLimitType": "five_hour", "resetsAt": RESET}, five(100)),
        ({"status": "rejected", "rateLimitType": "five_hour", "utilization": 0.98, "resetsAt": RESET}, five(100)),
        ({"rateLimitType": "seven_day_opus", "utilization": 0.5}, {}),
        ({"unifiedWindows": UNIFIED}, {**five(42), "seven_day": {"used": 107.0, "resets_at": WEEK}}),
        ({"unifiedWindows": {"five_hour": 3}, "rateLimitType": "seven_day", "utilization": "x"}, {}),
    ],
)
def test_what_the_stream_tells(info, windows):
    assert quota.told(info) == windows


def reading(used=95.0, resets_in_s=7200.0, age_s=60.0):
    return Reading(used, None if resets_in_s is None else NOW + resets_in_s, NOW - age_s, "stream")


@pytest.mark.parametrize(
    ("windows", "under"),
    [
        ({}, None),
        ({"five_hour": reading()}, ("five_hour", 0.95)),
        ({"five_hour": reading(10)}, ("five_hour", 0.1)),
        ({"five_hour": reading(10), "seven_day": reading(80)}, ("seven_day", 0.8)),
        ({"five_hour": reading(age_s=quota.OLD_S + 1)}, None),
        ({"five_hour": reading(age_s=quota.OLD_S)}, ("five_hour", 0.95)),
        ({"five_hour": reading(resets_in_s=-1)}, None),
        ({"five_hour": reading(resets_in_s=1800)}, None),
        ({"five_hour": reading(resets_in_s=1801)}, ("five_hour", 0.95)),
        ({"five_hour": reading(resets_in_s=None)}, None),
        ({"five_hour": reading(99, resets_in_s=60), "seven_day": reading(20)}, ("seven_day", 0.2)),
    ],
)
def test_which_window_presses(windows, under):
    assert quota.pressure(windows, NOW) == under


@pytest.mark.parametrize(
    ("tier", "used", "limit", "lower"),
    [
        ("opus", 90, 0.9, "sonnet"),
        ("sonnet", 90, 0.9, "haiku"),
        ("haiku", 100, 0.9, "haiku"),
        ("opus", 89.9, 0.9, "opus"),
        ("opus", 50, 0.5, "sonnet"),
        ("opus", 120, 1.0, "sonnet"),
        ("fable", 95, 0.9, "fable"),
    ],
)
def test_under_pressure_a_decision_goes_down_one_step(tier, used, limit, lower):
    found, why = quota.step_down(tier, {"seven_day": reading(used)}, limit, NOW)
    assert (found, why) == (lower, f"{used}% of the seven-day limit is used" if lower != tier else "")


def test_without_a_reading_no_decision_changes():
    assert quota.step_down("opus", {}, 0.9, NOW) == ("opus", "")
