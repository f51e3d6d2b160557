"""`orchestrate metrics`, from the lines of a log to the lines of a report."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from metrics.metrics_collector import collect

REPO = Path(__file__).resolve().parent.parent.parent
DECIDED = (
    '{"v":1,"id":"e1","ts":"2026-11-21T09:00:00.000Z","type":"orchestration.prompt.decided","project":"x","session":"s",'
    '"prompt_id":"p","actor":"hook","entity":{"type":"prompt","id":"p"},"payload":{"hash":"h","length":9,'
    '"context":"interactive","mode":"directive","mode_reason":"default","mode_source":"table","signals":{},'
    '"degraded":null,"decision":"direct","action":"delegate","agent":"haiku-general","tier":"haiku","confidence":0.9,'
    '"reason":"small edit","abstained":false,"override":false,"rung":"directive","rung_reason":"default",'
    '"main_tier":null,"permission_mode":"default","overhead_ms":12.5}}\n'
)
LAUNCHED = (
    '{"v":1,"id":"e2","ts":"2026-11-21T09:00:05.000Z","type":"orchestration.spawn.launched","project":"x","session":"s",'
    '"prompt_id":"p","actor":"hook","entity":{"type":"spawn","id":"t"},"payload":{"agent_id":"a",'
    '"agent_type":"haiku-general","model":"claude-haiku-4-5-20251001","status":"async_launched","tokens":null,'
    '"overhead_ms":8.5}}\n'
)
FINISHED = (
    '{"v":1,"id":"e3","ts":"2026-11-21T09:00:09.000Z","type":"orchestration.agent.end","project":"x","session":"s",'
    '"prompt_id":"p","actor":"hook","entity":{"type":"agent","id":"a"},"payload":{"agent_type":"haiku-general",'
    '"transcript_path":null,"overhead_ms":8.0}}\n'
)
ENDED = (
    '{"v":1,"id":"e4","ts":"2026-11-22T00:00:01.000Z","type":"orchestration.turn.end","project":"x","session":"s",'
    '"prompt_id":"p","actor":"hook","entity":{"type":"prompt","id":"p"},"payload":{"stop_hook_active":false,'
    '"background":0,"overhead_ms":7.0}}\n'
)


@pytest.fixture
def run(cli, monkeypatch):
    """Run `orchestrate metrics ARGUMENTS`: (exit code, stdout, stderr)."""

    def call(*arguments, **env):
        with monkeypatch.context() as given:
            for name, value in env.items():
                given.setenv(name, value)
            return cli("metrics", *arguments)

    return call


@pytest.fixture
def program(project):
    """The same, by a process of its own: it may have another time zone."""

    def call(*arguments, **env):
        done = subprocess.run(
            [sys.executable, "-m", "orchestrate", "metrics", *arguments],
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(REPO), **env},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr)

    return call


@pytest.fixture
def write(place):
    """Lines as they stand in the log of a session."""

    def append(*lines, session="s"):
        folder = Path(place.state, "sessions", session)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "log.jsonl").open("a") as file:
            file.write("".join(lines))
        return folder / "log.jsonl"

    return append


def reported(done):
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)


def test_lines_of_a_log_become_a_report(program, write):
    write(DECIDED, LAUNCHED, FINISHED, ENDED)
    found = reported(program("report", "--date", "2026-11-21", "--json"))
    names = (
        "since",
        "until",
        "time_zone",
        "data",
        "decisions",
        "delegations",
        "followed",
        "ignored",
        "unknown",
        "rate",
    )
    assert [found[name] for name in names] == ["2026-11-21", "2026-11-21", "UTC", True, 1, 1, 1, 0, 0, 1.0]
    assert (found["agent_success"], found["overhead_mean_ms"], found["events"]) == (1.0, 36.0, 4)
    met = {name: target["met"] for name, target in found["targets"].items()}
    assert met == {
        "rate": True,
        "spawn_rate": None,
        "served_as_decided": True,
        "overhead_mean_ms": True,
        "agent_success": True,
        "persistence_failure_rate": True,
        "error_rate": True,
        "override_rate": None,
    }
    assert {name: list(rows) for name, rows in found["by"].items()} == {"mode": ["directive"]}


def test_a_report_grows_with_the_log(run, write):
    write(DECIDED)
    assert reported(run("report", "--date", "2026-11-21", "--json"))["unknown"] == 1
    write(ENDED)
    assert reported(run("report", "--date", "2026-11-21", "--json"))["ignored"] == 1


def test_a_day_is_local(program, write):
    write(DECIDED)
    found = reported(program("report", "--date", "2026-11-22", "--json", TZ="Pacific/Auckland"))
    assert (found["decisions"], found["time_zone"]) == (None, "NZDT, UTC+13:00")
    found = reported(program("report", "--date", "2026-11-21", "--json", TZ="Pacific/Auckland"))
    assert found["decisions"] == 1


def test_a_day_without_data_says_so_and_is_no_failure(run):
    done = run("report", "--date", "2026-11-20")
    assert (done.code, done.out, done.err) == (0, "no data for 2026-11-20 (UTC)\n", "")
    found = reported(run("report", "--since", "2026-11-01", "--until", "2026-11-20", "--format", "json"))
    assert (found["data"], found["decisions"], found["rate"]) == (False, None, None)


@pytest.mark.parametrize("group", ["mode", "agent", "rung", "context"])
def test_a_report_is_split_as_asked(run, write, group):
    write(DECIDED)
    names = {"mode": "directive", "agent": "haiku-general", "rung": "directive", "context": "interactive"}
    found = reported(run("report", "--date", "2026-11-21", f"--by-{group}", "--json"))
    assert {key: list(rows) for key, rows in found["by"].items()} == {group: [names[group]]}


@pytest.mark.parametrize(
    ("form", "first"),
    [
        ("text", "Routing report for 2026-11-21 (UTC)"),
        ("md", "# Routing report for 2026-11-21 (UTC)"),
        ("csv", "since,"),
    ],
)
def test_every_format_prints(run, write, form, first):
    write(DECIDED)
    done = run("report", "--date", "2026-11-21", "--format", form)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(first)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--date", "2026-02-30"], "'2026-02-30': expected a day as 2026-11-21, or today, or yesterday"),
        (["--date", "9999-12-31"], "'9999-12-31': expected a day as 2026-11-21, or today, or yesterday"),
        (["--date", "today", "--since", "today"], "--date is one day: give it, or --since and --until"),
        (["--since", "today", "--until", "yesterday"], "is after --until"),
    ],
)
def test_a_period_that_is_none_is_refused(run, arguments, told):
    done = run("report", *arguments)
    assert (done.code, done.out) == (2, "")
    assert told in done.err


@pytest.mark.usefixtures("noon")
def test_collect_is_the_same_from_python(place, write):
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    write(DECIDED.replace("2026-11-21T09:00:00.000Z", now))
    found, ingested = collect(place)
    assert (found.figures["decisions"], ingested.events, found.groups) == (1, 1, {})


@pytest.fixture
def old(write):
    """Two logs, 100 and 20 days old."""
    times = [datetime.now(UTC) - timedelta(days=days) for days in (100, 20)]
    stamps = [moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") for moment in times]
    return [
        write(DECIDED.replace("2026-11-21T09:00:00.000Z", stamp).replace('"e1"', f'"{stamp}"'), session=f"s{number}")
        for number, stamp in enumerate(stamps)
    ]


def test_cleanup_keeps_90_days(run, old):
    done = run("cleanup", "--dry-run")
    assert (
        done.out
        == "would remove 1 events, 0 hook errors, 0 served messages, 0 items of work and 1 logs older than 90 days\n"
    )
    assert [log.exists() for log in old] == [True, True]
    found = reported(run("cleanup", "--json"))
    assert (found["events"], found["hook_errors"], found["logs"], found["dry_run"]) == (1, 0, [str(old[0])], False)
    assert [log.exists() for log in old] == [False, True]


@pytest.mark.parametrize(
    ("arguments", "env", "removed"),
    [
        (["--older-than", "10d"], {}, 2),
        (["--older-than", "2w"], {}, 2),
        (["--older-than", "3w"], {}, 1),
        (["--older-than", "101"], {}, 0),
        ([], {"ORCHESTRATOR_METRICS__RETENTION_DAYS": "10"}, 2),
        (["--older-than", "90d"], {"ORCHESTRATOR_METRICS__RETENTION_DAYS": "10"}, 1),
    ],
)
def test_cleanup_takes_the_age_given_else_the_setting(run, old, arguments, env, removed):
    assert reported(run("cleanup", "--json", *arguments, **env))["events"] == removed


@pytest.mark.parametrize("age", ["soon", "-1d", "90y", "1.5d", ""])
def test_cleanup_refuses_what_is_no_age(run, old, age):
    done = run("cleanup", f"--older-than={age}")
    assert (done.code, done.out) == (2, "")
    assert all(log.exists() for log in old)
