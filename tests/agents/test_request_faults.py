"""The machine is against the request: no client, no disk, no reader, a kill. Every exit code but those of a policy."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ending import are_gone
from faking import FAKES, PROGRAM, REQUEST, recorded_once
from living import catches, script, until
from mounting import AS_ROOT, mounts
from tiers import some

from orchestrate.agents import processes, runs


def mounted(desk, mount, fake="ok", **env):
    """One request with file systems of its own; `mount` is shell, $state the user's folder."""
    return subprocess.run(
        [*AS_ROOT, "sh", "-ec", f'{mount}; exec "$@"', "sh", PROGRAM, REQUEST],
        capture_output=True,
        text=True,
        cwd=desk.place.root,
        env={**os.environ, **desk.env, "FAKE": fake, "state": desk.place.user, **env},
        timeout=60,
        check=False,
    )


def ended(process, within_s=60):
    out, err = process.communicate(timeout=within_s)
    return process.returncode, out, err


def is_idle(place):
    """Nothing says that a run goes on."""
    return not os.listdir(f"{place.user}/running")


def test_without_a_client_there_is_a_directive(desk):
    asked = desk.ask("ok", PATH="/usr/bin:/bin")
    assert (asked.code, "Route: haiku-general" in asked.out) == (0, True)
    assert asked.err == "orchestrate-request: claude is not to be had: directive instead of orchestration\n"
    assert runs.listed(desk.place) == []


@pytest.mark.slow
def test_a_client_that_may_not_be_executed_is_none(desk, tmp_path):
    (tmp_path / "claude").write_text("#!/bin/sh\n")
    asked = desk.ask("ok", PATH=f"{tmp_path}:/usr/bin:/bin")
    assert (asked.code, "Route: haiku-general" in asked.out) == (0, True)


@pytest.mark.parametrize("text", some(["#!/no/such/interpreter\n", "\x7fELF no program"], 1))
def test_a_client_that_cannot_be_executed_is_a_failure(desk, tmp_path, text):
    path = tmp_path / "claude"
    path.write_text(text)
    path.chmod(0o755)
    asked = desk.ask("ok", "--json", PATH=f"{tmp_path}:/usr/bin:/bin")
    record = asked.record
    assert (asked.code, record["outcome"], record["detail"]) == (1, "cli_missing", "the client is not executable")
    assert recorded_once(desk.place) == {record["run"]: "cli_missing"}


@pytest.mark.slow
def test_a_client_that_vanishes_between_decision_and_start(desk, tmp_path):
    first = f'echo "$@" > /dev/null; rm "$0"; exec {FAKES}/claude "$@"'
    script(tmp_path / "claude", first)
    record = desk.told("crash", PATH=f"{tmp_path}:/usr/bin:/bin")
    assert [attempt["kind"] for attempt in record["attempts"]] == ["crashed", "cli_missing"]
    assert (record["detail"], record["exit_code"]) == ("the client is not found", 1)


def test_a_daemon_does_not_outlive_the_run(desk):
    asked = desk.ask("daemon")
    assert (asked.code, asked.out) == (0, "done by haiku\n")
    assert are_gone([int(pid) for pid in desk.saw("daemons").split()], 0)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    some(
        [
            (("--agent", "haiku-genral"), 3, "agent 'haiku-genral': there is none (did you mean haiku-general or "),
            (("--context-from", "r-1"), 3, "run 'r-1': there is none in "),
            (("--timeout", "soon"), 2, "'soon' is not a valid float range"),
        ],
        1,
    ),
)
def test_what_the_user_got_wrong(desk, words, code, told):
    asked = desk.ask("ok", *words)
    assert (asked.code, asked.out, told in asked.err) == (code, "", True)
    assert desk.calls() == []


def test_an_agent_that_is_too_deep_starts_no_other(desk):
    asked = desk.ask("ok", ORCHESTRATOR_DEPTH="3")
    assert (asked.code, asked.out, desk.calls()) == (4, "", [])
    assert asked.err == "orchestrate-request: agents start agents 3 deep already: this one is not started\n"


