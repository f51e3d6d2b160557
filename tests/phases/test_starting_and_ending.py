"""The first and the last step of a task's session."""

import hashlib
import json
import os
import stat
import time
from pathlib import Path

import pytest
from phase_world import made, types

from orchestrate.phases import completing, ending, starting, syncing, tasks, workflows
from orchestrate.phases.completing import Wish
from state.errors import UserError

OVERRIDE = Wish(is_override=True)


def failure(call):
    with pytest.raises(UserError) as caught:
        call()
    return str(caught.value)


def kept(desk, code="TSK-1"):
    return desk.store.tasks.one(code).metadata


def walk(desk, phases=5):
    for _ in range(phases):
        completing.complete(desk, "TSK-1", OVERRIDE)


def later(desk, seconds):
    return desk._replace(now=desk.now + seconds)


def test_a_session_begins_with_the_first_phase(desk, begun):
    when = time.strftime("%Y%m%d_%H%M%S", time.gmtime(desk.now))
    session = {
        "session_key": f"sess_TSK-1_{when}",
        "started_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(desk.now)),
        "current_phase": "intake",
        "active": True,
        "phase_history": [],
    }
    assert (kept(desk)["session"], begun.resuming) == (session, False)
    assert desk.store.tasks.one("TSK-1").status == "in_progress"
    assert sorted(types(desk.store)) == sorted(
        [
            "orchestration.session.start",
            "orchestration.task.status_updated",
            "orchestration.phase.intake.start",
            "intake.start",
            "orchestration.guidance.given",
        ]
    )


def test_an_active_session_goes_on_where_it_was(desk, begun):
    walk(desk, 2)
    again = starting.start(later(desk, 60), "TSK-1")
    assert (again.resuming, again.session.session_key) == (True, begun.session.session_key)
    assert (again.session.current_phase, again.guidance.phase) == ("plan", "plan")
    assert types(desk.store)[-1] == "orchestration.session.resumed"


def test_a_restart_keeps_the_key_and_begins_again(desk, begun):
    walk(desk, 2)
    again = starting.start(later(desk, 60), "TSK-1", starting.RESTART)
    assert (again.session.session_key, again.session.current_phase) == (begun.session.session_key, "intake")
    assert (again.resuming, kept(desk)["session"]["phase_history"]) == (False, [])
    assert [one.outcome for one in desk.store.tasks.sessions("TSK-1")] == [None]


@pytest.mark.parametrize("seconds", [0, 60])
def test_a_new_session_has_a_key_of_its_own_and_ends_the_one_before(desk, begun, seconds):
    again = starting.start(later(desk, seconds), "TSK-1", starting.NEW)
    assert again.session.session_key > begun.session.session_key
    assert [(one.session_key, one.outcome) for one in desk.store.tasks.sessions("TSK-1")] == [
        (begun.session.session_key, "replaced"),
        (again.session.session_key, None),
    ]
    assert types(desk.store).count("orchestration.session.end") == 1


def test_what_an_earlier_session_recorded_proves_nothing_in_the_next(desk, begun, project):
    (project / "TASK.md").write_text("x")
    os.utime(project / "TASK.md", (desk.now + 1,) * 2)
    assert completing.complete(desk, "TSK-1", Wish()).is_done
    after = later(desk, 60)
    starting.start(after, "TSK-1", starting.NEW)
    assert completing.complete(after, "TSK-1", Wish()).findings.failures == ["Required artifact missing: TASK.md"]


def test_an_unknown_task_has_no_session(desk, begun):
    assert failure(lambda: starting.start(desk, "tsk-1")).startswith("tsk-1: no such task")
    desk.store.tasks.create(made("TSK-2"), [])
    assert failure(lambda: completing.complete(desk, "TSK-2", Wish())) == (
        "TSK-2: has no active session: orchestrate session start TSK-2"
    )


def test_the_end_of_the_last_phase_completes_the_task(desk, begun):
    walk(desk)
    before = len(types(desk.store))
    done = ending.end(desk, "TSK-1", is_forced=False)
    task = desk.store.tasks.one("TSK-1")
    session = task.metadata["session"]
    assert (done.outcome, task.status, session["active"], session["current_phase"]) == (
        "completed",
        "completed",
        False,
        "close",
    )
    assert [one["phase"] for one in session["phase_history"]] == [
        "intake",
        "research",
        "plan",
        "execute",
        "review",
        "close",
    ]
    assert sorted(types(desk.store)[before:]) == sorted(
        [
            "orchestration.validation.passed",
            "orchestration.phase.close.end",
            "close.end",
            "orchestration.task.status_updated",
            "orchestration.session.end",
        ]
    )
    assert [one.outcome for one in desk.store.tasks.sessions("TSK-1")] == ["completed"]
    assert failure(lambda: starting.start(desk, "TSK-1")) == (
        "TSK-1: is completed: orchestrate session start TSK-1 --new opens it again"
    )
    assert starting.start(later(desk, 60), "TSK-1", starting.NEW).task.status == "in_progress"


