import os
import time
from pathlib import Path

import pytest
from ending import is_let_go
from tiers import some

from orchestrate.doctor import client
from orchestrate.doctor import machine as checks
from orchestrate.doctor.finding import Finding
from state import journal


def found(check, scene):
    return [(finding.state, finding.fact) for finding in check(scene)]


def test_the_client_and_its_version(machine):
    path = machine.client()
    assert found(checks.claude, machine.look(ask_client=True)) == [("ok", f"2.1.329, {path}")]


def test_a_client_from_before_the_mod_can_use_hooks_only(machine):
    path = machine.client("#!/bin/sh\necho 2.1.197\n")
    (finding,) = checks.claude(machine.look(ask_client=True))
    assert finding == Finding(
        "claude", "warn", f"2.1.197, {path}: hooks, but no mod", "update it: the mod needs 2.1.287"
    )


def test_no_client(machine):
    assert found(checks.claude, machine.look(ask_client=True)) == [("fail", "claude is not in PATH")]


def test_the_client_that_the_settings_name(machine, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_CLAUDE_BINARY", "/no/such/client")
    assert found(checks.claude, machine.look(ask_client=True)) == [("fail", "/no/such/client is not in PATH")]


def test_a_client_that_is_left_out_is_not_started(machine, tmp_path):
    machine.client(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    assert found(checks.claude, machine.look()) == [("unknown", "not asked (--no-client)")]
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize(
    ("script", "problem"),
    some(
        [
            ("#!/bin/sh\necho hello\n", "it answers --version by 'hello'"),
            ("#!/bin/sh\nprintf 'a\\033[31mb\\007c'\n", "it answers --version by 'a [31mb c'"),
            ("#!/bin/sh\n", "it answers --version by ''"),
            ("#!/bin/sh\necho broken >&2; exit 3\n", "it ended by exit code 3: broken"),
            ("#!/bin/sh\nkill -9 $$\n", "it ended by signal 9"),
            ("#!/no/such/interpreter\n", "it is not executable"),
        ],
        2,
    ),
)
def test_a_client_that_tells_no_version(script, problem, machine):
    path = machine.client(script)
    assert found(checks.claude, machine.look(ask_client=True)) == [("fail", f"{path} told no version: {problem}")]


@pytest.mark.slow
def test_a_client_that_hangs_is_given_up_with_all_it_started(machine, tmp_path):
    os.mkfifo(tmp_path / "held")
    held = os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK)
    machine.client(f"#!/bin/sh\nexec 9>{tmp_path}/held\nsleep 600 & sleep 600\n")
    started = time.monotonic()
    asked = client.with_version(client.find("claude", os.environ), os.environ, timeout_s=2)
    assert (asked.version, asked.problem) == (None, "it was not done after 2 s")
    assert time.monotonic() - started < 60
    assert is_let_go(held)
    os.close(held)


def test_a_client_sees_nothing_of_the_user(machine, monkeypatch, home):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "of the user")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    with client.world(os.environ) as here:
        ran = client.run(["/bin/sh", "-c", "env >env; pwd; echo $HOME"], here, "", 60)
        env = dict(line.split("=", 1) for line in (here.project / "env").read_text().splitlines())
        assert ran == client.Ran(f"{here.project} {here.home}", "")
        assert str(home) not in env["HOME"]
        assert (env["ANTHROPIC_API_KEY"], env["CLAUDE_CONFIG_DIR"]) == (client.KEY, f"{here.home}/.claude")
        assert "HTTPS_PROXY" not in env
    assert not here.home.exists()


def test_what_others_need_is_not_needed(machine):
    names = [(finding.name, finding.state) for finding in checks.not_needed(machine.look())]
    assert names == [("bash", "ok"), ("jq", "ok"), ("flock", "ok"), ("node", "ok")]


def test_a_machine_without_git(machine, monkeypatch, tmp_path):
    assert found(checks.git, machine.look())[0][0] == "ok"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert found(checks.git, machine.look()) == [("warn", "is not in PATH")]


def test_the_python_that_runs_this(machine):
    ((state, fact),) = found(checks.python, machine.look())
    assert (state, fact.endswith(f", {machine.python}")) == ("ok", True)


def test_a_clock_behind_what_was_recorded(machine):
    place = machine.place
    assert found(checks.clock, machine.look())[0][0] == "ok"
    journal.record(place, journal.event(place, "t", "s", None, ("a", "b"), {}, time.time()))
    log = Path(place.state, "sessions/s/log.jsonl")
    ahead = time.time() + 3600
    os.utime(log, (ahead, ahead))
    (finding,) = checks.clock(machine.look())
    assert (finding.state, finding.fact.partition(", and ")[2]) == ("warn", f"{log} was written 60 min after that")
