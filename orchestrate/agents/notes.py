"""Word of each child that runs, left where the next start finds it should this process be killed."""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from orchestrate.agents import processes
from orchestrate.agents.sweep import Trace, sweep
from state import codec

_FOLDER = "running"
_FOREIGN_AFTER_S = 86_400  # a note of another boot, container or machine is left alone that long


class Note(NamedTuple):
    boot: str
    owner: int
    owner_started: float
    child: int
    started: float
    marker: str


def leave(user: str, trace: Trace) -> None:
    """Not vital, as the guard knows it all too: a full disk does not stop a run. Not fsynced: a power cut ends all."""
    owner = processes.find(os.getpid())
    started = owner.started if owner else 0.0
    note = Note(processes.boot(), os.getpid(), started, trace.child, trace.started, trace.marker)
    path = _path(user, trace.marker)
    draft = path.with_suffix(".tmp")
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.write_bytes(codec.dumps(note._asdict()))
        draft.replace(path)


def remove(user: str, marker: str) -> None:
    _forget(_path(user, marker))


def sweep_dead(user: str) -> list[int]:
    """End what runs whose process is gone have left behind: the pids that were found. Called before each start."""
    swept: list[int] = []
    for path in sorted(Path(user, _FOLDER).glob("*.json")):
        swept += _sweep_noted(path)
    return swept


def _sweep_noted(path: Path) -> list[int]:
    note = _read(path)
    if note is None or note.boot != processes.boot():
        _drop_old(path)
        return []
    if processes.is_running(note.owner, note.owner_started):
        return []
    swept = sweep(Trace(note.child, note.started, note.marker))
    _forget(path)
    return swept


def _path(user: str, marker: str) -> Path:
    return Path(user, _FOLDER, f"{marker}.json")


def _read(path: Path) -> Note | None:
    try:
        entry = codec.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(entry, dict) or entry.keys() != set(Note._fields):
        return None
    return Note(**entry)


def _drop_old(path: Path) -> None:
    with suppress(FileNotFoundError):
        if time.time() - path.stat().st_mtime > _FOREIGN_AFTER_S:
            _forget(path)


def _forget(path: Path) -> None:
    for each in (path, path.with_suffix(".tmp")):
        with suppress(OSError):
            each.unlink()
