"""Opening a SQLite file: made for this user alone, WAL, migrated; what the user can mend is said in one line."""

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from state.errors import FAILED, LOCK_TIMEOUT, UserError
from state.journal import make_folders
from state.store.values import CHANGED, MENDED

_DAMAGED = f"is damaged: {MENDED}"
_MENDABLE = {
    sqlite3.SQLITE_BUSY: "is locked by another process: try again when it has finished",
    sqlite3.SQLITE_LOCKED: "is locked by another process: try again when it has finished",
    sqlite3.SQLITE_FULL: "the disk is full: make room and try again, nothing was half written",
    sqlite3.SQLITE_READONLY: "cannot be written: check its owner and its permissions",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: check the owner and the permissions of its folder",
    sqlite3.SQLITE_IOERR: "cannot be read or written: check the disk",
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
}
# The one code for all that SQLite does not understand: only what comes of a file that was changed by hand.
_BY_HAND = ("no such table", "no such column", "malformed JSON")
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_RETRY_S = 0.01


@contextmanager
def mendable(path: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        code = _primary(error)
        if code == sqlite3.SQLITE_ERROR and str(error).startswith(_BY_HAND):
            raise UserError(f"{path}: {error}: {CHANGED}") from error
        if code not in _MENDABLE:
            raise
        raise UserError(f"{path}: {_MENDABLE[code]}", LOCK_TIMEOUT if code in _LOCKED else FAILED) from error


def connect(path: str, migrations: Sequence[str], timeout_s: float) -> sqlite3.Connection:
    _create(path)
    with mendable(path):
        connection = sqlite3.connect(path, timeout=timeout_s, isolation_level=None)
        try:
            _use_wal(connection, timeout_s)
            connection.execute("PRAGMA synchronous = NORMAL")
            migrate(connection, path, migrations)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    # IMMEDIATE: a deferred one that reads and then writes fails at once when another writer came between.
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself rolls back when the disk is full
            connection.execute("ROLLBACK")
        raise


def migrate(connection: sqlite3.Connection, path: str, migrations: Sequence[str]) -> None:
    while (version := _version(connection)) != len(migrations):
        if version > len(migrations):
            raise UserError(
                f"{path}: schema {version} is newer than {len(migrations)}, the newest known here: upgrade orchestrate"
            )
        with writing(connection):
            if _version(connection) == version:  # else another process was faster
                for statement in _statements(migrations[version]):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version + 1}")


def _create(path: str) -> None:
    """One that is there is not even opened: to close it would drop the locks that other connections of this process
    hold on it, and who closes his next would take their log away."""
    try:
        make_folders(path.rpartition("/")[0])
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}: check the owner and the permissions of its folder") from error


def _use_wal(connection: sqlite3.Connection, timeout_s: float) -> None:
    """Two processes that open a new file at once: SQLite answers `locked` here without waiting for the busy timeout."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if _primary(error) not in _LOCKED or time.monotonic() >= deadline:
                raise
            time.sleep(_RETRY_S)
        else:
            return


def _statements(script: str) -> Iterator[str]:
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _primary(error: sqlite3.Error) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)  # absent on errors of the module itself
    return None if code is None else code & 0xFF
