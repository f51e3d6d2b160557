"""A hook that hangs gives up by itself, in silence; a lock that somebody holds costs a moment and no record."""

import contextlib
import fcntl
import json
import os
import subprocess
import time

import pytest
from payloads import AT_HOME, SESSION, faults, files, logged, payload, said

from orchestrate import entry, hookline


@pytest.fixture
def start(project):
    """Start a hook whose stdin stays open until the test closes it, or is over."""
    arguments = hookline.arguments(*hookline.here())
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with contextlib.ExitStack() as at_the_end:

        def begin():
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
    """One waits for a stdin that never ends, the other for a log that is a pipe nobody writes to."""
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
        ends.append((process.wait(10), process.stdout.read(), process.stderr.read()))
    took_s = time.monotonic() - began
    assert ends == [(0, b"", b"")] * 2
    assert [fault["where"] for fault in faults(place)] == ["timeout"] * 2
    assert entry.LIMIT_S - 0.1 < took_s < entry.LIMIT_S + 2  # the client waits 5 s


def test_a_held_lock_delays_a_moment_and_the_record_is_there(hook, place):
    def took_s():
        began = time.monotonic()
        code, stdout, stderr = hook(payload("UserPromptSubmit"), **AT_HOME)
        assert (code, stderr) == (0, "")
        assert "haiku-general" in said(stdout)
        return time.monotonic() - began

    folder = f"{place.state}/sessions/{SESSION}"
    os.makedirs(folder)
    free_s = min(took_s() for _ in range(3))
    with open(f"{folder}/log.jsonl", "ab") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        held_s = min(took_s() for _ in range(2))
    assert 0.15 < held_s - free_s < 1.2  # a busy machine sleeps longer than it is told
    assert len(logged(place)) == 5


def test_a_lock_that_is_let_go_is_taken_at_once(start, place, home):
    folder = f"{place.state}/sessions/{SESSION}"
    os.makedirs(folder)
    with open(f"{folder}/log.jsonl", "ab") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        process = start()
        process.stdin.write(json.dumps(payload("Stop")).encode())
        process.stdin.close()
        fcntl.flock(log, fcntl.LOCK_UN)
    assert (process.wait(10), process.stdout.read(), process.stderr.read()) == (0, b"", b"")
    assert len(logged(place)) == 1
    assert len(files(home)) == 1
