"""What works when a run is cancelled or its runner goes is ended, with all that it has started."""

import json
import os
import signal
from pathlib import Path

import psutil
import pytest
from ending import is_alive, is_gone
from machine import Machine

from orchestrate.workflow import launching
from orchestrate.workflow.runner import BROKEN

pytestmark = pytest.mark.slow
# The second time it only says that it was there.
WORKS = """
workflow:
  name: works
  steps:
    - {id: a, command: [sh, -c, "echo a >> a.log; mkdir first || exit 0; sleep 600 & echo $! > up; wait"]}
"""


@pytest.fixture
def machine(tmp_path):
    made = Machine(tmp_path / "m", idle_s="0.3")
    os.mkfifo(made.project / "up")
    yield made
    made.end()


def child(machine):
    return int((machine.project / "up").read_text())


@pytest.mark.timeout(90)
def test_a_run_that_is_cancelled_ends_what_its_steps_have_started(machine):
    header = machine.begin(machine.workflow(WORKS))
    with machine.running():
        pid = child(machine)
        launching.cancel(header)
        assert machine.wait(header).status == "cancelled"
        assert is_gone(pid)


@pytest.mark.timeout(90)
@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_runner_that_goes_ends_what_works_and_the_next_begins_it_once_more(machine, by):
    header = machine.begin(machine.workflow(WORKS))
    with machine.runner() as runner:
        pid = child(machine)
        runner.send_signal(by)
        assert runner.wait(30) == (-by if by == signal.SIGKILL else BROKEN)
    assert is_gone(pid)
    assert machine.run_until_idle() == 1
    assert machine.header(header).status == "finished"
    assert machine.told(header, "finished") == {"a": 1}
    assert (machine.project / "a.log").read_text() == "a\na\n"


@pytest.mark.timeout(90)
def test_what_outlives_the_runner_and_its_guard_is_ended_before_its_step_is_begun_again(machine):
    header = machine.begin(machine.workflow(WORKS.replace("|| exit 0", "|| exec sh -c 'echo $$ > up'")))
    with machine.runner() as runner:
        pid = child(machine)
        others = psutil.Process(runner.pid).children(recursive=True)
        for one in (runner, *(other for other in others if other.pid != pid)):
            one.kill()
    assert is_alive(pid)
    with machine.running():
        child(machine)
        assert not is_alive(pid)
        assert machine.wait(header).status == "finished"


@pytest.mark.timeout(90)
def test_a_generation_that_another_one_has_followed_is_not_run_again(machine):
    """Its end was written down, and its runner killed before the engine knew of it."""
    header = machine.begin(machine.workflow(WORKS))
    record = Path(header.folder, "run.json")
    with machine.running():
        child(machine)
    record.write_text(json.dumps({**json.loads(record.read_text()), "generation": 2, "status": "failed"}))
    assert machine.run_until_idle() == 1
    assert (machine.project / "a.log").read_text() == "a\n"
