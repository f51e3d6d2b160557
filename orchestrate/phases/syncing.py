"""The artifacts of a session, copied to its own folder, where they stay when the work goes on."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from orchestrate.phases import artifacts, machine
from orchestrate.phases.artifacts import Artifact
from orchestrate.phases.desk import Desk, Told
from orchestrate.phases.machine import Session
from state import files, journal
from state.errors import REFUSED, UserError
from state.store.task_records import Metadata, Task


class Synced(NamedTuple):
    names: list[str]
    folder: str
    changed: Mapping[str, Metadata]  # what has another content than was recorded
    copied: list[str]  # of the names, those whose copy was not so already


def sync(desk: Desk, task: Task, session: Session) -> Synced:
    """What is gone since it was recorded is told, and is no failure."""
    folder = artifacts.folder_of(desk.place, session)
    synced = Synced([], folder, changed := {}, [])
    entries: Mapping[str, Metadata] = task.metadata.get("artifacts", {})
    for name, entry in entries.items():
        if not artifacts.is_of(entry, session):
            continue
        file = artifacts.still_there(desk.site, entry)
        if file is None:
            desk.warn(f"{name}: {entry.get('path')} is gone since it was recorded")
            continue
        here = Artifact(name, str(file), str(entry["path"]))
        now = artifacts.recorded(here, entry.get("phase"), session.session_key, desk.now)
        if now["sha256"] != entry.get("sha256"):
            changed[name] = {**entry, **now}
        synced.names.append(name)
        if _copy(desk, file, Path(folder, name), str(now["sha256"])):
            synced.copied.append(name)
    return synced


def told(session: Session, synced: Synced) -> list[Told]:
    if not synced.copied:
        return []
    payload: dict[str, object] = {"session_key": session.session_key, "files": synced.copied}
    return [("orchestration.session.files_synced", ("session", session.session_key), payload)]


def by_hand(desk: Desk, code: str) -> Synced:
    """For the last session that the task had."""
    task = desk.store.tasks.one(code)
    session = machine.session_of(task)
    if session is None:
        raise UserError(f"{code}: has had no session: orchestrate session start {code}")
    synced = sync(desk, task, session)
    desk.store.emit(desk.events(task, session.session_key, told(session, synced)))
    return synced


def _copy(desk: Desk, file: Path, target: Path, sha256: str) -> bool:
    """Whether that changed anything."""
    journal.refuse_link(f"{desk.place.state}/sessions")
    files.folder(str(target.parent))
    sessions = Path(desk.place.state, "sessions").resolve()
    if not target.parent.resolve().is_relative_to(sessions):
        raise UserError(f"{target.parent}: leads out of {sessions}: remove the link", REFUSED)
    is_file = target.is_file() and not target.is_symlink()  # a link is no copy, and a FIFO is not to be waited for
    if is_file and (target.samefile(file) or artifacts.measured(str(target))[0] == sha256):
        return False
    draft = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    try:
        shutil.copyfile(file, draft)
        draft.chmod(0o600)
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise files.failure(str(target), error) from error
    return True
