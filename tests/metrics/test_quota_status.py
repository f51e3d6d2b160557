import pytest

from metrics import quota_status
from metrics.quota_readings import Reading
from metrics.quota_tokens import Tokens, Work
from state import quota

NOW = 1_800_000_000.0
RESET = NOW + 2 * 3600


def known(used=42.0, resets_at=RESET, age_s=300.0, name="five_hour"):
    return {name: quota.Reading(used, resets_at, NOW - age_s, "statusline")}


def past(steps=20):
    """A point every minute, for which 1000 tokens were written."""
    start = NOW - 300 - steps * 60
    readings = [Reading(start + nth * 60, 42.0 - steps + nth, RESET) for nth in range(steps + 1)]
    served = [Tokens(start + nth * 60 + 30, "claude-opus-5-5", 0, 1000, 0, 0) for nth in range(steps + 1)]
    return {"five_hour": readings}, lambda: Work(served)


def nobody_asks():
    raise AssertionError("the ledgers are read for nothing")


def build(readings, history=None, work=nobody_asks, limit=0.9, is_on=True):
    return quota_status.build(readings, history or {}, work, limit, is_on, NOW)


UNREAD = {
    "used": None,
    "resets_at": None,
    "resets_in_s": None,
    "read_at": None,
    "age_s": None,
    "source": None,
    "estimate": None,
    "unknown": quota_status.NEVER,
}


def test_without_readings_everything_is_null():
    status = build({})
    assert quota_status.as_json(status) == {
        "data": False,
        "windows": {"five_hour": UNREAD, "seven_day": UNREAD},
        "pressure": None,
        "step_down": {"enabled": True, "limit": 0.9, "active": False, "rule": quota_status.rule(0.9)},
    }


def test_a_reading_is_told_with_its_age_and_source():
    status = quota_status.as_json(build(known()))
    assert status["data"] is True
    assert status["windows"] == {
        "five_hour": {
            "used": 42.0,
            "resets_at": RESET,
            "resets_in_s": 7200.0,
            "read_at": NOW - 300,
            "age_s": 300.0,
            "source": "statusline",
            "estimate": None,
            "unknown": quota_status.FEW,
        },
        "seven_day": UNREAD,
    }
    assert status["pressure"] == {"window": "five_hour", "share": 0.42, "pressed": False}


def test_after_its_reset_a_window_is_unknown_and_not_empty():
    status = quota_status.as_json(build(known(resets_at=NOW - 1)))
    assert status["windows"]["five_hour"] == {
        **UNREAD,
        "read_at": NOW - 300,
        "age_s": 300.0,
        "source": "statusline",
        "unknown": quota_status.RESET,
    }
    assert status["pressure"] is None


def test_between_two_readings_there_is_an_estimate():
    history, work = past()
    told = quota_status.as_json(build(known(), history, work))["windows"]["five_hour"]
    guess = told["estimate"]
    assert told["unknown"] is None
    assert guess["own"] == 1.0
    assert (guess["used"], guess["low"] <= 43 <= guess["high"]) == (43.0, True)
    assert guess["pairs"] > 20


def test_where_nothing_is_known_to_be_served_the_reason_is_told():
    history, _ = past()
    told = quota_status.as_json(build(known(), history, lambda: Work([])))["windows"]["five_hour"]
    assert (told["estimate"], told["unknown"]) == (None, quota_status.NOTHING_SERVED)


def test_an_interval_that_would_be_too_wide_is_told_as_that():
    """Bursts from elsewhere, of which nobody knows how many came since the reading."""
    jumps = [nth + (nth % 3 > 0) * 4 for nth in range(20)]
    readings = [Reading(NOW - 172_800 + nth * 60, float(used), RESET) for nth, used in enumerate(jumps)]
    served = [Tokens(NOW - 172_800 + nth * 60 + 30, "opus", 0, 1000, 0, 0) for nth in range(20)]
    history = {"seven_day": readings}
    status = build(known(20.0, age_s=86_400, name="seven_day"), history, lambda: Work(served))
    assert quota_status.as_json(status)["windows"]["seven_day"]["unknown"] == quota_status.WIDE


@pytest.mark.parametrize(
    ("used", "limit", "is_on", "pressed", "active"),
    [
        (89.0, 0.9, True, False, False),
        (90.0, 0.9, True, True, True),
        (90.0, 0.9, False, True, False),
        (50.0, 0.5, True, True, True),
    ],
)
def test_pressure_and_the_rule(used, limit, is_on, pressed, active):
    status = quota_status.as_json(build(known(used), limit=limit, is_on=is_on))
    assert status["pressure"]["pressed"] is pressed
    rule = status["step_down"]
    assert (rule["enabled"], rule["limit"], rule["active"]) == (is_on, limit, active)
    assert f"once {limit:.0%} of a limit is used" in rule["rule"]
