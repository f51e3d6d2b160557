"""What the engine stands on goes away in the middle of a run: its database, or the room on its disk."""

import os
import resource
import subprocess
import sys

import pytest
from machine import Machine

from orchestrate.workflow.runner import BROKEN

pytestmark = pytest.mark.slow
# However long the database takes to be there again, this machine is not taken for dead.
PATIENT = "from orchestrate.workflow import heartbeat; heartbeat.FENCED_S = 300.0"
HELD = """
workflow:
  name: held
  steps:
    - {id: a, command: [sh, -c, "echo a >> a.log; echo up > up; read x < go; echo $x"]}
    - {id: b, command: [sh, -c, "echo b >> b.log"], depends_on: [a]}
"""


def held(machine):
    for name in ("up", "go"):
        os.mkfifo(machine.project / name)
    return machine.begin(machine.workflow(HELD))


def logs(machine):
    return [(machine.project / f"{name}.log").read_text() for name in "ab"]


@pytest.mark.database
@pytest.mark.timeout(150)
def test_a_database_that_restarts_costs_no_step(tmp_path, cluster):
    with cluster.connect() as db:
        db.execute(f'CREATE DATABASE "{tmp_path.name}"')
    machine = Machine(tmp_path / "m", cluster.url_of(tmp_path.name), "60")
    header = held(machine)
    with machine.runner(first=PATIENT) as runner:
        (machine.project / "up").read_text()
        cluster.stop()
        (machine.project / "go").write_text("on\n")
        cluster.start()
        assert machine.wait(header, 90).status == "finished"
        assert runner.poll() is None
        runner.kill()
    assert logs(machine) == ["a\n", "b\n"]


@pytest.mark.skipif(sys.platform != "linux", reason="nothing else lets a test narrow another process")
@pytest.mark.timeout(150)
def test_a_full_disk_ends_the_runner_and_the_next_goes_on(tmp_path):
    """No file of the runner's may grow from then on: SQLite and the records take that for a full disk."""
    machine = Machine(tmp_path / "m", idle_s="0.3")
    header = held(machine)
    for is_full in (True, False):
        with machine.runner(stderr=subprocess.DEVNULL) as runner:
            (machine.project / "up").read_text()
            if is_full:
                resource.prlimit(runner.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            (machine.project / "go").write_text("on\n")
            assert runner.wait(60) == (BROKEN if is_full else 0)
    assert machine.header(header).status == "finished"
    assert logs(machine) == ["a\na\n", "b\n"]  # what a had done could not be kept
