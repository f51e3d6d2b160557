"""The state file itself: replaced with its last three versions kept, and brought back when it is damaged."""

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

import orjson

from state import files, journal, log, session_schema
from state.errors import NOT_FOUND, UserError
from state.paths import Place, session_dir
from state.session_schema import SessionState

FILE = "state.json"
BACKUPS = 3


def store(folder: str, state: SessionState) -> None:
    """Under the session's lock. There is no moment without a whole state.json."""
    path = f"{folder}/{FILE}"
    for draft in Path(folder).glob(f"{FILE}.*.tmp"):  # of writers that were killed
        draft.unlink(missing_ok=True)
    try:
        _rotate(path)
    except OSError as error:
        raise files.failure(path, error) from error
    files.replace(path, orjson.dumps(state))


def read(place: Place, session: str) -> SessionState | None:
    """The state as stored, else as the newest good backup has it; None when there is neither. Under the lock."""
    folder = session_dir(place, session)
    raw = files.read(f"{folder}/{FILE}")
    state = None if raw is None else session_schema.parse(raw)
    if raw is not None and state is None:
        set_aside(place, session, "corrupt")
    return state or newest_backup(folder)


def exists(folder: str) -> bool:
    return Path(f"{folder}/{FILE}").exists()


def set_aside(place: Place, session: str, why: str) -> None:
    """Keep the file under another name, and say so in the session's log."""
    path = f"{session_dir(place, session)}/{FILE}"
    now = time.time()
    kept_as = f"{FILE}.{why}-{time.strftime('%Y%m%dT%H%M%S', time.gmtime(now))}-{os.urandom(2).hex()}"
    entity = ("session", session)
    payload: dict[str, object] = {"file": FILE, "kept_as": kept_as, "overhead_ms": 0.0}
    entry = journal.event(place, "orchestration.state.recovered", session, None, entity, payload, now, actor="cli")
    log.tell("warning" if why == "corrupt" else "info", "state.recovered", session=session, file=FILE, kept_as=kept_as)
    try:
        Path(path).rename(Path(path).with_name(kept_as))
        journal.record(place, entry)
    except OSError as error:
        raise files.failure(path, error) from error


def newest_backup(folder: str) -> SessionState | None:
    found = (backup(folder, number) for number in range(1, BACKUPS + 1))
    return next((state for state in found if state is not None), None)


def backup(folder: str, number: int) -> SessionState | None:
    raw = files.read(f"{folder}/{FILE}.{number}")
    return None if raw is None else session_schema.parse(raw)


def require_backup(folder: str, number: int) -> SessionState:
    found = backup(folder, number)
    if found is None:
        raise UserError(f"{folder}/{FILE}.{number}: no such backup, or it is damaged itself", NOT_FOUND)
    return found


def _rotate(path: str) -> None:
    for number in range(BACKUPS, 1, -1):
        with suppress(FileNotFoundError):
            Path(f"{path}.{number - 1}").replace(f"{path}.{number}")
    if not Path(path).exists():
        return
    copy = f"{path}.copy.tmp"
    try:
        os.link(path, copy)
    except OSError:  # a file system without hard links
        shutil.copyfile(path, copy)
    Path(copy).replace(f"{path}.1")
