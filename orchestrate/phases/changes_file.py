"""CHANGES.md for a phase that requires it and was given none: made from the git history, in the session's folder."""

from pathlib import Path

from orchestrate.phases import artifacts, hooks
from orchestrate.phases.desk import Desk
from orchestrate.phases.machine import Session
from orchestrate.phases.workflow import Phase
from state import files
from state.errors import UserError
from state.store.task_records import Task

NAME = "CHANGES.md"


def provide(desk: Desk, task: Task, session: Session, phase: Phase) -> str | None:
    """The path of the file that was made; None where there is one, where none is wanted, or git has nothing to tell."""
    if NAME not in phase.required or not desk.settings.get("git.enabled", True):
        return None
    found = artifacts.find(desk.site, task, session, NAME)
    if any(not artifact.is_old and not _is_made(artifact.file) for artifact in found):
        return None
    return _made(desk, task, artifacts.folder_of(desk.place, session))


def _made(desk: Desk, task: Task, folder: str) -> str | None:
    from orchestrate.memory import git_changes  # noqa: PLC0415  start-up cost

    path = f"{folder}/{NAME}"
    try:
        changes = git_changes.collect(hooks.folder(desk), task)
        if not changes.files:
            raise UserError("nothing has changed since the work began")
        files.folder(folder)
        git_changes.write(path, changes.text)
    except UserError as error:
        desk.warn(f"{NAME} is not made: {error}")
        return None
    return path


def _is_made(file: str) -> bool:
    """By us, so that it is made again with what has changed since."""
    return b"<!-- Written by `orchestrate git changes`" in Path(file).read_bytes()[-200:]
