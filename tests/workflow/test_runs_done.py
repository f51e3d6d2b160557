"""Runs as a user sees them: commands, a runner that is started on demand, and what is left in the folder of the run."""

import dataclasses
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from machine import Machine, dag

from orchestrate.workflow import inbox, runner, runs

pytestmark = pytest.mark.slow

CHAIN = dag({"a": (), "b": ("a",), "c": ("b",)})
SMALL = """
workflow:
  name: small
  inputs:
    topic: {default: cats}
    names: {default: ["x", "y"]}
  steps:
    - {id: one, command: [echo, "{topic} $HOME; `id`"], output: said}
    - {id: each, command: [echo, "-{item}-"], foreach: names, output: all, depends_on: [one]}
    - {id: never, command: [touch, never], when: "topic == 'dogs'", depends_on: [one]}
    - {id: after, command: [touch, after], depends_on: [never]}
    - {id: open, gate: "contains(said, 'cats')", depends_on: [one]}
    - {id: last, command: [echo, "{said} {all}"], depends_on: [each, open]}
"""
BROKEN = """
workflow:
  name: broken
  steps:
    - {id: a, command: [echo, a], output: a}
    - {id: b, command: [sh, -c, "echo b >> b.log; test -e mended"], depends_on: [a]}
    - {id: c, command: [sh, -c, "echo c >> c.log"], depends_on: [b]}
"""
STOOD_IN = """
workflow:
  name: stood-in
  steps:
    - {id: a, command: ["false"], fallback: spare, output: made}
    - {id: spare, command: [echo, spare]}
    - {id: b, command: ["false"], on_error: continue}
    - {id: c, command: [echo, "got {made}"], depends_on: [a, b]}
"""
HELD = 'workflow: {name: w, steps: [{id: a, command: [sh, -c, "read x < go; echo $x"]}]}'


@pytest.fixture
def machine(tmp_path):
    made = Machine(tmp_path / "m", idle_s="20")
    yield made
    made.end()


def results(machine, run):
    told = json.loads(machine.command("workflow", "show", run, "--json").stdout)
    return {step["step"]: step["status"] for step in told["steps"]}


def only_run(machine):
    return json.loads(machine.command("workflow", "runs", "--json").stdout)[0]["run"]


def test_commands_conditions_items_and_gates(machine):
    done = machine.command("workflow", "run", machine.workflow(SMALL))
    assert (done.returncode, done.stdout) == (0, 'cats $HOME; `id` ["-x-", "-y-"]\n')
    found = results(machine, only_run(machine))
    assert found == {
        "one": "finished", "each": "finished", "never": "skipped", "after": "skipped", "open": "finished",
        "last": "finished",
    }  # fmt: skip
    assert not (machine.project / "never").exists() and not (machine.project / "after").exists()


def test_a_step_that_fails_ends_the_run_and_resume_goes_on_there(machine):
    done = machine.command("workflow", "run", machine.workflow(BROKEN))
    assert (done.returncode, done.stdout) == (1, "")
    assert "b: exit code 1" in done.stderr
    run = only_run(machine)
    assert results(machine, run) == {"a": "finished", "b": "failed", "c": "waiting"}
    (machine.project / "mended").touch()
    assert machine.command("workflow", "resume", run).returncode == 0
    assert results(machine, run) == dict.fromkeys("abc", "finished")
    assert [(machine.project / f"{name}.log").read_text() for name in "bc"] == ["b\nb\n", "c\n"]
    assert machine.command("workflow", "resume", run).returncode == 1  # it has finished
    assert machine.command("workflow", "resume", run, "--from", "b").returncode == 0
    assert (machine.project / "c.log").read_text() == "c\nc\n"
    assert machine.command("workflow", "retry", run, "b").returncode == 0
    assert [(machine.project / f"{name}.log").read_text() for name in "bc"] == ["b\n" * 4, "c\nc\n"]
    assert machine.command("workflow", "retry", run, "nobody").returncode == 3


def test_who_stands_in_and_who_may_fail(machine):
    done = machine.command("workflow", "run", machine.workflow(STOOD_IN))
    assert (done.returncode, done.stdout) == (0, "b:\n\nc:\ngot spare\n" if "b:" in done.stdout else "got spare\n")
    assert results(machine, only_run(machine)) == {"a": "failed", "spare": "finished", "b": "failed", "c": "finished"}


def test_every_agent_step_is_a_decision_and_hands_its_answer_on(machine):
    done = machine.command("workflow", "run", machine.workflow(CHAIN), "--json")
    assert done.returncode == 0
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[-1]["outputs"] == {"c": "c(b(a()))"}
    decided = [event for event in machine.events() if event["type"] == "orchestration.prompt.decided"]
    assert [event["payload"]["mode"] for event in decided] == ["orchestration"] * 3
    assert {(event["payload"]["override"], event["payload"]["reason"].partition(" asked")[0]) for event in decided} == {
        (False, "the workflow")
    }
    run = [name for name in lines if name["type"] == "orchestration.step.finished"][1]["runs"][0]
    context = json.loads(Path(machine.place.state, "runs", run, "context.json").read_text())
    assert [result["answer"] for result in context["results"]] == ["a()"]


def test_one_step_is_not_steps_and_items_are_shown_as_they_are_written(machine):
    text = 'workflow:\n  name: w\n  steps:\n    - {id: a, command: echo, foreach: [x, "y z"]}\n'
    path = machine.workflow(text)
    assert machine.command("workflow", "run", path, "--dry-run").stdout == "1  a: echo, for each of x, y z\n"
    first = machine.command("workflow", "run", path).stderr.split("\n")[0]
    assert re.fullmatch(r"orchestrate: w-\S+: w, 1 step", first)


