"""What another version of the interpreter has left in flight is neither run nor forgotten, and what the engine says."""

import json
import platform
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dbos import DBOSClient
from machine import Machine

from orchestrate.workflow import inbox, runner, runs

pytestmark = pytest.mark.slow
STEP = """
workflow:
  name: w
  steps:
    - {id: a, command: [sh, -c, "echo a >> a.log"]}
"""
# The engine as an older version had it, with this run in flight.
OLDER = """
import asyncio, json, sys
from dbos import DBOS, SetWorkflowID

url, name, told = sys.argv[1:]
DBOS(config={
    "name": "orchestrate", "system_database_url": url, "application_version": "orchestrate-dag0",
    "executor_id": "older", "log_level": "ERROR",
})

@DBOS.workflow(name="run")
async def run(told):
    print("runs", flush=True)
    await asyncio.Event().wait()

DBOS.launch()
with SetWorkflowID(name):
    DBOS.start_workflow(run, json.loads(told))
sys.stdin.read()
"""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.database)])
def machine(request, tmp_path):
    url = ""
    if request.param == "postgres":
        cluster = request.getfixturevalue("cluster")
        with cluster.connect() as db:
            db.execute(f'CREATE DATABASE "{tmp_path.name}"')
        url = cluster.url_of(tmp_path.name)
    made = Machine(tmp_path / "m", url, "0.3")
    made.url = url or f"sqlite:///{made.user}/engine.db"
    yield made
    made.end()


def left_by_an_older_version(machine, header):
    Path(machine.user).mkdir(parents=True, exist_ok=True)
    told = json.dumps({"state": header.state, "run": header.run})
    argv = [sys.executable, "-c", OLDER, machine.url, header.durable_id, told]
    with subprocess.Popen(argv, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as older:
        assert older.stdout.readline() == "runs\n"
        older.kill()


def runner_says(machine):
    with machine.runner(stderr=subprocess.PIPE, text=True) as process:
        said = process.stderr.read()
        assert process.wait(60) == 0
    return said


@pytest.mark.timeout(120)
def test_a_run_of_an_older_version_is_told_of_until_it_is_taken_up(machine):
    header = machine.begin(machine.workflow(STEP))
    record = Path(header.folder, "run.json")
    record.write_text(record.read_text().replace("orchestrate-dag1", "orchestrate-dag0"))
    left_by_an_older_version(machine, header)
    told = f"{header.run}: stranded: of another version; `orchestrate workflow resume` takes it up"
    assert of_ours(runner_says(machine)) == [told]
    assert not (machine.project / "a.log").exists()
    assert machine.command("workflow", "resume", header.run).returncode == 0
    assert (machine.project / "a.log").read_text() == "a\n"
    while inbox.is_running(machine.user):  # the one that `resume` has started
        time.sleep(0.02)
    assert of_ours(runner_says(machine)) == []


def of_ours(said):
    """Without the word that the engine may have about which version it takes for the newest."""
    return [line for line in said.splitlines() if "is not the latest version" not in line]


def test_a_run_that_ends_well_leaves_no_word_in_the_runner_s_log(machine):
    header = machine.begin(machine.workflow(STEP))
    assert runner_says(machine) == ""
    assert machine.header(header).status == "finished"
    rows = DBOSClient(system_database_url=machine.url).list_workflows()
    told = [(row.workflow_id, row.status, row.app_version, row.executor_id) for row in rows]
    assert told == [(header.durable_id, "SUCCESS", runs.ENGINE, runner.machine(machine.user))]
    assert runner.machine(machine.user).startswith(f"{platform.node()}-")


def test_a_machine_keeps_its_name_in_the_engine_and_no_other_has_it(tmp_path):
    names = [runner.machine(str(tmp_path / home)) for home in ("one", "one", "other")]
    assert names[0] == names[1] != names[2]
