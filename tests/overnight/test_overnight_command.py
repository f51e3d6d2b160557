import json
import time
from functools import partial

import pytest

from state import quota
from state.store import open_user_store


@pytest.fixture
def cli(cli):
    """Run `orchestrate overnight WORDS` in the project."""
    return partial(cli, "overnight")


@pytest.fixture
def shown(cli):
    def run(*words):
        ran = cli(*words, "--json")
        assert ran.code == 0, ran.err
        return json.loads(ran.out)

    return run


def test_a_job_is_queued_whole(cli, shown, project):
    words = ("--priority", "P1", "--value", "3", "--quota", "6", "--minutes", "40", "--agent", "opus")
    checks = ("--check", "ruff check . && mypy", "--check", "pytest -q")
    when = ("--not-before", "2026-01-01T00:00", "--deadline", "2d")
    assert cli("add", "Raise the coverage", *words, *checks, *when).out == "J-1: added\n"
    agents = project / ".claude" / "agents"
    agents.mkdir(parents=True)
    (agents / "lint.md").write_text("---\nname: lint-agent\ndescription: lints\n---\nLint.\n")
    assert shown("add", "Release it", "--depends", "J-1", "--agent", "lint-agent")["code"] == "J-2"
    first, second = shown("list")
    assert {name: first[name] for name in first if name not in ("id", "added_at", "deadline")} == {
        "code": "J-1",
        "text": "Raise the coverage",
        "project": str(project),
        "priority": "P1",
        "value": 3.0,
        "quota_points": 6.0,
        "minutes": 40.0,
        "depends": [],
        "not_before": "2026-01-01T00:00:00Z",
        "checks": [["ruff", "check", "."], ["mypy"], ["pytest", "-q"]],
        "agent": None,
        "tier": "opus",
        "status": "queued",
        "attempts": 0,
        "why": None,
        "branch": None,
        "worktree": None,
        "session": None,
        "run": None,
        "points_used": None,
        "started_at": None,
        "ended_at": None,
    }
    assert (second["depends"], second["agent"], second["tier"]) == (["J-1"], "lint-agent", None)
    assert cli("list").out.splitlines()[1] == "J-2     P2  queued      Release it  (after J-1)"


def test_the_queue_is_one_for_all_projects(cli, shown, tmp_path, project, home):
    (tmp_path / "other" / ".git").mkdir(parents=True)
    cli("add", "here")
    cli("add", "there", "--project", str(tmp_path / "other"))
    assert [one["project"] for one in shown("list")] == [str(project), str(tmp_path / "other")]
    assert (home / ".orchestrator" / "store.db").exists()
    assert not (project / ".orchestrator").exists()


def test_a_job_is_cancelled_and_told(cli, shown, place):
    cli("add", "a")
    assert cli("cancel", "J-1", "--reason", "done by hand").out == "J-1: cancelled\n"
    assert cli("cancel", "J-1").code == 4
    assert cli("cancel", "J-9").code == 3
    assert cli("list").err == "no such jobs\n"
    assert [(one["status"], one["why"]) for one in shown("list", "--all")] == [("cancelled", "done by hand")]
    assert shown("list", "--status", "cancelled") == shown("list", "--all")
    with open_user_store(place) as store:
        told = [event for _, event in store.sinks.after(0, 10)]
    assert [(one.type, one.entity_type, one.actor) for one in told] == [
        ("orchestration.overnight.added", "night_job", "user"),
        ("orchestration.overnight.cancelled", "night_job", "user"),
    ]


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        ((" ",), 2, "TEXT: is empty"),
        (("a", "--depends", "J-7"), 3, "J-7: no such job"),
        (("a", "--project", "/nowhere"), 3, "/nowhere: no such folder"),
        (("a", "--quota", "101"), 2, "--quota"),
        (("a", "--quota", "nan"), 2, "--quota: nan: expected a number"),
        (("a", "--value", "nan"), 2, "--value: nan: expected a number"),
        (("a", "--minutes", "0"), 2, "--minutes"),
        (("a", "--deadline", "2020-01-01T00:00"), 2, "is over already"),
        (("a", "--not-before", "2d", "--deadline", "1d"), 2, "--deadline: is before --not-before"),
        (("a", "--check", "a &&"), 2, "--check: 'a &&': a command is missing"),
        (("a", "--check", "a | b"), 2, "--check: 'a | b': no shell runs this, and | needs one: write sh -c '...'"),
        (("a", "--agent", "a b"), 2, "is no name of an agent"),
        (("a", "--agent", "nobody"), 3, "agent 'nobody': there is none (`orchestrate agents list` shows them)"),
        (("a", "--agent", "opus-genral"), 3, "agent 'opus-genral': there is none (did you mean opus-general or "),
        (("a", "--priority", "P9"), 2, "--priority"),
    ],
)
def test_what_cannot_run_is_not_queued(cli, words, code, complaint):
    ran = cli("add", *words)
    assert (ran.code, complaint in ran.err) == (code, True), ran.err
    assert cli("list").err == "no jobs: `orchestrate overnight add` adds one\n"


def test_the_plan_is_by_the_readings_and_explains_itself(cli, shown, place, monkeypatch):
    cli("add", "small", "--quota", "4", "--minutes", "10")
    cli("add", "huge", "--quota", "95")
    now = time.time()
    for name, hours in (("START", 6), ("UNTIL", 12)):  # whatever the time of day: the job fits into the whole night
        moment = time.strftime("%H:%M", time.localtime(now + hours * 3600))
        monkeypatch.setenv(f"ORCHESTRATOR_OVERNIGHT__{name}", moment)
    quota.note(place.user, {"five_hour": {"used": 10.0, "resets_at": now + 3600}}, "statusline", now)
    told = shown("plan")
    assert told["readings"]["five_hour"]["used"] == 10.0
    assert [(one["code"], one["verdict"], one["basis"]) for one in told["jobs"]] == [
        ("J-1", "run", "said"), ("J-2", "skip", "said"),
    ]  # fmt: skip
    lines = cli("plan", "--explain").out.splitlines()
    assert lines[0].endswith("1 of 2 jobs")
    assert "the night uses it up to 90%" in lines[1]
    assert (
        lines[2] == "seven-day: nobody has read it: the first job is a probe, and others follow if it brings a reading"
    )
    assert any("P2, value 0.25 per point" in line for line in lines)
    assert cli("plan").out.splitlines()[2].endswith("(takes 95 points, and the night leaves a job 88 of a window)")


def test_text_that_steers_a_terminal_is_shown_without(cli):
    cli("add", "a \x1b[2J b\nc")
    assert cli("list").out == "J-1     P2  queued      a  [2J b c\n"
    assert "\x1b" not in cli("plan", "--explain").out