@pytest.mark.parametrize(
    ("fake", "code"), some([("lines", 0), ("lines max_turns budget", 0), ("budget", 4), ("cut ok", 0)], 1)
)
def test_a_reader_that_has_seen_enough_changes_nothing(desk, fake, code):
    """`| head -1`, but that the pipe is closed before the first line."""
    for words in ([], ["--json"]):
        read, write = os.pipe()
        os.close(read)
        process = subprocess.Popen(
            [PROGRAM, REQUEST, *words],
            stdin=subprocess.DEVNULL,
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            cwd=desk.place.root,
            env={**os.environ, **desk.env, "FAKE": fake},
        )
        os.close(write)
        ended_as, _, err = ended(process)
        assert (ended_as, "Traceback" in err, "BrokenPipe" in err) == (code, False, False)
        assert "what stdout has" not in err
        (desk.folder / "calls").unlink()
    assert len(recorded_once(desk.place)) == 2


@pytest.mark.slow
@pytest.mark.parametrize(("fake", "first"), some([("lines", "one"), ("cut ok", "so far"), ("cut", "so far")], 1))
def test_head(desk, fake, first):
    line = f'"{PROGRAM}" "{REQUEST}" 2> err | head -1; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", line],
        stdout=subprocess.PIPE,
        text=True,
        cwd=desk.place.root,
        env={**os.environ, **desk.env, "FAKE": fake},
        timeout=60,
        check=False,
    )
    err = Path(desk.place.root, "err").read_text()
    code = 1 if fake == "cut" else 0
    assert (done.stdout, "Traceback" in err, "BrokenPipe" in err) == (f"{first}\n{code}\n", False, False)


@pytest.mark.slow
def test_a_full_disk_behind_stdout_changes_nothing(desk):
    with open("/dev/full", "w") as full:
        for words in ([], ["--json"]):
            process = subprocess.run(
                [PROGRAM, REQUEST, *words],
                stdin=subprocess.DEVNULL,
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                cwd=desk.place.root,
                env={**os.environ, **desk.env, "FAKE": "ok"},
                timeout=60,
                check=False,
            )
            told = "orchestrate-request: stdout: no space left on device: the answer is in the record"
            assert (process.returncode, told in process.stderr) == (0, True)
            assert "Traceback" not in process.stderr
    assert list(recorded_once(desk.place).values()) == ["ok", "ok"]


@pytest.mark.parametrize("words", some([[], ["--json"]], 1))
def test_half_a_character_is_printed_as_a_mark(desk, words):
    asked = desk.ask("surrogate", *words)
    assert (asked.code, "Traceback" in asked.err) == (0, False)
    assert (asked.record["answer"] if words else asked.out.rstrip("\n")) == "half of a pair: ?"
    assert list(recorded_once(desk.place).values()) == ["ok"]


@pytest.mark.slow
def test_a_terminal_of_ascii_gets_the_answer_too(desk):
    asked = desk.ask("surrogate", PYTHONIOENCODING="ascii:strict")
    assert (asked.code, asked.out) == (0, "half of a pair: ?\n")


@mounts
@pytest.mark.parametrize("room", some([0, 4, 12, 20, 40], (0,)))
def test_a_full_disk_costs_the_record_alone(desk, room):
    """`room` KiB are left."""
    asked = mounted(
        desk,
        'mkdir -p "$state"; mount -t tmpfs -o size=256k x "$state"; '
        f'head -c {256 - room}k /dev/zero > "$state/filler" 2> /dev/null || true',
    )
    assert (asked.returncode, asked.stdout, "Traceback" in asked.stderr) == (0, "done by haiku\n", False)
    assert ("is incomplete" in asked.stderr) == (room < 40)


@mounts
@pytest.mark.parametrize("option", some(["ro", "nr_inodes=2"], 1))
def test_a_state_that_takes_no_file_costs_the_record_alone(desk, option):
    asked = mounted(desk, f'mkdir -p "$state"; mount -t tmpfs -o {option} x "$state"')
    assert (asked.returncode, asked.stdout, "Traceback" in asked.stderr) == (0, "done by haiku\n", False)
    assert "this run is not counted among those at once: cannot write " in asked.stderr
    assert runs.listed(desk.place) == []


