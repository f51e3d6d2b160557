"""Working copies of a real repository, which is as it was afterwards."""

import os
import subprocess
from pathlib import Path

import pytest
from made_repo import Repo
from tiers import some

from orchestrate import worktrees
from state.errors import UserError


@pytest.fixture
def repo(project):
    return Repo(project)


@pytest.fixture
def copy(repo, tmp_path):
    path = str(tmp_path / "lab" / "copy")
    commit = worktrees.before(repo.root, "2026-06-01T00:00:00.000Z", os.environ)
    worktrees.make(repo.root, commit.name, path, os.environ)
    return path, commit


def test_it_is_the_commit_before_the_prompt(repo, copy):
    path, commit = copy
    assert (commit.name, commit.how) == (repo.commits[0], "before the prompt")
    assert Path(path, "a.txt").read_text() == "one\n"
    assert not os.path.exists(f"{path}/later.txt")


def test_a_prompt_older_than_the_history_starts_from_head(repo):
    found = worktrees.before(repo.root, "2001-01-01T00:00:00.000Z", os.environ)
    assert (found.name, found.how) == (repo.commits[-1], "head")


def test_without_a_commit_there_is_nothing_to_start_from(tmp_path):
    subprocess.run(["git", "init", "--quiet", str(tmp_path / "empty")], check=True)
    with pytest.raises(UserError, match="no commit to start from"):
        worktrees.before(str(tmp_path / "empty"), "2026-06-01T00:00:00.000Z", os.environ)


def test_what_an_agent_did_is_told_whether_it_was_committed_or_not(repo, copy):
    path, commit = copy
    for name in ("committed.txt", "new.txt"):
        with open(f"{path}/{name}", "w") as file:
            file.write(f"{name}\n")
        if name == "committed.txt":
            repo.git("add", "-A", at=path)
            repo.git("commit", "-qm", "agent", at=path)
    with open(f"{path}/a.txt", "a") as file:
        file.write("changed\n")
    told = worktrees.changes(path, commit.name, os.environ)
    assert [line for line in told.splitlines() if line.startswith("+") and not line.startswith("+++")] == [
        "+changed",
        "+committed.txt",
        "+new.txt",
    ]


@pytest.mark.parametrize(
    "mischief",
    some(
        [
            "git commit -q --allow-empty -m x",
            "git branch -f main HEAD~0; git branch other; git tag stolen",
            "git stash -u; git checkout -q -B main; git commit -q --allow-empty -m y",
            "git push --force origin HEAD:refs/heads/stolen",
            "git worktree prune; git gc -q --prune=now",
            "git config core.hooksPath /tmp; git update-ref refs/heads/main HEAD",
            "git reset -q --hard; git clean -qfdx; rm -rf .git",
        ],
        2,
    ),
)
def test_nothing_an_agent_does_with_git_reaches_the_users_repository(repo, copy, mischief):
    (repo.path / "dirty.txt").write_text("mine\n")
    repo.git("add", "dirty.txt")
    (repo.path / "a.txt").write_text("also mine\n")
    before = repo.state()
    subprocess.run(["sh", "-c", mischief], cwd=copy[0], env=repo.env, capture_output=True, check=False)
    worktrees.remove(copy[0])
    assert repo.state() == before
    assert not os.path.lexists(copy[0])


def test_making_one_writes_nothing_and_runs_none_of_the_users_hooks(repo, tmp_path):
    ran = tmp_path / "ran"
    for name in ("post-checkout", "post-index-change"):
        hook = repo.path / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
        hook.chmod(0o755)
    before = repo.state()
    worktrees.make(repo.root, repo.commits[0], str(tmp_path / "lab" / "copy"), os.environ)
    assert (repo.state(), ran.exists()) == (before, False)
    assert repo.git("worktree", "list").count("\n") == 1


def test_a_git_environment_of_the_callers_leads_nowhere(repo, tmp_path):
    env = {**os.environ, "GIT_DIR": "/nowhere", "GIT_INDEX_FILE": f"{repo.root}/.git/index", "GIT_WORK_TREE": "/"}
    before = repo.state()
    commit = worktrees.before(repo.root, "2026-06-01T00:00:00.000Z", env)
    worktrees.make(repo.root, commit.name, str(tmp_path / "lab" / "copy"), env)
    assert worktrees.changes(str(tmp_path / "lab" / "copy"), commit.name, env) == ""
    assert repo.state() == before


def test_what_cannot_be_written_in_is_removed_all_the_same(tmp_path):
    (tmp_path / "copy" / "locked" / "deep").mkdir(parents=True)
    (tmp_path / "copy" / "locked").chmod(0o500)
    worktrees.remove(str(tmp_path / "copy"))
    assert not (tmp_path / "copy").exists()
