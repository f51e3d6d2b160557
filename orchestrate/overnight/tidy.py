"""Worktrees that nobody needs any more: their jobs have ended, and the project has the commit that they stand at."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrate import worktrees
from orchestrate.overnight.job import ENDED, Job
from state.errors import UserError


def remove(folder: str, jobs: Sequence[Job], env: Mapping[str, str]) -> list[str]:
    """The codes of those that were removed. What the user has not fetched stays, however old it is."""
    removed = []
    known = {job.code: job for job in jobs}
    for name in sorted(one.name for one in Path(folder).iterdir()) if Path(folder).is_dir() else ():
        job, path = known.get(name), f"{folder}/{name}"
        if job and job.status in ENDED and worktrees.is_had(job.project, f"{path}/tree", env) and _is_gone(path):
            removed.append(name)
    return removed


def _is_gone(path: str) -> bool:
    try:
        worktrees.remove(path)
    except UserError:  # files of another user: they are told of where they stand in the way
        return False
    return True
