"""`orchestrate overnight resume`: who may go on, how each stands, and going on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from resuming_world import ID, STOPPED, Client, Session, answered, init, limits, refused

from orchestrate.overnight import resuming_quiet, resuming_run
from state import quota, settings, snapshot
from state.paths import locate, session_dir
from state.snapshot import DEFAULTS
from state.store import open_user_store


@pytest.fixture
def session(place, home):
    return Session(place, home)


@pytest.fixture
def client(tmp_path, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_RESUME__JITTER_S", "0")
    return Client(tmp_path / "desk", monkeypatch)


@pytest.fixture
def shown(cli):
    def run(*words):
        ran = cli("overnight", "resume", *words, "--json")
        assert ran.code == 0, ran.err
        return json.loads(ran.out)

    return run


@pytest.fixture
def due(session, client, cli):
    """A session that may go on now: its limit was over long ago."""
    session.is_limited(status="rejected", resetsAt=STOPPED + 60, rateLimitType="five_hour")
    assert cli("overnight", "resume", "on", ID[:8]).out == f"{ID}: goes on by itself after a limit\n"
    return session


def standing(shown):
    return [(row["session"], row["verdict"], row["reason"]) for row in shown("list")]


def verbs(place):
    """The events of the session, oldest first."""
    lines = Path(session_dir(place, ID), "log.jsonl").read_text().splitlines()
    return [json.loads(line)["type"].removeprefix("orchestration.") for line in lines]


def test_nobody_goes_on_who_was_not_told_to(session, client, cli, shown):
    assert cli("overnight", "resume", "list").err.startswith("no session was told to go on by itself")
    session.is_limited()
    session.now = time.time()
    assert standing(shown) == [(ID, "skip", f"`orchestrate overnight resume on {ID}` lets it go on")]
    assert (shown("run", "--once"), client.starts) == ([], 0)


def test_the_session_that_asks_is_the_one_that_is_meant(session, cli, monkeypatch):
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", ID)
    assert cli("overnight", "resume", "on").out == f"{ID}: goes on by itself after a limit\n"
    assert cli("overnight", "resume", "off").out == f"{ID}: waits for you after a limit\n"


def test_a_session_that_nobody_knows_is_not_found(cli):
    assert cli("overnight", "resume", "on").code == 3
    assert cli("overnight", "resume", "on", "nobody").code == 3
    assert cli("overnight", "resume", "off", "nobody").code == 3
    assert cli("overnight", "resume", "off", "nobody", "--all").code == 2


def test_it_goes_on_once(due, client, shown, place):
    assert standing(shown) == [(ID, "resume", "the limit is over")]
    assert [row["session"] for row in shown("run", "--dry-run")] == [ID]
    assert client.starts == 0
    (gone,) = shown("run", "--once")
    assert (gone["outcome"], gone["model"], gone["points"], gone["left_points"]) == ("ok", "claude-opus-5-5", None, 20)
    assert standing(shown) == [(ID, "skip", "went on once after this limit: ok")]
    assert (shown("run"), client.starts) == ([], 1)
    assert verbs(place)[-3:] == ["resume.on", "resume.started", "resume.finished"]


@pytest.mark.parametrize(
    ("env", "reason"),
    [
        ({"ORCHESTRATOR_RESUME__ENABLED": "false"}, "resume.enabled is false"),
        ({"ORCHESTRATOR_DISABLED": "1"}, "ORCHESTRATOR_DISABLED=1"),
        ({"ORCHESTRATOR_ROLLOUT__ENABLED": "false"}, "rollout.enabled is false"),
        ({"ORCHESTRATOR_DEPTH": "1"}, "an agent that was started here asks"),
        ({"ORCHESTRATOR_RESUME__MAX_POINTS": "0"}, "resume.max_points is 0"),
        ({"ORCHESTRATOR_RESUME__MAX_USD": "0", "ANTHROPIC_API_KEY": "k"}, "resume.max_usd is 0"),
        ({"ORCHESTRATOR_RESUME__QUIET_HOURS": "late"}, "resume.quiet_hours: expected quiet hours as 22:00-07:00"),
    ],
)
def test_every_off_switch_holds(due, client, shown, monkeypatch, env, reason):
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert standing(shown) == [(ID, "skip", reason)]
    assert (shown("run"), client.starts) == ([], 0)


def test_off_for_one_and_off_for_all(due, client, shown, cli):
    for words in (["off", ID], ["off", "--all"]):
        cli("overnight", "resume", "on", ID)
        cli("overnight", "resume", *words)
        assert standing(shown) == [(ID, "skip", "switched off for this session")]
    assert (shown("run"), client.starts) == ([], 0)


def test_in_quiet_hours_nobody_goes_on(due, client, shown, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_RESUME__QUIET_HOURS", "00:00-00:00")
    assert standing(shown) == [(ID, "wait", "quiet hours")]
    assert (shown("run", "--once"), client.starts) == ([], 0)


def test_the_setting_of_the_users_own_file_holds(due, shown, cli):
    assert cli("config", "set", "--global", "resume.enabled", "false").code == 0
    assert standing(shown) == [(ID, "skip", "resume.enabled is false")]


def test_points_of_one_count_for_all(due, client, shown, cli, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_RESUME__MAX_POINTS", "10")
    client.will(init(), limits(6, time.time() + 3600), answered())
    assert [gone["points"] for gone in shown("run", "--once")] == [6.0]
    due.records("prompt.decided", time.time())
    due.records("turn.failed", time.time(), error="rate_limit")
    (row,) = shown("list")
    assert (row["verdict"], row["left_points"]) == ("wait", 4.0)


def test_after_a_limit_in_a_row_its_reset_is_waited_for(due, client, shown):
    resets_at = time.time() + 1800
    client.will(init(), refused(resets_at), code=1)
    assert [gone["outcome"] for gone in shown("run", "--once")] == ["rate_limited"]
    (row,) = shown("list")
    assert (row["verdict"], row["reason"], row["resets_at"]) == ("wait", "the limit is not over", resets_at)
    assert (shown("run", "--once"), client.starts) == ([], 1)


def test_a_cap_that_is_reached_meanwhile_ends_it(due, client, shown, place, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_RESUME__MAX_POINTS", "2")
    quota.note(place.user, {"five_hour": {"used": 1, "resets_at": time.time() + 3600}}, "statusline", time.time())
    client.will(init(), limits(4, time.time() + 3600), hangs=True)
    assert [(gone["outcome"], gone["points"]) for gone in shown("run", "--once")] == [("cap", 3.0)]


def command(*words):
    argv = [sys.executable, "-m", "orchestrate", "overnight", "resume", *words]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_several_at_once_go_on_once(due, client, project, monkeypatch):
    monkeypatch.chdir(project)
    running = [command("run", "--json") for _ in range(4)]
    told = [one.communicate(timeout=60)[0] for one in running]
    assert (client.starts, sorted(len(json.loads(out)) for out in told)) == (1, [0, 0, 0, 1])


def test_who_finds_it_claimed_by_another_looks_again_in_a_moment(due, client, place):
    resumer = resuming_run.Resumer(place, os.environ, print)
    (row,) = resuming_run.standing(place, os.environ, time.time())
    with open_user_store(place) as store:
        store.resumes.claim(ID, row.limit.id, row.limit.at, "another", resuming_run.CLAIM_S, time.time())
    assert 0 < resumer.step(time.time()) <= 5
    assert client.starts == 0


def test_a_request_to_end_ends_the_client_too_and_says_so(due, client, project, place, monkeypatch):
    monkeypatch.chdir(project)
    client.will(init(), hangs=True)
    running = command("run")
    deadline = time.monotonic() + 30
    while not client.starts:
        assert time.monotonic() < deadline
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=60)
    with open_user_store(place) as store:
        assert [attempt.outcome for attempt in store.resumes.attempts()] == ["aborted"]


def test_a_list_for_people(due, cli, project):
    line = cli("overnight", "resume", "list").out
    assert line == f"{ID}  resume  -                 the limit is over  {project}\n"


def test_a_night_goes_on_with_sessions_beside_its_jobs(due, client, cli, place):
    ran = cli("overnight", "run")
    assert (ran.code, client.starts) == (0, 1), ran.err
    with open_user_store(place) as store:
        assert [attempt.outcome for attempt in store.resumes.attempts()] == ["ok"]


def test_a_night_that_ends_when_its_user_works_leaves_sessions_alone(due, client, cli, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_OVERNIGHT__STOP_ON_ACTIVITY", "true")
    assert (cli("overnight", "run").code, client.starts) == (0, 0)


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("GIVE_UP_AFTER", "2", "give_up_after", 2),
        ("GIVE_UP_AFTER", "-2", "give_up_after", 1),
        ("JITTER_S", "7.5", "jitter_s", 7.5),
        ("JITTER_S", "-1", "jitter_s", 0.0),
        ("MAX_POINTS", "3", "max_points", 3.0),
        ("MAX_USD", "-3", "max_usd", 0.0),
        ("QUIET_HOURS", "22:00-07:00", "quiet", resuming_quiet.parse("22:00-07:00")),
    ],
)
def test_settings_become_rules(place, monkeypatch, name, value, field, expected):
    monkeypatch.setenv(f"ORCHESTRATOR_RESUME__{name}", value)
    env = dict(os.environ)
    assert getattr(resuming_run.rules(snapshot.read(place, env).values, env), field) == expected


@pytest.mark.parametrize(
    ("says", "is_heard"),
    [
        ("enabled: false", True),
        ("max_usd: 50", False),
        ("quiet_hours: 01:00-02:00", False),
        ("give_up_after: 99", False),
    ],
)
def test_a_repository_may_switch_it_off_and_nothing_else(project, says, is_heard):
    (project / ".orchestrator").mkdir()
    (project / ".orchestrator" / "config.yaml").write_text(f"resume: {{{says}}}\n")
    loaded = settings.load(locate(str(project), dict(os.environ)), {})
    key = f"resume.{says.partition(':')[0]}"
    assert (loaded.settings.flat()[key] != DEFAULTS[key]) is is_heard


def test_a_repository_does_not_switch_it_on(project, home):
    (home / ".orchestrator").mkdir()
    (home / ".orchestrator" / "config.yaml").write_text("resume: {enabled: false}\n")
    (project / ".orchestrator").mkdir()
    (project / ".orchestrator" / "config.yaml").write_text("resume: {enabled: true}\n")
    loaded = settings.load(locate(str(project), dict(os.environ)), {})
    assert loaded.settings.resume.enabled is False
