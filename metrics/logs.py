"""The logs of a project: a file under its name, its inode and its size; a rotated one under the same name."""

import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from state.command_log import FILE as COMMANDS
from state.paths import LOG, Place
from state.sessions import known
from state.store import Position

HOOK_ERRORS = "hook-errors.log"
SESSIONS = "sessions"
_ROTATED = ".1"
_HEAD_BYTES = 256
HIDDEN = "-"  # the inode of a log that may not even be looked at


class Log(NamedTuple):
    name: str  # `sessions/<folder>`, `commands.jsonl` or `hook-errors.log`
    path: str
    inode: str
    size: int


def event_logs(place: Place) -> Iterator[Log]:
    """All that events are read from."""
    yield from session_logs(place)
    yield from _family(COMMANDS, f"{place.state}/{COMMANDS}")


def session_logs(place: Place) -> Iterator[Log]:
    """The older file of a session first."""
    for folder in known(place):
        name = f"{SESSIONS}/{folder}".encode("utf-8", "backslashreplace").decode()
        yield from _family(name, f"{place.state}/{SESSIONS}/{folder}/{LOG}")


def hook_error_logs(place: Place) -> Iterator[Log]:
    return _family(HOOK_ERRORS, f"{place.state}/{HOOK_ERRORS}")


def head(file: BinaryIO, read_bytes: int) -> str:
    """A digest of the beginning of what was read: another file that took over the inode has another."""
    file.seek(0)
    return f"{zlib.crc32(file.read(min(read_bytes, _HEAD_BYTES))):08x}"


def is_continued(file: BinaryIO, size: int, position: Position) -> bool:
    """False when the file was cut or replaced since: then it is read from its beginning."""
    return size >= position.read_bytes and head(file, position.read_bytes) == position.head


def _family(name: str, path: str) -> Iterator[Log]:
    for candidate in (path + _ROTATED, path):
        try:
            found = Path(candidate).stat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            yield Log(name, candidate, HIDDEN, -1)
            continue
        if stat.S_ISREG(found.st_mode):  # opening a pipe would wait for its other end
            yield Log(name, candidate, str(found.st_ino), found.st_size)
