"""Reading on in a session's log: what is new since the last time, once, also after it was copied, cut or rotated."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from state.paths import LOG
from state.session_schema import Position


def start() -> Position:
    return {"offset": 0, "first": "", "last": "", "last_size": 0}


def logs(folder: str) -> list[str]:
    """The logs of a session, the rotated one first."""
    return [path for path in (f"{folder}/{LOG}.1", f"{folder}/{LOG}") if Path(path).is_file()]


def unread(paths: list[str], position: Position) -> list[str] | None:
    """The logs that hold what comes after `position`; None when the log it stood in was cut."""
    for number, path in enumerate(paths):
        if _continues(path, position):
            return paths[number:]
    if any(_begins(path) == position["first"] for path in paths):
        return None
    if not paths:
        return []
    position.update(start())
    return paths[-1:]


def lines(path: str, position: Position) -> Iterator[bytes]:
    """The complete lines after `position`, which moves along; a torn last line waits for its end."""
    if not _continues(path, position):
        position.update(start())
    with Path(path).open("rb") as file:
        file.seek(position["offset"])
        for line in file:
            if not line.endswith(b"\n"):
                return
            _advance(position, line)
            yield line


def _advance(position: Position, line: bytes) -> None:
    if not position["offset"]:
        position["first"] = _digest(line)
    position["offset"] += len(line)
    position["last_size"] = len(line)
    position["last"] = _digest(line)


def _continues(path: str, position: Position) -> bool:
    """The line before the offset is the one read last."""
    if not position["offset"]:
        return True
    with Path(path).open("rb") as file:
        if os.fstat(file.fileno()).st_size < position["offset"]:
            return False
        file.seek(position["offset"] - position["last_size"])
        return _digest(file.read(position["last_size"])) == position["last"]


def _begins(path: str) -> str:
    with Path(path).open("rb") as file:
        return _digest(file.readline())


def _digest(line: bytes) -> str:
    return hashlib.blake2b(line, digest_size=8).hexdigest()