@pytest.mark.slow
@mounts
def test_a_machine_without_memory_is_given_time_and_then_tried_all_the_same(desk):
    few = "echo 'MemAvailable: 1024 kB' > few; mount --bind few /proc/meminfo"
    asked = mounted(desk, few, ORCHESTRATOR_RUN__WAIT_S="2")  # as long as one look
    waiting = "haiku-general: waiting: memory: 1 MiB available, 256 MiB wanted for one more agent"
    assert (asked.returncode, asked.stdout, waiting in asked.stderr.splitlines()) == (0, "done by haiku\n", True)


@pytest.mark.parametrize("signum", some([signal.SIGINT, signal.SIGTERM, signal.SIGHUP], (signal.SIGTERM,)))
@pytest.mark.parametrize("fake", some(["hang", "tools"], ("tools",)))
def test_asked_to_end_we_end_all_of_it(desk, fifo, fake, signum):
    process = desk.start(fake, "--json")
    pids = fifo.pids(2 if fake == "tools" else 1)
    process.send_signal(signum)
    code, out, _ = ended(process)
    record = json.loads(out)
    assert (code, record["outcome"], record["exit_code"]) == (130, "aborted", 130)
    assert are_gone(pids, 0)
    assert is_idle(desk.place)
    assert recorded_once(desk.place) == {record["run"]: "aborted"}


# Whoever waits for the end of its grace does not come to an end within any test.
_PATIENT = """
from orchestrate.agents.process import ProcessLimits
ProcessLimits.__new__.__defaults__ = ProcessLimits()._replace(grace_s=600.0)
from orchestrate.cli import request
request()
"""


@pytest.mark.slow
def test_asked_twice_we_do_not_wait_for_a_deaf_client(desk, fifo):
    process = desk.start("deaf", program=(sys.executable, "-c", _PATIENT))
    pids = fifo.pids(1)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 130
    assert are_gone(pids, 0)


@pytest.mark.slow
def test_asked_to_end_while_waiting_for_a_place(desk, fifo):
    desk.env["ORCHESTRATOR_RUN__AT_ONCE"] = "1"
    with desk.start("hang") as holder:
        fifo.lines(1)
        waiting = desk.start("ok")
        until(lambda: catches(waiting.pid, signal.SIGTERM))
        waiting.send_signal(signal.SIGTERM)
        code, out, err = ended(waiting)
        holder.terminate()
    told = f"orchestrate-request: {desk.place.user}/slots: stopped on request while all 1 were taken"
    # Who waits for long is told for whom.
    lines = [line for line in err.splitlines() if "waiting for a place" not in line]
    assert (code, out, lines, len(desk.calls())) == (130, "", [told], 1)


@pytest.mark.slow
def test_asked_to_end_between_two_attempts(desk):
    process = desk.start("limited ok", "--json", FAKE_RESET_S="30")
    line = ""
    while "retry in" not in line:
        line = process.stderr.readline()
    process.send_signal(signal.SIGINT)
    code, out, _ = ended(process)
    assert (code, json.loads(out)["outcome"], len(desk.calls())) == (130, "aborted", 1)


@pytest.mark.parametrize("fake", some(["hang", "deaf", "tools"], ("hang",)))
def test_kill_9_of_us_leaves_nothing(desk, fifo, fake):
    process = desk.start(fake)
    pids = fifo.pids(2 if fake == "tools" else 1)
    process.kill()
    assert ended(process)[0] == -signal.SIGKILL
    assert are_gone(pids)
    until(lambda: is_idle(desk.place))
    assert list(recorded_once(desk.place).values()) == [None]


@pytest.mark.slow
def test_what_a_kill_left_is_swept_by_the_next_request(desk, fifo):
    process = desk.start("deaf")
    [pid] = fifo.pids(1)
    [guard] = [child for child in processes.children(process.pid) if child != pid]
    os.kill(guard, signal.SIGKILL)
    process.kill()
    ended(process)
    assert not is_idle(desk.place)
    assert desk.ask("deaf ok").code == 0
    assert are_gone([pid], 0)
    assert is_idle(desk.place)


@pytest.mark.slow
def test_a_killed_client_is_told_as_killed(desk, fifo):
    process = desk.start("hang", "--json")
    [pid] = fifo.pids(1)
    os.kill(pid, signal.SIGKILL)
    code, out, _ = ended(process)
    assert (code, json.loads(out)["outcome"], json.loads(out)["detail"]) == (1, "killed", "ended by signal 9")
