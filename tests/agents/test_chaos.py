"""A thousand requests, of which two thirds go wrong in some way: none is lost, none goes on, none tells a lie."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from chaos import FAKES_OF, FAULTS
from faking import recorded_once

from orchestrate.agents import outcome, processes

SEED = 31
WORKERS, EACH = 4, 250
# What a word of the client comes to, where that is not the word itself.
OUTCOMES = {
    "fallen": "ok",
    "lines": "ok",
    "surrogate": "ok",
    "daemon": "ok",
    "escalate": "ok",
    "crash": "crashed",
    "garbage": "no_json",
    "cut": "no_json",
    "nothing": "empty",
    "error_inside": "lying_success",
    "unserved": "lying_success",
    "server_error": "api_error",
    "limited_bare": "rate_limited",
    "limited": "rate_limited",
    "no_model": "model_not_found",
    "denied": "permission_denied",
    "terminated": "killed",
    "loop": "stalled",
    "hang": "timeout",
}
OF_OURS = {
    "stall": "stalled",
    "deaf": "stalled",
    "missing": "cli_missing",
    "interrupted": "aborted",
    "we are killed": None,
}
CODES = {"ok": 0, "blocked": 4, "budget": 4, "permission_denied": 4, "aborted": 130, "timeout": 124, "stalled": 124}


def expected(fault):
    """Every outcome that the fault may have: what comes first, or what a further attempt comes to."""
    if fault in OF_OURS:
        return {OF_OURS[fault]}
    return {OUTCOMES.get(word, word) for word in fault.split()}


def test_the_faults_are_those_of_the_table():
    assert set(OF_OURS) >= set(FAKES_OF)
    assert sum(FAULTS.values()) == 1000
    kinds = {kind for fault in FAULTS for kind in expected(fault)} - {None}
    assert set(outcome.KINDS) - kinds == set()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_thousand_requests_with_faults(place, tmp_path):
    (tmp_path / "desks").mkdir()
    program = Path(__file__).with_name("chaos.py")
    argv = [sys.executable, str(program), str(tmp_path / "desks"), place.root]
    workers = [
        subprocess.Popen([*argv, str(SEED + number), str(EACH)], stdout=subprocess.PIPE, text=True)
        for number in range(WORKERS)
    ]
    told = [json.loads(line) for worker in workers for line in worker.communicate()[0].splitlines()]
    assert [worker.returncode for worker in workers] == [0] * WORKERS
    assert len(told) == WORKERS * EACH

    assert [each for each in told if "error" in each] == []
    assert [each for each in told if each["outcome"] not in expected(each["fault"])] == []
    answered = [each for each in told if each["outcome"] is not None]
    assert [each for each in answered if each["code"] != CODES.get(each["outcome"], 1)] == []

    recorded = recorded_once(place)
    assert {each["run"]: each["outcome"] for each in answered} == {run: kind for run, kind in recorded.items() if kind}
    assert len(answered) == len({each["run"] for each in answered})
    assert len(recorded) == len(told)
    assert none_goes_on(tmp_path)
    print(Counter(each["outcome"] for each in told))


def none_goes_on(folder, within_s=60):
    """No process was started for a desk of ours: guards of the killed are given the time to end theirs."""
    deadline = time.monotonic() + within_s
    while found := marked(str(folder)):
        if time.monotonic() > deadline:
            pytest.fail(f"still there: {found}")
        time.sleep(0.1)
    return True


def marked(folder):
    return [
        (process.pid, read(process.pid, "cmdline"))
        for process in processes.everyone()
        if process.pid != os.getpid() and f"FAKE_DIR={folder}" in read(process.pid, "environ")
    ]


def read(pid, name):
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""
