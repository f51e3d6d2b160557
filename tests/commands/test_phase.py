"""Sessions of tasks and their phases on the command line."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
REVIEW = (
    "phases:\n  review: {order: 1, goal: x, validation: {require_user_approval: true}}\n  last: {order: 2, goal: y}\n"
)


@pytest.fixture
def task(well):
    well("init")
    well("task", "create", "TSK-1", "--title", "t", "--description", "d", "--acceptance", "a")


@pytest.fixture
def begun(task, well):
    return json.loads(well("session", "start", "TSK-1", "--json"))


def session(well):
    return json.loads(well("task", "show", "TSK-1", "--json"))["session"]


def write(project, text):
    (project / ".orchestrator/workflow.yaml").write_text(text)


def test_a_second_start_goes_on_with_the_first(begun, well):
    again = json.loads(well("session", "start", "TSK-1", "--json"))
    assert (begun["resuming"], again["resuming"]) == (False, True)
    assert again["session_key"] == begun["session_key"]
    assert json.loads(well("session", "start", "TSK-1", "--restart", "--json"))["session_key"] == begun["session_key"]
    assert json.loads(well("session", "start", "TSK-1", "--new", "--json"))["session_key"] != begun["session_key"]


def test_sessions_of_the_client_are_listed_as_before(begun, cli):
    assert cli("session", "list") == (0, "", "no sessions yet\n")


def test_what_is_missing_is_printed_and_exits_1(begun, cli):
    lines = "✗ Required artifact missing: TASK.md\n⚠ Recommended field missing: tags\n"
    assert cli("phase", "complete", "TSK-1") == (1, f"{lines}⚠ Recommended field missing: estimated_effort\n", "")
    done = cli("phase", "complete", "TSK-1", "--json")
    assert (done.code, json.loads(done.out)["failures"]) == (1, ["Required artifact missing: TASK.md"])


def test_show_tells_the_same_and_changes_nothing(begun, well, cli):
    out = well("phase", "show", "TSK-1")
    assert out.splitlines()[1] == "→ intake (1 of 6)"
    assert "✗ Required artifact missing: TASK.md" in out
    assert json.loads(well("phase", "show", "TSK-1", "--json"))["failures"] == ["Required artifact missing: TASK.md"]
    assert session(well)["phase_history"] == []


def test_an_edited_goal_is_told_by_the_next_command(begun, well, project):
    path = project / ".orchestrator/workflow.yaml"
    assert path.read_bytes() == (REPO / "orchestrate/phases/workflow.yaml").read_bytes()
    path.write_text(path.read_text().replace("Understand what is asked for", "Ask"))
    assert "Goal: Ask, and agree" in well("phase", "show", "TSK-1")


def test_a_mistake_in_the_workflow_is_told_with_its_line(begun, cli, project):
    write(project, "phases:\n  a:\n    order: 1\n    gaol: x\n")
    done = cli("phase", "list")
    path = project / ".orchestrator/workflow.yaml"
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines() == [
        f"orchestrate: {path}:2: phases.a.goal: missing",
        f"{path}:4: phases.a.gaol: no such key (did you mean goal?)",
    ]


def test_the_workflow_is_no_workflow_to_the_router(begun, place, project):
    from orchestrate.request import context
    from state.paths import locate

    assert context.has_workflow(locate(str(project), os.environ)) is False


def test_phases_are_listed_with_how_far_a_task_is(begun, well):
    well("phase", "complete", "TSK-1", "--override", "--reason", "on paper")
    rows = json.loads(well("phase", "list", "TSK-1", "--json"))["phases"]
    assert [row["state"] for row in rows] == ["completed", "current", *["to come"] * 4]
    assert well("phase", "list", "TSK-1").splitlines()[0].startswith("✓ intake")
    assert len(json.loads(well("phase", "list", "--json"))["phases"]) == 6


SETTINGS = {
    "workflow.allow_phase_skip": (
        "true",
        ["phase", "complete", "TSK-1", "--override", "--to", "execute"],
        "orchestrate: TSK-1: after intake comes research: workflow.allow_phase_skip is off\n",
    ),
    "workflow.allow_user_override": (
        "false",
        ["phase", "complete", "TSK-1", "--override"],
        "orchestrate: TSK-1: --override: workflow.allow_user_override is off: give intake what it asks\n",
    ),
}


@pytest.mark.parametrize(
    ("key", "value", "words", "told"), [(key, *case) for key, case in SETTINGS.items()], ids=SETTINGS
)
def test_a_setting_decides_what_is_refused(begun, cli, well, key, value, words, told):
    first, second = cli(*words), None
    well("config", "set", key, value)
    second = cli(*words)
    refused, done = (first, second) if value == "true" else (second, first)
    if value == "false":  # the first went through: the second is refused in the phase that came
        told = told.replace("intake", "research")
    assert (refused.code, refused.out, refused.err) == (1, "", told)
    assert done.code == 0


def test_artifacts_are_not_asked_for_when_a_setting_says_so(begun, cli, well):
    assert cli("phase", "complete", "TSK-1").code == 1
    well("config", "set", "workflow.require_artifact_validation", "false")
    assert cli("phase", "complete", "TSK-1").code == 0


@pytest.mark.parametrize("keep", [True, False])
def test_the_end_of_a_session_keeps_its_files_when_a_setting_says_so(begun, cli, well, project, keep):
    well("config", "set", "workflow.sync_files_on_close", str(keep).lower())
    (project / "TASK.md").write_text("x")
    well("phase", "complete", "TSK-1")
    well("session", "end", "TSK-1", "--force", "--yes")
    folder = project / ".orchestrator/sessions" / begun["session_key"] / "artifacts"
    assert (folder / "TASK.md").exists() is keep
    assert well("session", "sync-files", "TSK-1") == f"{folder}/TASK.md\n"
    assert (folder / "TASK.md").read_text() == "x"


def test_files_that_are_kept_as_they_are_are_told_of_once(begun, cli, well, project):
    (project / "TASK.md").write_text("x")
    well("phase", "complete", "TSK-1")
    folder = project / ".orchestrator/sessions" / begun["session_key"] / "artifacts"
    words = ["session", "sync-files", "TSK-1"]
    assert cli(*words) == (0, f"{folder}/TASK.md\n", "")
    assert cli(*words) == (0, f"{folder}/TASK.md\n", "orchestrate: unchanged: TASK.md\n")
    assert json.loads(well(*words, "--json")) == {
        "task_code": "TSK-1",
        "folder": str(folder),
        "files": ["TASK.md"],
        "unchanged": ["TASK.md"],
    }
    (project / "TASK.md").write_text("y")
    assert cli(*words) == (0, f"{folder}/TASK.md\n", "")
    assert (folder / "TASK.md").read_text() == "y"
    (folder / "TASK.md").write_text("z")
    assert cli(*words).err == ""
    assert (folder / "TASK.md").read_text() == "y"
    told = json.loads(well("events", "list", "--type", "orchestration.session.files_synced", "--json"))
    assert [event["payload"]["files"] for event in told] == [["TASK.md"]] * 3


def test_a_session_ends_early_only_by_force_which_warns(begun, cli, well):
    done = cli("session", "end", "TSK-1")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("orchestrate: TSK-1: is in intake, and ends after its last phase: ")
    done = cli("session", "end", "TSK-1", "--force")
    assert (done.code, done.out) == (0, f"{begun['session_key']}: forced; TSK-1 is in_progress\n")
    assert done.err == "orchestrate: TSK-1: is in the middle of intake: the session ends, the task stays open\n"
    assert cli("session", "end", "TSK-1").err == (
        "orchestrate: TSK-1: has no active session: orchestrate session start TSK-1\n"
    )


def test_expect_keeps_a_command_from_being_done_twice(begun, cli, well):
    words = ["phase", "complete", "TSK-1", "--expect", "intake", "--override"]
    assert cli(*words).code == 0
    assert cli(*words) == (1, "", "orchestrate: TSK-1: is in research, not in intake: nothing was done\n")


def test_a_reason_goes_with_an_override(begun, cli):
    assert cli("phase", "complete", "TSK-1", "--reason", "x").code == 2


def test_a_program_runs_only_after_its_repository_is_trusted(task, cli, well, project):
    program = "check_tests_passed: \"sh -c 'echo ran >> ran'\""
    write(project, f"phases:\n  a: {{order: 1, goal: x, validation: {{{program}}}}}\n  b: {{order: 2, goal: y}}\n")
    well("session", "start", "TSK-1")
    done = cli("phase", "complete", "TSK-1")
    assert (done.code, done.out) == (4, "")
    assert "is not run until you trust this repository" in done.err
    assert not (project / "ran").exists()
    trusted = well("trust").splitlines()
    assert trusted[-1] == "  workflow.yaml: phases.a.validation.check_tests_passed: sh -c 'echo ran >> ran' is run"
    path = project / ".orchestrator/workflow.yaml"
    path.write_text(path.read_text().replace("goal: x", "goal: z"))
    assert cli("phase", "show", "TSK-1").code == 0
    assert not (project / "ran").exists()
    path.write_text(path.read_text().replace("echo ran", "echo RAN"))
    assert cli("phase", "complete", "TSK-1").code == 4
    path.write_text(path.read_text().replace("echo RAN", "echo ran"))
    assert cli("phase", "complete", "TSK-1").code == 0
    assert (project / "ran").read_text() == "ran\n"


def on_a_terminal(project, answer, *words):
    """Run `orchestrate WORDS` on a terminal where somebody types `answer`: (exit code, all it says)."""
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "orchestrate", *words]
    env = {**os.environ, "PYTHONPATH": str(REPO)}
    process = subprocess.Popen(command, cwd=project, env=env, stdin=child, stdout=child, stderr=child)
    os.close(child)
    os.write(parent, answer.encode())
    said = b""
    try:
        while chunk := os.read(parent, 4096):
            said += chunk
    except OSError:  # EIO: the other side is closed
        pass
    os.close(parent)
    return process.wait(timeout=60), said.decode()


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "code", "phase"), [("y\n", 0, "last"), ("n\n", 1, "review")])
def test_a_terminal_is_asked_for_the_approval(task, well, project, answer, code, phase):
    write(project, REVIEW)
    well("session", "start", "TSK-1")
    ended, said = on_a_terminal(project, answer, "phase", "complete", "TSK-1")
    assert (ended, session(well)["current_phase"]) == (code, phase)
    assert "approve the review of TSK-1?" in said


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "code", "active"), [("y\n", 0, False), ("n\n", 130, True)])
def test_a_terminal_is_asked_before_a_session_is_cut_short(begun, well, project, answer, code, active):
    ended, said = on_a_terminal(project, answer, "session", "end", "TSK-1", "--force")
    assert (ended, session(well)["active"]) == (code, active)
    assert "end it?" in said


def test_approval_is_given_by_the_command_or_by_its_option(task, cli, well, project):
    write(project, REVIEW)
    well("session", "start", "TSK-1")
    told = "✗ User approval missing: give --approve, or run orchestrate phase approve TSK-1\n"
    assert cli("phase", "complete", "TSK-1") == (1, told, "")
    assert cli("phase", "complete", "TSK-1", "--approve", "--expect", "last").code == 1
    assert well("phase", "approve", "TSK-1") == "TSK-1: review is approved\n"
    assert "✓ review completed" in well("phase", "complete", "TSK-1")
    well("session", "start", "TSK-1", "--restart")
    assert "✓ review completed" in well("phase", "complete", "TSK-1", "--approve")


def test_old_names_are_not_in_the_help_but_work(cli):
    out = cli("--help").out
    assert [name for name in ("session-start", "session-end", "phase-complete") if name in out] == []
    assert cli("session-start", "--help").code == 0
