import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from git_world import write

from state.paths import locate
from state.store import open_store

REPO = Path(__file__).resolve().parents[2]
PR = "https://github.com/org/repo/pull/123"


@pytest.fixture
def tasks(repository, cli):
    """A repository with a task; a function that reads the task's metadata."""
    cli("task", "create", "TSK-001", "--title", "Feature Implementation", "--description", "As described.")
    return lambda: metadata(repository)


def metadata(project):
    with open_store(locate(str(project), dict(os.environ))) as store:
        return store.tasks.one("TSK-001").metadata


def events(project, verb):
    """(payload, task, actor) of every event of git's with this verb."""
    with open_store(locate(str(project), dict(os.environ))) as store:
        found = store.events_between("2000", "3000")
        kind = f"orchestration.git.{verb}"
        return [(json.loads(one.payload), one.task, one.actor) for one in found if one.type == kind]


def test_a_commit_is_kept_once_with_its_event(git, cli, repository, tasks):
    name = git("rev-parse", "HEAD")
    assert cli("git", "capture", "TSK-001") == (0, f"{name[:7]}  begin\n", "")
    assert cli("git", "capture", "TSK-001") == (0, f"{name[:7]}  begin  (kept already)\n", "")
    kept = tasks()["commits"]
    assert [(one["hash"], one["short_hash"], one["phase"], one["message"], one["author"]) for one in kept] == [
        (name, name[:7], None, "begin", "Nora Née <nora@example.com>")
    ]
    assert json.loads(cli("git", "capture", "TSK-001", "--json").out) == kept[0]
    assert events(repository, "commit_captured") == [(kept[0], "TSK-001", "user")]


def test_a_commit_captured_has_the_phase_of_the_session(git, cli, repository, tasks):
    cli("session", "start", "TSK-001")
    cli("git", "capture", "TSK-001")
    assert [one["phase"] for one in tasks()["commits"]] == ["intake"]


def test_a_commit_is_kept_once_for_each_phase_as_the_hooks_of_phases_keep_it(git, cli, repository, tasks):
    cli("git", "capture", "TSK-001")
    cli("session", "start", "TSK-001")
    assert cli("git", "capture", "TSK-001", "--json").code == 0
    again = cli("git", "capture", "TSK-001")
    assert (again.code, again.out.endswith("(kept already)\n")) == (0, True)
    assert [one["phase"] for one in tasks()["commits"]] == [None, "intake"]
    assert len(events(repository, "commit_captured")) == 2


def test_a_commit_that_a_phase_makes_is_told_as_one_that_the_command_makes(git, cli, repository, tasks):
    cli("config", "set", "git.auto_commit", "true")
    cli("session", "start", "TSK-001")
    for phase in ("intake", "research", "plan"):
        cli("phase", "complete", "TSK-001", "--expect", phase, "--override", "--reason", "x")
    write(repository, "a.txt", "made\n")
    cli("phase", "complete", "TSK-001", "--expect", "execute", "--override", "--reason", "x")
    name = git("rev-parse", "HEAD")
    ((told, task, actor),) = events(repository, "committed")
    assert (told["commit"]["hash"], told["paths"], told["files"]) == (name, ["a.txt"], 1)
    assert (task, actor) == ("TSK-001", "user")
    assert [one[0]["hash"] for one in events(repository, "commit_captured")][-1] == name


def test_an_earlier_commit_is_captured_by_its_name(git, cli, repository, tasks):
    first = git("rev-parse", "HEAD")
    write(repository, "a.txt", "x\n")
    git("commit", "-q", "-am", "second")
    assert cli("git", "capture", "TSK-001", "--commit", "HEAD~1").out == f"{first[:7]}  begin\n"
    assert cli("git", "capture", "TSK-001", "--commit", "--all").code == 3
    assert len(tasks()["commits"]) == 1


