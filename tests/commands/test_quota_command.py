import json
import time

import pytest

from state import codec, quota

NO_DATA = (
    "nobody has read the limits of this account: readings come from the status line "
    "(`orchestrate install --statusline`) and from the agents that orchestrate runs; with an API key there are none"
)
RULE = (
    "once 90% of a limit is used and its reset is more than 30 minutes away, work for opus goes to sonnet and work for "
    "sonnet to haiku; never where you named the model, nor where the router had no opinion"
)


@pytest.fixture
def note(home):
    """Take down a reading as the status line does."""

    def put(used, name="five_hour", age_s=0.0, resets_in_s=7200.0, source="statusline"):
        at = time.time() - age_s
        windows = {name: {"used": used, "resets_at": at + age_s + resets_in_s}}
        assert quota.note(f"{home}/.orchestrator", windows, source, at)

    return put


def test_nobody_has_read_anything(cli):
    assert cli("quota", "status") == (0, f"{NO_DATA}\npressure  unknown\nstep down on: {RULE}\n", "")
    code, out, _ = cli("quota", "status", "--json")
    told = json.loads(out)
    assert (code, told["data"], told["pressure"]) == (0, False, None)
    assert {window["used"] for window in told["windows"].values()} == {None}


def test_a_report_of_nothing_says_so(cli):
    code, out, _ = cli("quota", "report")
    assert (code, out.startswith("no data for "), out.endswith(f": {NO_DATA}\n")) == (0, True, True)
    code, out, _ = cli("quota", "report", "--days", "3", "--json")
    told = json.loads(out)
    assert (code, told["data"], len(told["windows"]["five_hour"]["days"])) == (0, False, 3)
    assert told["windows"]["five_hour"]["utilisation"] is None


def test_what_was_read_is_shown(cli, note):
    note(42, age_s=300)
    note(93, "seven_day", source="stream")
    code, out, _ = cli("quota", "status")
    assert (code, out.splitlines()) == (
        0,
        [
            "five-hour 42% used, reset in 2 h 0 min, read 5 min ago (statusline)",
            "          no estimate: too few readings to learn from: 12 steps of a window are needed",
            "seven-day 93% used, reset in 2 h 0 min, read 0 min ago (stream)",
            "          no estimate: too few readings to learn from: 12 steps of a window are needed",
            "pressure  93% of the seven-day limit",
            f"step down in force: {RULE}",
        ],
    )


def test_a_window_that_was_reset_since_is_unknown(cli, note):
    note(42, age_s=300, resets_in_s=-10)
    assert cli("quota", "status").out.splitlines()[0] == (
        "five-hour unknown: it was reset since it was read; "
        "the next window begins with its first use, and nobody has read that"
    )


def test_the_rule_can_be_switched_off(cli, note, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_QUOTA__STEP_DOWN", "no")
    note(95)
    assert f"step down off (quota.step_down: false): {RULE}" in cli("quota", "status").out
    step_down = json.loads(cli("quota", "status", "--json").out)["step_down"]
    assert (step_down["enabled"], step_down["active"]) == (False, False)


def test_the_limit_is_a_setting(cli, note, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_QUOTA__PRESSURE", "0.5")
    note(60)
    assert json.loads(cli("quota", "status", "--json").out)["step_down"]["active"] is True


def work(place, message_s, count):
    """A transcript of a session that wrote a message every so often, and the event that names it."""
    from datetime import UTC, datetime
    from pathlib import Path

    from state import journal

    path = Path(place.root, "transcript.jsonl")
    start = time.time() - count * message_s
    user = {"type": "user", "uuid": "u0000000-", "parentUuid": None, "promptId": "p", "message": {"role": "user"}}
    lines = [json.dumps(user) + "\n"]
    for number in range(count):
        stamp = datetime.fromtimestamp(start + number * message_s, UTC).isoformat().replace("+00:00", "Z")
        usage = {"input_tokens": 1, "output_tokens": 1000, "cache_read_input_tokens": 0}
        message = {"id": f"m{number}", "model": "claude-opus-5-5", "role": "assistant", "usage": usage, "content": []}
        ids = {"uuid": f"a{number:07}-", "parentUuid": "u0000000-", "sessionId": "s"}
        line = {"type": "assistant", "timestamp": stamp, "message": message, **ids}
        lines.append(json.dumps(line) + "\n")
    path.write_text("".join(lines))
    payload = {"transcript_path": str(path), "source": "startup", "model": None, "cwd": None, "version": "0"}
    kind = "orchestration.session.start"
    journal.record(place, journal.event(place, kind, "s", None, ("session", "s"), payload, start - 1))
    return start


def test_between_two_readings_the_work_of_this_machine_is_counted(cli, home, place):
    start = work(place, 60, 40)
    resets_at = time.time() + 7200
    for number in range(30):
        windows = {"five_hour": {"used": float(number), "resets_at": resets_at}}
        quota.note(f"{home}/.orchestrator", windows, "statusline", start + number * 60 + 5)
    code, out, err = cli("quota", "status", "--json")
    assert (code, err) == (0, "")
    guess = json.loads(out)["windows"]["five_hour"]["estimate"]
    assert guess["own"] == pytest.approx(10, abs=0.2)
    assert guess["low"] <= 39 <= guess["high"]
    assert "now about 39% (" in cli("quota", "status").out


@pytest.mark.usefixtures("noon")
def test_the_report_as_a_table(cli, home):
    from datetime import datetime

    today = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    yesterday = today - 86_400
    user = home / ".orchestrator"
    user.mkdir()
    lines = [
        {"at": yesterday + hour * 3600, "windows": {"five_hour": {"used": used, "resets_at": yesterday + reset * 3600}}}
        for hour, used, reset in ((9, 10, 14), (13, 95, 14), (16, 65, 20))
    ]
    (user / quota.LOG).write_bytes(b"".join(codec.dumps(line) + b"\n" for line in lines))
    code, out, _ = cli("quota", "report", "--days", "2")
    day = datetime.fromtimestamp(yesterday).date()
    assert code == 0
    assert out.splitlines()[1:6] == [
        "",
        "five-hour (target: utilisation > 80%)",
        "                   points       resets  utilisation      expired         peak      pressed",
        f"{day}          160.0            2          80%         40.0          95%    1 h 0 min",
        "all                 160.0            2          80%         40.0          95%    1 h 0 min",
    ]
    told = json.loads(cli("quota", "report", "--days", "2", "--json").out)["windows"]["five_hour"]
    assert (told["utilisation"], told["met"], told["waste"]) == (0.8, False, 40.0)


def test_days_have_bounds(cli):
    assert cli("quota", "report", "--days", "0").code == 2
