"""What was kept of a project in the user's own folder, moved into the project's folder.

Hooks may be writing meanwhile. A log is therefore never renamed over another: what the new one lacks is appended to it,
twice, before and after the last hook that still knew the old place can have ended. Interrupted, it is simply run again.
"""

import hashlib
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from state import files, journal, log_folder
from state.paths import LOG
from state.snapshot import SOURCES

STRAGGLERS_S = 2.2  # no hook lives longer than two seconds
STORE = "store.db"
_DERIVED = ("cache", "lock", "lock.pid", log_folder.FILE, f"{STORE}-wal", f"{STORE}-shm")
_CHUNK_LINES = 1000


class Adopted(NamedTuple):
    sessions: int
    config: bool  # the old settings are now the project's
    kept_aside: list[str]  # what both places had, of which the project's own holds


def adopt(old: str, new: str, stragglers_s: float = STRAGGLERS_S) -> Adopted:
    if not Path(old).is_dir():
        return Adopted(0, False, [])
    try:
        sessions = len(list(Path(old, "sessions").glob("*/")))
        config = _has_config(old) and not _has_config(new)
        aside = [path for path in map(str, _moved(old)) if not _take(f"{old}/{path}", f"{new}/{path}")]
        kept = [_put_aside(f"{old}/{path}", new, path) for path in aside]
        if sessions:
            time.sleep(stragglers_s)
            for path in _moved(old):
                if _is_log(path):
                    append_missing(f"{old}/{path}", f"{new}/{path}")
        shutil.rmtree(old)
    except OSError as error:
        raise files.failure(str(error.filename or new), error) from error
    return Adopted(sessions, config, kept)


def append_missing(source: str, target: str) -> None:
    """Every complete line of `source` that `target` has not."""
    known = {_digest(line) for line in _lines(target)}
    chunk: list[bytes] = []
    for line in _lines(source):
        if _digest(line) not in known:
            chunk.append(line)
        if len(chunk) == _CHUNK_LINES:
            journal.append(target, b"\n".join(chunk))
            chunk = []
    if chunk:
        journal.append(target, b"\n".join(chunk))


def _moved(old: str) -> Iterator[Path]:
    for path in sorted(Path(old).rglob("*")):
        relative = path.relative_to(old)
        derived = relative.name in _DERIVED or relative.parts[0] in _DERIVED
        if path.is_file() and not path.is_symlink() and not derived and not _is_fold_of_a_log(path):
            yield relative


def _is_fold_of_a_log(path: Path) -> bool:
    return path.name.startswith("state.json") and path.with_name(LOG).exists()


def _is_log(path: Path) -> bool:
    return path.suffix in (".jsonl", ".log") or path.name in (f"{LOG}.1", "hook-errors.log.1")


def _take(source: str, target: str) -> bool:
    """False when the target is another file, which stays."""
    if _is_log(Path(source)):
        append_missing(source, target)
        return True
    if Path(target).exists():
        return Path(target).read_bytes() == Path(source).read_bytes()
    if Path(source).name == STORE:
        _copy_database(source, target)
    else:
        files.replace(target, Path(source).read_bytes())
    return True


def _copy_database(source: str, target: str) -> None:
    """With what still lies in its write-ahead log."""
    draft = Path(f"{target}.draft")
    draft.unlink(missing_ok=True)
    old, new = sqlite3.connect(source), sqlite3.connect(draft)
    try:
        old.backup(new)
    finally:
        new.close()
        old.close()
    draft.chmod(0o600)
    draft.replace(target)


def _put_aside(source: str, new: str, path: str) -> str:
    kept = f"{new}/backups/adopted/{path}"
    files.replace(kept, Path(source).read_bytes())
    return kept


def _has_config(folder: str) -> bool:
    return any(Path(folder, name).exists() for name in SOURCES)


def _lines(path: str) -> Iterator[bytes]:
    if not Path(path).exists():
        return
    with Path(path).open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield line[:-1]


def _digest(line: bytes) -> bytes:
    return hashlib.blake2b(line, digest_size=16).digest()