def test_a_pull_request_is_linked_once(cli, repository, tasks):
    assert cli("git", "link-pr", "TSK-001", f"{PR}/files#x") == (0, f"TSK-001: {PR}\n", "")
    linked = tasks()["pull_request"]
    assert (linked["url"], linked["number"], len(linked["linked_at"])) == (PR, 123, 20)
    assert json.loads(cli("git-link-pr", "TSK-001", PR, "--json").out) == linked
    assert events(repository, "pr_linked") == [({**linked, "replaces": None}, "TSK-001", "user")]
    cli("git-link-pr", "TSK-001", "https://gitlab.com/g/p/-/merge_requests/9")
    assert tasks()["pull_request"]["number"] == 9
    assert events(repository, "pr_linked")[1][0]["replaces"] == PR


def test_what_is_no_pull_request_is_a_mistake_of_usage(cli, repository, tasks):
    token = "ghp_" + "a" * 36
    for url in ("https://example.com/x", f"https://{token}@github.com/org/repo/pull/1"):
        ran = cli("git", "link-pr", "TSK-001", url)
        assert (ran.code, "expected https://HOST/OWNER/REPOSITORY/pull/N" in ran.err) == (2, True)
        assert token not in ran.err
    assert "pull_request" not in tasks()


def test_changes_are_printed_and_written(git, cli, repository, tasks):
    head = git("rev-parse", "HEAD")
    write(repository, "a.txt", "a\nb\n")
    ran = cli("git", "changes", "TSK-001")
    assert "**Task**: Feature Implementation (TSK-001)\n" in ran.out
    assert "## Overview\nAs described.\n\n## Modified Files\n- a.txt\n" in ran.out
    assert ran.err == f"git: compared with {head[:7]} (where it left main)\n"
    assert not (repository / "CHANGES.md").exists()
    path = repository / "CHANGES.md"
    assert cli("git", "changes", "TSK-001", "--write").out == f"{path}: written\n"
    assert cli("git", "changes", "TSK-001", "--write").out == f"{path}: is up to date\n"
    assert path.read_text().startswith(ran.out)
    assert events(repository, "changes_written") == [
        ({"path": "CHANGES.md", "base": head, "files": 1}, "TSK-001", "user")
    ]
    told = json.loads(cli("git", "changes", "TSK-001", "--json").out)
    assert told == {
        "text": ran.out,
        "base": {"hash": head, "why": "where it left main"},
        "files": 1,
        "written": False,
    }


def test_changes_of_somebodys_own_are_not_overwritten(cli, repository, tasks):
    write(repository, "CHANGES.md", "mine\n")
    ran = cli("git", "changes", "TSK-001", "--write")
    assert (ran.code, (repository / "CHANGES.md").read_text()) == (4, "mine\n")
    assert events(repository, "changes_written") == []


def test_a_commit_is_made_and_kept(git, cli, repository, tasks):
    write(repository, "a.txt", "x\n")
    write(repository, "new.txt", "x\n")
    ran = cli("git", "commit", "TSK-001")
    name = git("rev-parse", "HEAD")
    assert ran == (0, f"{name[:7]}  feat: Feature Implementation [TSK-001]\n  a.txt\n", "")
    cli("git", "commit", "TSK-001", "-m", "new too", "--path", "new.txt")
    assert git("log", "--format=%s").splitlines() == ["new too", "feat: Feature Implementation [TSK-001]", "begin"]
    assert [one["message"] for one in tasks()["commits"]] == ["feat: Feature Implementation [TSK-001]", "new too"]
    told = events(repository, "committed")[0][0]
    assert (told["commit"]["hash"], told["paths"], told["files"]) == (name, ["a.txt"], 1)


def test_the_hooks_that_check_are_passed_over_when_that_is_said(git, cli, repository, tasks):
    write(repository, ".git/hooks/commit-msg", "#!/bin/sh\nexit 1\n").chmod(0o755)
    write(repository, "a.txt", "x\n")
    assert cli("git", "commit", "TSK-001").code == 4
    assert cli("git", "commit", "TSK-001", "--no-verify").code == 0


def test_the_template_is_a_setting(git, cli, repository, tasks):
    assert cli("config", "set", "git.commit_message_template", "{task_code}: {task_title}").code == 0
    write(repository, "a.txt", "x\n")
    assert cli("git", "commit", "TSK-001").code == 0
    assert git("log", "-1", "--format=%s") == "TSK-001: Feature Implementation"
    ran = cli("config", "set", "git.commit_message_template", "{title}")
    assert (ran.code, "no placeholder named 'title'" in ran.err) == (1, True)