def test_an_agent_without_a_client_is_told_to_lack_one(machine):
    done = machine.command("workflow", "run", machine.workflow(CHAIN), ORCHESTRATOR_CLAUDE_BINARY="no-such-client")
    assert "a: no agent is run: the client is not on PATH: install it, or set claude_binary\n" in done.stderr


def test_cancel_ends_what_works(machine):
    text = 'workflow:\n  name: w\n  steps:\n    - {id: a, command: [sh, -c, "echo $$ > pid; read x < never"]}\n'
    os.mkfifo(machine.project / "never")
    run = machine.command("workflow", "run", machine.workflow(text), "--detach").stdout.strip()
    header = runs.find(machine.place, run)
    while not any(event["type"].endswith("step.started") for _, event in runs.events(header)):
        assert inbox.is_running(machine.user) or machine.command("workflow", "runs")
    done = machine.command("workflow", "cancel", run)
    assert (done.returncode, done.stdout) == (0, f"{run}: cancelled\n")
    assert machine.command("workflow", "resume", run, "--detach").returncode == 0


@pytest.mark.parametrize(("asked", "left"), [("resume", "failed"), ("cancel", "cancelled")])
def test_a_record_that_stayed_behind_the_engine_is_not_waited_for(machine, asked, left):
    assert machine.command("workflow", "run", machine.workflow(CHAIN)).returncode == 0
    header = runs.find(machine.place, "")
    runs.save(dataclasses.replace(header, status="running", exit_code=None, finished_at=""))
    machine.command("workflow", asked, header.run)
    assert machine.header(header).status == left
    done = machine.command("workflow", "resume", header.run)
    assert (done.returncode, done.stdout) == (0, "c(b(a()))\n")
    assert set(machine.starts().values()) == {1}


def test_a_folder_in_which_a_run_goes_on_is_not_moved(machine):
    header = machine.begin(machine.workflow(CHAIN))
    done = machine.command("init")
    assert (done.returncode, header.run in done.stderr) == (4, True)
    assert machine.command("workflow", "resume", header.run).returncode == 0
    assert machine.command("init").returncode == 0
    assert machine.command("workflow", "show", header.run).returncode == 0


@pytest.mark.parametrize(("large", "patience_s"), [(1 << 60, 60.0), (0, runner.TICK_S)])
def test_a_runner_that_has_grown_does_not_wait(monkeypatch, large, patience_s):
    monkeypatch.setattr(runner, "LARGE_BYTES", large)
    assert runner._patience_s(60.0) == patience_s


def test_a_run_of_another_version_is_listed_as_stranded_and_can_be_taken_up(machine):
    header = machine.begin(machine.workflow(CHAIN))
    path = Path(header.folder, "run.json")
    path.write_text(path.read_text().replace("orchestrate-dag1", "orchestrate-dag0"))
    assert "stranded" in machine.command("workflow", "runs").stdout
    done = machine.command("workflow", "resume", header.run)
    assert (done.returncode, done.stdout) == (0, "c(b(a()))\n")


def test_a_repository_s_commands_wait_for_trust(machine):
    machine.command("init")
    folder = machine.project / ".orchestrator" / "workflows"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "own.yaml").write_text(BROKEN)
    done = machine.command("workflow", "run", "own")
    assert (done.returncode, "orchestrate trust" in done.stderr) == (4, True)
    assert not (machine.project / "b.log").exists()


def test_a_copy_leaves_the_project_alone_and_its_patch_behind(machine):
    from made_repo import Repo

    (machine.project / ".git").rmdir()
    repo = Repo(machine.project)
    text = 'workflow:\n  name: w\n  steps:\n    - {id: a, command: [sh, -c, "echo hi > new.txt"], worktree: true}\n'
    assert machine.command("workflow", "run", machine.workflow(text)).returncode == 0
    assert not (machine.project / "new.txt").exists()
    folder = Path(runs.find(machine.place, "").folder, "steps", "a", "1")
    assert "+hi" in (folder / "changes.patch").read_text()
    assert not (folder / "tree").exists()
    assert subprocess.check_output(["git", "-C", repo.root, "status", "--porcelain"]) == b""


def test_a_command_that_is_interrupted_leaves_the_run_to_the_runner(machine):
    os.mkfifo(machine.project / "go")
    path = machine.workflow(HELD)
    argv = [Path(os.sys.executable).with_name("orchestrate"), "workflow", "run", path]
    with subprocess.Popen(argv, env=machine.env, cwd=machine.project, stderr=subprocess.PIPE, text=True) as asked:
        for line in asked.stderr:
            if line.startswith("a: running"):
                break
        asked.send_signal(signal.SIGINT)
        assert asked.wait(60) == 130
    (machine.project / "go").write_text("went on\n")
    assert machine.wait(runs.find(machine.place, "")).status == "finished"


def test_two_commands_have_one_runner(machine):
    os.mkfifo(machine.project / "go")
    asked = [machine.command("workflow", "run", machine.workflow(text), "--detach") for text in (CHAIN, HELD)]
    chain, held = (runs.find(machine.place, done.stdout.strip()) for done in asked)
    assert machine.wait(chain).status == "finished"
    while not machine.told(held, "started"):
        time.sleep(0.02)
    first = inbox.sign(machine.user)["pid"]
    with machine.runner() as second:
        assert second.wait(60) == 0  # the first one hears
    assert inbox.sign(machine.user)["pid"] == first != second.pid
    (machine.project / "go").write_text("on\n")
    assert machine.wait(held).status == "finished"
