"""Commits as they are kept with a task: document 001's record of one."""

import time
from collections.abc import Mapping

from orchestrate.memory import git_repository
from orchestrate.memory.git_repository import Repository
from state import redact
from state.snapshot import Value

Record = dict[str, str | None]

MOST = 200


def capture(folder: str, phase: str | None) -> Record | None:
    """HEAD where the user works; None where there is no repository, or no commit in it yet."""
    repository = git_repository.around(folder)
    found = git_repository.head(repository) if repository else None
    return record(repository, found, phase) if repository and found else None


def at_phase(folder: str, phase: str, settings: Mapping[str, Value]) -> Record | None:
    """What the hooks of a phase keep: `capture`, unless the settings say that there is nothing to keep."""
    return capture(folder, phase) if settings["git.enabled"] and settings["git.track_commits"] else None


def record(repository: Repository, found: str, phase: str | None, now: float | None = None) -> Record:
    """`found`: a hash that was verified."""
    commit = git_repository.commit(repository, found)
    return {
        "hash": commit.hash,
        "short_hash": commit.hash[:7],
        "captured_at": stamp(time.time() if now is None else now),
        "phase": phase,
        "message": redact.redact(commit.subject),
        "author": commit.author,
    }


def stamp(now: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
