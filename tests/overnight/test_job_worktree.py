"""The branch of a job in its own working copy, and what is kept of an agent that is done."""

import os
from pathlib import Path

import pytest
from made_repo import Repo

from orchestrate import worktrees
from orchestrate.overnight import kept, tidy
from orchestrate.overnight.kept import Made
from state.errors import UserError
from state.store.night_records import Job

MADE = Made("b" * 40, "r-1", "e-1", "claude-haiku-5-5", "/answer.md", ("a or b?",), 12.0)


@pytest.fixture
def repo(project):
    return Repo(project)


@pytest.fixture
def tree(repo, tmp_path):
    path = str(tmp_path / "job" / "tree")
    worktrees.make(repo.root, repo.commits[-1], path, os.environ)
    worktrees.begin_branch(path, "overnight/J-1", os.environ)
    return path


def kept_as(repo, tree, message="done"):
    return worktrees.keep(tree, "overnight/J-1", repo.commits[-1], message, os.environ)


def test_all_that_was_changed_is_one_commit_on_its_branch(repo, tree):
    before = repo.state()
    Path(tree, "new.txt").write_text("new\n")
    Path(tree, "a.txt").unlink()
    made = kept_as(repo, tree, "done")
    assert repo.git("log", "--format=%H %s", f"{repo.commits[-1]}..overnight/J-1", at=tree) == f"{made} done\n"
    assert repo.git("show", "--format=", "--name-status", made, at=tree).split() == ["D", "a.txt", "A", "new.txt"]
    assert repo.git("status", "--porcelain", at=tree) == ""
    assert repo.state() == before


def test_what_the_agent_committed_itself_stays_below_the_rest(repo, tree):
    Path(tree, "one.txt").write_text("one\n")
    repo.git("checkout", "-q", "-b", "its-own", at=tree)
    repo.git("add", ".", at=tree)
    repo.git("commit", "-qm", "by the agent", at=tree)
    Path(tree, "two.txt").write_text("two\n")
    kept_as(repo, tree, "the rest")
    told = repo.git("log", "--format=%s", f"{repo.commits[-1]}..overnight/J-1", at=tree)
    assert told.splitlines() == ["the rest", "by the agent"]


def test_nothing_changed_is_nothing_kept(repo, tree):
    assert kept_as(repo, tree) is None


def test_what_was_committed_and_taken_back_is_nothing(repo, tree):
    Path(tree, "one.txt").write_text("one\n")
    repo.git("add", ".", at=tree)
    repo.git("commit", "-qm", "one", at=tree)
    repo.git("rm", "-q", "one.txt", at=tree)
    assert kept_as(repo, tree) is None


def test_a_reset_leaves_what_git_ignores_and_nothing_else(repo, tree):
    Path(tree, ".gitignore").write_text("built/\n")
    made = kept_as(repo, tree)
    Path(tree, "built").mkdir()
    Path(tree, "built/x").write_text("x")
    Path(tree, "dirt.txt").write_text("x")
    Path(tree, "a.txt").write_text("x")
    worktrees.reset(tree, made, os.environ)
    assert sorted(os.listdir(tree)) == [".git", ".gitignore", "a.txt", "built", "later.txt"]
    assert Path(tree, "a.txt").read_text() == "one\n"


def test_a_worktree_without_its_git_never_touches_the_repository_around_it(tmp_path):
    around = Repo(tmp_path / "around")
    tree = str(around.path / "inner/tree")
    worktrees.make(around.root, around.commits[-1], tree, os.environ)
    worktrees.remove(f"{tree}/.git")
    before = around.state()
    with pytest.raises(UserError, match="not a git repository"):
        worktrees.keep(tree, "overnight/J-1", around.commits[-1], "done", os.environ)
    assert around.state() == before


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "job/tree/.git").mkdir(parents=True)
    return str(tmp_path / "job")


def test_what_an_agent_has_made_is_there_for_the_next_night(folder):
    kept.keep(folder, "j", MADE)
    assert kept.read(folder, "j") == MADE


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"v":1,"job":"j"}', b'{"v":2,"job":"j"}'])
def test_what_cannot_be_understood_was_never_made(folder, raw):
    Path(folder, kept.FILE).write_bytes(raw)
    assert kept.read(folder, "j") is None


def test_another_jobs_work_is_not_this_ones(folder):
    kept.keep(folder, "another", MADE)
    assert kept.read(folder, "j") is None


def test_without_its_worktree_it_has_made_nothing(folder):
    kept.keep(folder, "j", MADE)
    worktrees.remove(f"{folder}/tree")
    assert kept.read(folder, "j") is None


def test_what_is_forgotten_is_gone(folder):
    kept.keep(folder, "j", MADE)
    kept.forget(folder)
    kept.forget(folder)
    assert kept.read(folder, "j") is None


def job(status, code="J-1", project=""):
    fields = dict.fromkeys(Job._fields)
    return Job(**{**fields, "code": code, "status": status, "project": project})


@pytest.mark.parametrize(
    ("status", "is_fetched", "dirt", "is_gone"),
    [
        ("shipped", True, False, True),
        ("shipped", False, False, False),
        ("shipped", True, True, False),
        ("failed", True, False, True),
        ("queued", True, False, False),
        ("running", True, False, False),
    ],
)
def test_a_worktree_goes_when_its_job_has_ended_and_the_user_has_its_work(
    repo, tmp_path, status, is_fetched, dirt, is_gone
):
    folder = tmp_path / "overnight"
    tree = str(folder / "J-1/tree")
    worktrees.make(repo.root, repo.commits[-1], tree, os.environ)
    worktrees.begin_branch(tree, "overnight/J-1", os.environ)
    Path(tree, "new.txt").write_text("new\n")
    kept_as(repo, tree)
    if is_fetched:
        repo.git("fetch", "-q", tree, "overnight/J-1:overnight/J-1")
    if dirt:
        Path(tree, "dirt.txt").write_text("dirt")
    assert tidy.remove(str(folder), [job(status, project=repo.root)], os.environ) == (["J-1"] if is_gone else [])
    assert Path(tree).exists() is not is_gone


def test_what_is_of_no_job_is_left_alone(repo, tmp_path):
    (tmp_path / "overnight/J-9").mkdir(parents=True)
    assert tidy.remove(str(tmp_path / "overnight"), [job("shipped", project=repo.root)], os.environ) == []
    assert tidy.remove(str(tmp_path / "none"), [], os.environ) == []
