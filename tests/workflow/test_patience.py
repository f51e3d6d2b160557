"""The runner that follows one whose database went away: it waits for that, and keeps nobody in the dark."""

import os
import signal
import subprocess
import threading

import pytest
from machine import Machine

from orchestrate.workflow import holding, inbox
from orchestrate.workflow.runner import BROKEN

pytestmark = pytest.mark.slow
NOBODY = "postgresql://nobody@127.0.0.1:1/nowhere"
WAITS = "the runner waits for its database: "


@pytest.fixture
def machine(tmp_path):
    made = Machine(tmp_path / "m", NOBODY)
    yield made
    made.end()


@pytest.fixture
def waiting(machine):
    """A patient runner that has looked once."""
    with machine.runner(is_patient=True, stderr=subprocess.PIPE, text=True) as runner:
        assert runner.stderr.readline().startswith(WAITS)
        yield runner


def test_who_is_woken_and_still_finds_none_ends_as_any_runner_does(machine, waiting):
    assert inbox.poke(machine.user)
    assert waiting.wait(60) == 1
    assert "ConnectionError" in waiting.stderr.read()


def test_who_is_to_end_does_not_wait_on(waiting):
    waiting.send_signal(signal.SIGTERM)
    assert waiting.wait(60) == BROKEN


def test_the_lock_is_waited_for_where_another_one_listens(tmp_path):
    """Which may be gone the next moment, as its database is away for it as well."""
    user = str(tmp_path)
    other = holding.hold(user)
    assert holding.hold(user) is None
    found = []
    waits = threading.Thread(target=lambda: found.append(holding.hold(user, is_patient=True)))
    waits.start()
    waits.join(0.2)
    assert waits.is_alive()
    os.close(other._lock)
    waits.join(30)
    assert isinstance(found[0], holding.Door)
