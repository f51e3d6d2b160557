"""Real repositories, made by real git."""

import os
import subprocess
from pathlib import Path

import pytest

from state.store.task_records import Task

NOW = "2026-11-21T05:53:00.000Z"


@pytest.fixture
def git(home, project, monkeypatch):
    """Run git for real, as somebody with a name; stdout, stripped."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    (home / ".gitconfig").write_text(
        "[user]\n name = Nora Née\n email = nora@example.com\n[init]\n defaultBranch = main\n"
        '[protocol "file"]\n allow = always\n'
        "[maintenance]\n auto = false\n"  # newer git does it behind the back of who commits
    )

    def run(*words, cwd=project, given=b"", env=None):
        done = subprocess.run(
            ["git", *words], cwd=cwd, input=given, capture_output=True, check=True, env={**os.environ, **(env or {})}
        )
        return os.fsdecode(done.stdout).strip()

    return run


@pytest.fixture
def empty(git, project):
    """A repository without a commit."""
    (project / ".git").rmdir()
    git("init", "-q")
    return project


@pytest.fixture
def repository(git, empty):
    """Three files in one commit."""
    write(empty, "a.txt", "a\n")
    write(empty, "src/b.txt", "b\n" * 10)
    write(empty, "src/c.txt", "c\n")
    git("add", "--all")
    git("commit", "-q", "-m", "begin\n\nand more of it")
    return empty


def write(folder, name, text):
    path = Path(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def task(code="TSK-001", **fields):
    values = {"title": "Feature Implementation", "description": "Task description here...", "sprint": None}
    values |= {"status": "in_progress", "priority": "P1", "metadata": {}, "created_at": NOW, "updated_at": NOW}
    return Task(code=code, **{**values, **fields})


def racy(git, folder):
    """Change `a.txt` so that only what it holds is different: git has to look, for the index is no newer than it."""
    git("config", "core.trustCtime", "false")
    git("config", "core.checkStat", "minimal")
    old = (1_700_000_000, 1_700_000_000)
    os.utime(folder / "a.txt", old)
    git("update-index", "--refresh")
    write(folder, "a.txt", "b\n")
    for name in ("a.txt", ".git/index"):
        os.utime(folder / name, old)