def test_commits_are_not_kept_with_tracking_off(git, cli, repository, tasks, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_GIT__TRACK_COMMITS", "false")
    write(repository, "a.txt", "x\n")
    assert cli("git", "commit", "TSK-001").code == 0
    assert "commits" not in tasks()
    assert cli("git", "capture", "TSK-001").code == 0  # asked for, it is done
    assert len(tasks()["commits"]) == 1


WORDS = [["capture", "T"], ["link-pr", "T", PR], ["changes", "T"], ["commit", "T"], ["status"]]


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words[0])
def test_nothing_is_done_with_git_switched_off(cli, repository, monkeypatch, words):
    monkeypatch.setenv("ORCHESTRATOR_GIT__ENABLED", "no")
    line = "orchestrate: git.enabled is false: `orchestrate config set git.enabled true`\n"
    assert cli("git", *words) == (4, "", line)


@pytest.mark.parametrize("words", WORDS[:-1], ids=lambda words: words[0])
def test_a_task_that_is_none_is_not_found(cli, repository, words):
    ran = cli("git", *words)
    assert (ran.code, "T: no such task" in ran.err) == (3, True)


def test_the_status_is_told_in_both_forms(git, cli, repository):
    write(repository, "a.txt", "x\n")
    write(repository, os.fsdecode(b"\xff\x1b[31m"), "x\n")
    name = git("rev-parse", "--short=7", "HEAD")
    assert cli("git", "status").out == f"main at {name}\nmodified   a.txt\nuntracked  \\xff\\x1b[31m\n"
    assert json.loads(cli("git", "status", "--json").out) == {
        "branch": "main",
        "modified": ["a.txt"],
        "added": [],
        "deleted": [],
        "untracked": ["\\xff\\x1b[31m"],
    }
    git("checkout", "-q", "--detach")
    assert json.loads(cli("git", "status", "--json").out)["branch"] is None
    assert cli("git", "status").out.startswith(f"detached HEAD at {name}\n")


def test_without_a_commit_there_is_one_line(cli, empty):
    assert cli("git", "status") == (0, "main, no commit yet\n", "")
    cli("task", "create", "TSK-001", "--title", "t")
    assert cli("git", "capture", "TSK-001") == (1, "", f"orchestrate: {empty}: has no commit yet: make one first\n")
    ran = cli("git", "changes", "TSK-001")
    assert (ran.code, ran.err.split(" (")[1]) == (0, "an empty tree: there is no commit yet)\n")


def test_without_a_repository_there_is_one_line(cli, project, git):
    (project / ".git").rmdir()
    (project / "workflow.yaml").touch()
    line = f"orchestrate: {project}: is in no git repository: go to one, or make one (`git init`)\n"
    assert cli("git", "status") == (1, "", line)


def test_the_worktree_that_is_worked_in_is_asked(git, cli, repository, tasks, tmp_path):
    linked = tmp_path / "linked"
    git("worktree", "add", "-q", "-b", "feature", str(linked))
    write(linked, "a.txt", "x\n")
    git("commit", "-q", "-am", "on feature", cwd=linked)
    run = [sys.executable, "-m", "orchestrate", "git"]
    env = {**os.environ, "PYTHONPATH": str(REPO)}
    subprocess.run([*run, "capture", "TSK-001"], cwd=linked, env=env, check=True)
    assert [one["message"] for one in tasks()["commits"]] == ["on feature"]
    subprocess.run([*run, "changes", "TSK-001", "--write"], cwd=linked, env=env, check=True)
    assert (linked / "CHANGES.md").exists()
    assert not (repository / "CHANGES.md").exists()


def test_a_repository_does_not_switch_automatic_commits_on(cli, repository, home):
    own = Path(repository, ".orchestrator")
    own.mkdir()
    (home / ".orchestrator").mkdir(exist_ok=True)
    (own / "config.yaml").write_text("git: {auto_commit: true}\n")
    ran = cli("config", "get", "git.auto_commit")
    assert (ran.out, "git.auto_commit: True is ignored until you trust this repository" in ran.err) == ("false\n", True)