def test_a_session_ends_in_the_middle_only_by_force_and_the_task_stays_open(desk, begun):
    walk(desk, 3)
    told = failure(lambda: ending.end(desk, "TSK-1", is_forced=False))
    assert told.startswith("TSK-1: is in execute, and ends after its last phase: ")
    assert kept(desk)["session"]["active"] is True
    assert ending.unfinished(desk, "TSK-1") == "execute"
    done = ending.end(desk, "TSK-1", is_forced=True)
    assert (done.outcome, done.task.status, kept(desk)["session"]["active"]) == ("forced", "in_progress", False)
    again = starting.start(later(desk, 60), "TSK-1")
    assert (again.resuming, again.session.current_phase) == (False, "intake")


def test_a_session_whose_phase_is_gone_from_the_workflow_ends_by_force(desk, begun):
    other = desk._replace(workflow=desk.workflow._replace(phases=desk.workflow.phases[2:]))
    assert ending.unfinished(other, "TSK-1") == "intake"
    assert ending.end(other, "TSK-1", is_forced=True).outcome == "forced"


def test_the_last_phase_asks_for_what_it_requires(desk, begun, project):
    last = desk.workflow.phase("close")._replace(required=["NOTES.md"])
    strict = desk._replace(workflow=desk.workflow._replace(phases=[*desk.workflow.phases[:-1], last]))
    walk(strict)
    done = ending.end(strict, "TSK-1", is_forced=False)
    assert (done.outcome, done.findings.failures) == ("", ["Required artifact missing: NOTES.md"])
    assert kept(desk)["session"]["active"] is True
    (project / "NOTES.md").write_text("x")
    assert ending.end(strict, "TSK-1", is_forced=False).outcome == "completed"
    assert "NOTES.md" in kept(desk)["artifacts"]


def folder(desk, begun):
    return f"{desk.place.state}/sessions/{begun.session.session_key}/artifacts"


def test_the_files_of_a_session_are_kept_in_its_folder_as_they_are_at_its_end(desk, begun, project, heard):
    for name in ("TASK.md", "CONTEXT.md"):
        (project / name).write_text(name)
        completing.complete(desk, "TSK-1", Wish())
    (project / "TASK.md").write_text("changed since")
    (project / "CONTEXT.md").unlink()
    walk(desk, 3)
    done = ending.end(desk, "TSK-1", is_forced=False)
    assert done.synced.names == ["TASK.md"]
    with open(f"{folder(desk, begun)}/TASK.md") as file:
        assert file.read() == "changed since"
        assert os.fstat(file.fileno()).st_mode & 0o777 == 0o600
    assert kept(desk)["artifacts"]["TASK.md"]["sha256"] == hashlib.sha256(b"changed since").hexdigest()
    assert heard[-1:] == ["CONTEXT.md: CONTEXT.md is gone since it was recorded"]
    assert failure(lambda: completing.complete(desk, "TSK-1", Wish())).endswith("orchestrate session start TSK-1 --new")
    assert "orchestration.session.files_synced" in types(desk.store)


def test_they_stay_where_they_are_where_that_is_switched_off(desk, begun, project):
    off = desk._replace(settings={**desk.settings, "workflow.sync_files_on_close": False})
    (project / "TASK.md").write_text("x")
    walk(off)
    assert ending.end(off, "TSK-1", is_forced=False).synced is None
    assert not os.path.exists(folder(desk, begun))
    assert syncing.by_hand(off, "TSK-1").names == ["TASK.md"]
    assert os.listdir(folder(desk, begun)) == ["TASK.md"]


def test_a_link_in_the_place_of_the_folder_leads_no_file_away(desk, begun, project, tmp_path):
    (project / "TASK.md").write_text("x")
    completing.complete(desk, "TSK-1", Wish())
    (tmp_path / "elsewhere").mkdir()
    os.makedirs(os.path.dirname(folder(desk, begun)))
    os.symlink(tmp_path / "elsewhere", folder(desk, begun))
    assert "leads out of" in failure(lambda: syncing.by_hand(desk, "TSK-1"))
    assert os.listdir(tmp_path / "elsewhere") == []


