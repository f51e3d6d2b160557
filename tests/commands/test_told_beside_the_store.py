"""What a command tells that changes no row of the store: it works whatever became of the store, and is told once."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from made_talk import SESSION, Talk

from state import command_log
from state.paths import locate
from state.store import open_store, opening

REPO = Path(__file__).resolve().parents[2]
SET = ("config", "set", "log.level", "debug")
TOLD = "log.level: debug\n"


@pytest.fixture
def kinds(cli, project):
    """The types of all events of a project."""

    def read(root=project):
        told = json.loads(cli("events", "list", "--json", "--project-root", str(root)).out)
        return [event["type"] for event in told]

    return read


@pytest.fixture
def at_home(place):
    return command_log.at_home(place)


def log(place):
    path = Path(place.state, command_log.FILE)
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def blocked(place):
    """A folder stands where the log belongs."""
    Path(place.state, command_log.FILE).mkdir(parents=True)


def test_a_locked_store_is_not_waited_for(cli, kinds, place):
    open_store(place).close()
    with closing(sqlite3.connect(f"{place.state}/store.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        assert cli(*SET) == (0, TOLD, "")
        assert time.monotonic() - began < opening._BUSY_TIMEOUT_S  # so long a writer would wait
    assert kinds() == ["orchestration.setting.set"]


@pytest.mark.parametrize("url", ["", "postgresql://me@127.0.0.1:1/gone"])
def test_neither_a_damaged_store_nor_a_dead_database_is_asked(cli, place, monkeypatch, url):
    monkeypatch.setenv("ORCHESTRATOR_STORE__URL", url)
    Path(place.state).mkdir(parents=True)
    Path(place.state, "store.db").write_bytes(b"no database" * 100)
    assert cli(*SET) == (0, TOLD, "")
    assert [(event["type"], event["actor"]) for event in log(place)] == [("orchestration.setting.set", "user")]


@pytest.mark.parametrize(
    "words", [SET, (*SET, "--global"), ("mode", "set", "directive"), ("mode", "set", "auto", "--global"), ("trust",)]
)
def test_what_stands_so_already_is_not_told_again(cli, words, project, at_home):
    (project / ".orchestrator").mkdir()
    (project / ".orchestrator" / "config.yaml").write_text("sinks.hosts: example.org\n")
    ours = locate(str(project), dict(os.environ))
    first = cli(*words)
    told = log(ours) + log(at_home)
    again = cli(*words)
    assert (first.code, len(told), again.code) == (0, 1, 0)
    assert log(ours) + log(at_home) == told


def test_what_cannot_be_told_in_the_project_is_told_at_home(cli, kinds, place, at_home, home):
    blocked(place)
    assert cli(*SET) == (0, TOLD, "")
    assert kinds(home) == ["orchestration.setting.set"]
    assert (log(at_home)[0]["project"], log(place)) == (at_home.project, [])


def test_what_can_be_told_nowhere_is_one_line_and_the_command_is_done(cli, place, at_home):
    blocked(place)
    blocked(at_home)
    code, out, err = cli(*SET)
    assert (code, out, len(err.splitlines())) == (0, TOLD, 1)
    assert err.startswith("orchestrate: orchestration.setting.set could not be told as an event; ")
    assert cli("config", "get", "log.level").out == "debug\n"


def test_what_holds_for_all_projects_is_told_where_something_is_kept_already(cli, kinds, home, place):
    everywhere = ("config", "set", "--global", "log.level")
    assert cli(*everywhere, "debug").code == 0
    assert (os.path.exists(place.state), kinds(home)) == (False, ["orchestration.setting.set"])
    Path(place.state).mkdir(parents=True)
    assert cli(*everywhere, "info").code == 0
    assert (kinds(), len(kinds(home))) == (["orchestration.setting.set"], 1)


def test_install_and_uninstall_make_no_store(cli, home, project):
    assert (cli("install").code, cli("uninstall").code) == (0, 0)
    assert [*home.rglob("store.db"), *project.rglob("store.db")] == []
    assert (list((home / ".claude").rglob("*")), os.listdir(project)) == ([], [".git"])


@pytest.mark.parametrize(
    "words",
    [("init",), ("install",), ("uninstall",), ("trust", "--revoke"), ("route", "learn"), ("feedback", "collect")],
)
def test_what_changes_nothing_is_no_event(cli, project, at_home, words):
    cli("init")
    if words == ("install",):
        cli(*words)
    place = locate(str(project), dict(os.environ))
    before = log(place) + log(at_home)
    assert cli(*words).code == 0
    assert log(place) + log(at_home) == before


def test_each_call_has_its_own_correlation_and_the_variable_ties_them(cli, place, monkeypatch):
    cli("config", "set", "log.level", "debug")
    cli("config", "set", "log.level", "info")
    monkeypatch.setenv("ORCHESTRATOR_CORRELATION", "mine")
    cli("config", "set", "log.level", "debug")
    first, second, third = (event["correlation"] for event in log(place))
    assert (len({first, second}), len(first), third) == (2, 16, "mine")


def test_what_one_call_tells_in_store_and_log_has_one_correlation(cli, place):
    cli("bug", "log", "boom")
    cli("metrics", "cleanup", "--older-than", "0d")
    cli("init")
    cli("task", "create", "T-1", "--title", "t")
    cli("session", "start", "T-1")
    told = json.loads(cli("events", "list", "--task", "T-1", "--json").out)
    calls = [event["correlation"] for event in told]
    assert len(calls) > len(set(calls)) == 2


def test_every_line_is_an_event_once_also_when_it_moves_with_the_project(cli, kinds, place):
    cli(*SET)
    assert kinds() == kinds() == ["orchestration.setting.set"]
    cli("init")
    assert kinds() == ["orchestration.setting.set", "orchestration.project.initialised"]


def test_the_log_goes_with_what_is_cleaned_up(cli, kinds, place):
    cli(*SET)
    assert kinds() == ["orchestration.setting.set"]
    cli("metrics", "cleanup", "--older-than", "0d")
    assert kinds() == ["orchestration.metrics.cleaned"]


def test_a_name_that_is_no_utf_8_is_told(cli, place, project):
    Talk(project, Path(os.environ["HOME"]))
    output = os.fsdecode(b"caf\xe9.json")
    assert cli("state", "merge", SESSION, SESSION, "--output", output).code == 0
    assert log(place)[0]["payload"]["file"] == f"{project}/caf?.json"


def test_what_a_run_tells_has_the_correlation_of_the_command(cli, project, monkeypatch):
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ATTENDED", "1")
    cli("agents", "run", "haiku-general", "Fix typo in README.md")
    (event,) = json.loads(cli("events", "list", "--json").out)
    assert (event["type"], len(event["correlation"])) == ("orchestration.prompt.decided", 16)


def test_a_command_that_tells_nothing_imports_no_database():
    code = "import sys, orchestrate.cli; sys.exit('sqlite3' in sys.modules)"
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}  # its measurement needs one
    assert subprocess.run([sys.executable, "-c", code], cwd=REPO, env=env, check=False).returncode == 0
