"""One session goes on: how its client is started, what it is measured by, and what ends it."""

import os
import threading
import time
from contextlib import closing

import pytest
from resuming_world import ID, Client, answered, init, limits, refused

from orchestrate.agents import resumed
from orchestrate.agents.resumed import PROMPT, Going, Meter
from orchestrate.agents.stop import Stop
from state import quota, snapshot
from state.quota import Reading

NOW = 1_795_280_000.0
RESET = NOW + 3600


@pytest.fixture
def client(tmp_path, monkeypatch):
    return Client(tmp_path / "desk", monkeypatch)


@pytest.fixture
def go(place, project):
    def run(stop=None, **changes):
        settings = snapshot.read(place, dict(os.environ)).values
        going = Going(place, dict(os.environ), settings, "the-log", ID, str(project), 60.0)._replace(**changes)
        with closing(Stop()) as own:
            return resumed.go(going, stop or own)

    return run


def test_the_client_is_started_on_the_session_in_its_folder_with_its_own_hooks(client, go, project):
    gone = go()
    assert (gone.outcome, gone.model, gone.turns, gone.points, gone.usd) == ("ok", "claude-opus-5-5", 1, None, None)
    assert client.got("argv").split("\n")[:-1] == ["-p", "--output-format", "stream-json", "--verbose", "--resume", ID]
    assert (client.got("stdin"), client.got("pwd").strip()) == (PROMPT, str(project))
    env = client.env
    assert (env["ORCHESTRATOR_SESSION"], env["ORCHESTRATOR_DEPTH"]) == ("the-log", "1")
    assert env["CLAUDE_CODE_MAX_RETRIES"] == "10"


def test_with_an_api_key_the_rest_of_the_cap_is_the_clients_own(client, go):
    client.will(init("ANTHROPIC_API_KEY"), answered(usd=0.25))
    assert go(left_usd=1.5).usd == 0.25
    assert client.got("argv").split("\n")[4:6] == ["--max-budget-usd", "1.5"]


def test_a_session_that_has_used_what_it_may_is_ended(client, go, place):
    quota.note(place.user, {"five_hour": {"used": 4, "resets_at": time.time() + 3600}}, "statusline", time.time())
    client.will(init(), limits(6, time.time() + 3600), limits(9, time.time() + 3600), hangs=True)
    gone = go(left_points=5.0)
    assert (gone.outcome, gone.points) == ("cap", 5.0)
    assert quota.read(place.user)["five_hour"].used == 9


def test_a_session_within_its_cap_is_not(client, go):
    client.will(init(), limits(3, time.time() + 3600), answered())
    assert go(left_points=5.0)[:4] == ("ok", "", None, 3.0)


@pytest.mark.slow
def test_it_is_ended_when_its_time_is_over(client, go):
    client.will(init(), hangs=True)
    gone = go(total_s=0.5)
    assert (gone.outcome, gone.points, gone.usd) == ("timeout", None, None)


@pytest.mark.parametrize("is_early", [True, False])
def test_it_is_ended_on_request(client, go, is_early):
    client.will(init(), hangs=True)
    with closing(Stop()) as stop:
        asked = threading.Timer(0.0 if is_early else 0.3, stop.ask, ["closed"])
        asked.start()
        assert go(stop).outcome == "aborted"
        asked.join()


@pytest.mark.parametrize("resets_at", [None, RESET])
def test_at_a_limit_nothing_was_used(client, go, resets_at):
    client.will(init(), refused(resets_at), code=1)
    gone = go()
    assert (gone.outcome, gone.reset_at, gone.points, gone.usd) == ("rate_limited", resets_at, 0.0, None)


def test_a_secret_in_what_the_client_says_is_not_told(client, go):
    client.will("no json", code=3)
    (client.folder / "claude").write_text("#!/bin/sh\necho 'Error: key sk-ant-api03-" + "a" * 90 + "' >&2\nexit 3\n")
    gone = go()
    assert gone.outcome == "crashed"
    assert "sk-ant-api03-aaaa" not in gone.detail


def told(used, resets_at=RESET, window="five_hour", status="allowed"):
    return {"rateLimitType": window, "utilization": used / 100, "resetsAt": resets_at, "status": status}


@pytest.mark.parametrize(
    ("before", "says", "points"),
    [
        ({}, [], None),
        ({}, [{"status": "allowed"}], None),
        ({"five_hour": 10}, [told(12)], 2.0),
        ({"five_hour": 10}, [told(12), told(15)], 5.0),
        ({"five_hour": 10}, [told(9)], 0.0),
        ({}, [told(12)], 12.0),  # whose they are nobody knows: at the most all
        ({"five_hour": 90}, [told(3, RESET + 18_000)], 3.0),  # the next window
        ({"five_hour": 10}, [told(12, None)], 2.0),
        ({"seven_day": 10}, [told(4), told(11, RESET, "seven_day")], 4.0),
        ({"five_hour": 10}, [told(50, RESET, "seven_day_opus")], None),
        ({}, [told(100, status="rejected")], None),
        ({}, [told(7), told(100, status="rejected")], 7.0),
        ({"five_hour": 40}, [told(100, status="rejected")], 60.0),
    ],
)
def test_the_points_of_a_session_are_counted_at_the_most(before, says, points):
    meter = Meter({name: Reading(used, RESET, NOW - 60, "statusline") for name, used in before.items()}, NOW)
    for info in says:
        meter.read(info, NOW)
    assert meter.points == points


def test_a_window_that_was_reset_before_the_start_counts_from_nothing():
    meter = Meter({"five_hour": Reading(99, NOW - 1, NOW - 600, "statusline")}, NOW)
    meter.read(told(4, None), NOW)
    assert meter.points == 4.0