@pytest.mark.parametrize("make", [lambda path: path.symlink_to("copy"), os.mkfifo])
def test_what_is_no_file_in_the_place_of_a_copy_is_replaced(desk, begun, project, make):
    (project / "TASK.md").write_text("x")
    completing.complete(desk, "TSK-1", Wish())
    target = Path(folder(desk, begun), "TASK.md")
    target.parent.mkdir(parents=True)
    target.with_name("copy").write_text("x")
    make(target)
    assert syncing.by_hand(desk, "TSK-1").copied == ["TASK.md"]
    assert stat.S_ISREG(target.lstat().st_mode)
    assert target.read_text() == "x"
    assert syncing.by_hand(desk, "TSK-1").copied == []


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("nothing.md", "nothing.md: there is no such file"),
        ("../outside.md", "../outside.md: lies outside of the project"),
        ("/etc/passwd", "/etc/passwd: lies outside of the project"),
        ("link.md", "link.md: lies outside of the project"),
        ("empty.md", "empty.md: is no file, or empty"),
        ("folder", "folder: is no file, or empty"),
        ("a\0b", "a\0b: there is no such file"),
    ],
)
def test_only_a_file_of_the_project_is_put_on_record(desk, begun, project, path, told):
    (project.parent / "outside.md").write_text("x")
    (project / "link.md").symlink_to(project.parent / "outside.md")
    (project / "empty.md").touch()
    (project / "folder").mkdir()
    assert failure(lambda: tasks.add_artifact(desk, "TSK-1", path, None)).startswith(told)
    assert "artifacts" not in kept(desk)


def test_hooks_keep_the_commits_of_their_phases(desk, begun, git, repository):
    walk(desk, 3)
    first = git("rev-parse", "HEAD")
    (repository / "new.txt").write_text("x")
    git("add", "new.txt")
    git("commit", "-q", "-m", "work")
    done = completing.complete(desk, "TSK-1", OVERRIDE)
    second = git("rev-parse", "HEAD")
    assert [(one["hash"], one["phase"]) for one in kept(desk)["commits"]] == [(first, "execute"), (second, "execute")]
    assert [one["message"] for one in done.commits] == ["work"]
    assert types(desk.store).count("orchestration.git.commit_captured") == 2


@pytest.mark.parametrize("setting", ["git.enabled", "git.track_commits"])
def test_hooks_keep_nothing_where_git_is_switched_off(desk, begun, repository, setting):
    off = desk._replace(settings={**desk.settings, setting: False})
    walk(off)
    assert "commits" not in kept(desk)


def test_without_git_a_phase_is_completed_and_the_user_told(desk, begun, repository, monkeypatch, heard):
    monkeypatch.setenv("PATH", "")
    walk(desk, 4)
    assert kept(desk)["session"]["current_phase"] == "review"
    assert heard[0].startswith("git.capture_commit_hash: ")


def test_changes_are_written_from_the_history_where_nobody_wrote_them(desk, begun, git, repository):
    walk(desk, 3)
    (repository / "new.txt").write_text("x\n")
    git("add", "new.txt")
    git("commit", "-q", "-m", "work")
    walk(desk, 1)
    done = completing.complete(desk, "TSK-1", Wish())
    assert done.findings.failures == ["User approval missing: give --approve, or run orchestrate phase approve TSK-1"]
    assert done.made == f"{folder(desk, begun)}/CHANGES.md"
    with open(done.made) as file:
        assert "- new.txt" in file.read()
    assert git("status", "--porcelain") == ""


def test_changes_that_somebody_wrote_are_left_as_they_are(desk, begun, git, repository):
    walk(desk, 4)
    (repository / "new.txt").write_text("x\n")
    (repository / "CHANGES.md").write_text("by hand")
    done = completing.complete(desk, "TSK-1", Wish())
    assert done.made is None
    completing.approve(desk, "TSK-1")
    completing.complete(desk, "TSK-1", Wish())
    assert kept(desk)["artifacts"]["CHANGES.md"]["path"] == "CHANGES.md"
    assert (repository / "CHANGES.md").read_text() == "by hand"


def test_an_edit_of_the_workflow_takes_effect_at_once(place):
    assert workflows.load(place).path.endswith("phases/workflow.yaml")
    os.makedirs(place.state)
    path = f"{place.state}/workflow.yaml"
    for second, goal in enumerate(("one", "two", "three")):
        with open(path, "w") as file:
            file.write(f"phases: {{a: {{order: 1, goal: {goal}}}}}")
        os.utime(path, (second, second))  # two edits within one tick of the disk's clock are one
        assert [workflows.load(place).phases[0].goal for _ in range(2)] == [goal, goal]
    os.unlink(path)
    with open(f"{place.state}/workflow.json", "w") as file:
        json.dump({"phases": {"b": {"order": 1, "goal": "x"}}}, file)
    assert workflows.load(place).phases[0].name == "b"


def test_what_was_kept_of_a_workflow_equals_what_was_read(place):
    assert workflows.load(place) == workflows.load(place)


@pytest.mark.parametrize("rubbish", [b"", b"[]", b"{}", b'{"stamp":[]}', b"\xff"])
def test_a_kept_workflow_that_cannot_be_read_is_read_anew(place, rubbish):
    expected = workflows.load(place)
    [cache] = [name for name in os.listdir(f"{place.user}/cache") if name.endswith(".workflow.json")]
    with open(f"{place.user}/cache/{cache}", "wb") as file:
        file.write(rubbish)
    assert workflows.load(place) == expected
