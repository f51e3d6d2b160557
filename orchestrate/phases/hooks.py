"""What a phase has done when it starts or ends. Nothing here may stop a phase: what does not work is told."""

import os
from collections.abc import Callable, Mapping
from typing import NamedTuple

from orchestrate.phases import hook_names
from orchestrate.phases.desk import Desk, Told
from orchestrate.phases.workflow import Phase
from state.errors import UserError
from state.store.task_records import Metadata, Task


class Captured(NamedTuple):
    kept: list[Metadata]  # the commits that the task did not have of this phase
    told: list[Told]  # of those, and of the commits that were made


Hook = Callable[[Desk, Task, Phase, list[Told]], Metadata | None]
NOTHING = Captured([], [])


def commits(desk: Desk, task: Task, phase: Phase, when: str) -> Captured:
    """What the hooks of this moment capture."""
    found = Captured([], [])
    known = {(one["hash"], one["phase"]) for one in task.metadata.get("commits", [])}
    for name in phase.hooks.get(when, ()):
        try:
            commit = HOOKS[name](desk, task, phase, found.told)
        except UserError as error:
            desk.warn(f"{name}: {error}")
            continue
        if commit and (commit["hash"], commit["phase"]) not in known:
            known.add((commit["hash"], commit["phase"]))
            found.kept.append(commit)
            found.told.append(("orchestration.git.commit_captured", ("task", task.code), dict(commit)))
    return found


def folder(desk: Desk) -> str:
    """Where git is asked: in the worktree that the user works in."""
    from orchestrate.memory import git_repository  # noqa: PLC0415  start-up cost

    return git_repository.where(desk.place, desk.cwd, os.environ.get("HOME", ""))


def _head(desk: Desk, _task: Task, phase: Phase, _told: list[Told]) -> Metadata | None:
    from orchestrate.memory import git_capture  # noqa: PLC0415  start-up cost

    return git_capture.at_phase(folder(desk), phase.name, desk.settings)


def _final(desk: Desk, task: Task, phase: Phase, told: list[Told]) -> Metadata | None:
    """With what `git.auto_commit` commits first."""
    from orchestrate.memory import git_commit  # noqa: PLC0415  start-up cost

    try:
        made = git_commit.auto(folder(desk), task, phase.name, desk.settings)
    except UserError as error:
        desk.warn(f"git.auto_commit: {error}")
        made = None
    if made:
        told.append(("orchestration.git.committed", ("task", task.code), git_commit.as_told(made)))
    for path in made.left_out if made else ():
        desk.warn(f"git.auto_commit: {path} is left to you: something else of it is staged")
    return _head(desk, task, phase, told)


HOOKS: Mapping[str, Hook] = {hook_names.COMMIT_HASH: _head, hook_names.FINAL_COMMIT: _final}
