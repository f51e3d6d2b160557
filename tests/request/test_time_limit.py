"""A hook that hangs gives up by itself, in silence; a lock that somebody holds costs a moment and no record."""

import contextlib
import fcntl
import json
import os
import subprocess
import time

import pytest
from patient import patient
from payloads import AT_HOME, SESSION, faults, files, logged, payload, said

from orchestrate import entry, hookline


@pytest.fixture
def start(project):
    """Start a hook whose stdin stays open until the test closes it, or is over."""
    installed = hookline.arguments(*hookline.here())
    with_time = [patient(word) if word == hookline.BOOT else word for word in installed]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with contextlib.ExitStack() as at_the_end:

        def begin(is_patient=False):
            arguments = with_time if is_patient else installed
            process = at_the_end.enter_context(
                subprocess.Popen(arguments, cwd=project, env={**os.environ, **AT_HOME}, **pipes)
            )
            at_the_end.callback(process.kill)
            return process

        yield begin


def test_the_limit_is_within_the_client_s_own():
    assert entry.LIMIT_S == 2
    assert min(event.timeout_s for event in hookline.EVENTS.values()) == 5


@pytest.mark.slow
def test_a_hook_that_hangs_ends_by_itself(start, place):
    """One waits for a stdin that never ends, the other for a log that is a pipe nobody writes to. Nothing but the limit
    ends them, and it is within the client's 5 s: see above."""
    os.makedirs(f"{place.state}/sessions/{SESSION}")
    os.mkfifo(f"{place.state}/sessions/{SESSION}/log.jsonl")
    began = time.monotonic()
    waits_for_stdin, waits_for_log = start(), start()
    waits_for_stdin.stdin.write(b'{"hook_event_name": "UserPromptSubmit"')
    waits_for_stdin.stdin.flush()
    waits_for_log.stdin.write(json.dumps(payload("UserPromptSubmit")).encode())
    waits_for_log.stdin.close()
    ends = []
    for process in (waits_for_log, waits_for_stdin):
        ends.append((process.wait(60), process.stdout.read(), process.stderr.read()))
    took_s = time.monotonic() - began
    assert ends == [(0, b"", b"")] * 2
    told = [(fault["where"], fault["error"]) for fault in faults(place)]
    assert told == [("timeout", f"TimeoutError: the hook was not done after {entry.LIMIT_S} s")] * 2
    assert took_s > entry.LIMIT_S - 0.1


def test_a_held_lock_delays_a_moment_and_the_record_is_there(hook, place):
    def took_s():
        began = time.monotonic()
        code, stdout, stderr = hook(payload("UserPromptSubmit"), **AT_HOME)
        assert (code, stderr) == (0, "")
        assert "haiku-general" in said(stdout)
        return time.monotonic() - began

    folder = f"{place.state}/sessions/{SESSION}"
    os.makedirs(folder)
    with open(f"{folder}/log.jsonl", "ab") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        held_s = [took_s()]
        while min(held_s) > 1 and len(held_s) < 20:  # a busy machine sleeps longer than it is told, now and then
            held_s.append(took_s())
    assert 0.15 < min(held_s) < 1
    assert len(logged(place)) == len(held_s)


def test_a_lock_that_is_let_go_is_taken_at_once(start, place, home):
    folder = f"{place.state}/sessions/{SESSION}"
    os.makedirs(folder)
    with open(f"{folder}/log.jsonl", "ab") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        process = start(is_patient=True)
        process.stdin.write(json.dumps(payload("Stop")).encode())
        process.stdin.close()
        fcntl.flock(log, fcntl.LOCK_UN)
    assert (process.wait(60), process.stdout.read(), process.stderr.read()) == (0, b"", b"")
    assert len(logged(place)) == 1
    assert len(files(home)) == 1
