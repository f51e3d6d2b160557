"""What works when a run is cancelled or its runner goes is ended, with all that it has started."""

import json
import os
import signal
import time
from pathlib import Path

import psutil
import pytest
from ending import is_alive, is_gone
from machine import Machine

from orchestrate.workflow import inbox, launching
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
        assert runner.wait(60) == (-by if by == signal.SIGKILL else BROKEN)
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
        runner.send_signal(signal.SIGSTOP)  # it neither reaps nor ends anybody before it is gone as well
        os.waitid(os.P_PID, runner.pid, os.WSTOPPED | os.WNOWAIT)
        for one in (*(other for other in others if other.pid != pid), runner):
            one.kill()
    assert is_alive(pid)
    with machine.running():
        child(machine)
        assert not is_alive(pid)
        assert machine.wait(header).status == "finished"


# Its patience comes to an end while it looks whether it is idle.
STANDS_STILL = """
import time
from orchestrate.workflow import runner
real = runner.Runner._is_idle
def looks(self, is_time):
    found = real(self, is_time)
    time.sleep(0.5)
    return found
runner.Runner._is_idle = looks
"""


@pytest.mark.timeout(90)
def test_a_runner_does_not_go_without_having_asked_what_is_left(machine):
    header = machine.begin(machine.workflow(WORKS))
    with machine.running():
        child(machine)
    with machine.runner(first=STANDS_STILL) as runner:
        assert runner.wait(60) == 0
    assert machine.header(header).status == "finished"


# The engine hands it out when the end of its runner has begun.
LATE = """
import time
from orchestrate.workflow import engine, runs
real = engine.Engine.end
def end(self, *told, **more):
    real(self, *told, **more)
    header = runs.read({state!r}, {run!r})
    self.start(header, runs.workflow(header))
    until = time.monotonic() + 1
    while time.monotonic() < until and not runs.read({state!r}, {run!r}).is_over:
        time.sleep(0.01)
engine.Engine.end = end
"""


@pytest.mark.timeout(90)
def test_a_run_that_comes_as_its_runner_ends_is_left_to_the_next(machine):
    header = machine.begin(machine.workflow(WORKS))
    late = machine.begin(machine.workflow("workflow: {name: w, steps: [{id: a, command: [echo, a]}]}", "late.yaml"))
    for path in inbox.waiting(machine.user)[1:]:
        path.unlink()
    with machine.runner(first=LATE.format(state=late.state, run=late.run)) as runner:
        child(machine)
        runner.terminate()
        assert runner.wait(60) == BROKEN
    assert [machine.told(late, kind) for kind in ("started", "failed", "finished")] == [{}, {}, {}]
    assert machine.run_until_idle() == 1
    assert [machine.header(one).status for one in (header, late)] == ["finished"] * 2


@pytest.mark.timeout(90)
def test_a_run_that_has_been_taken_up_again_is_not_ended_by_what_called_it_off_before(machine):
    """Its mark is gone, and only the word of it came late."""
    os.mkfifo(machine.project / "go")
    text = 'workflow: {name: w, steps: [{id: a, command: [sh, -c, "echo $$ > up; read x < go"]}]}'
    header = machine.begin(machine.workflow(text))
    with machine.running():
        child(machine)
        inbox.ask(machine.user, inbox.CANCEL, header.state, header.run)
        while inbox.waiting(machine.user):
            time.sleep(0.02)
        (machine.project / "go").write_text("on\n")
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
