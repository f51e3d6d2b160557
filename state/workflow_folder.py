"""The folder that workflows lie in, and what trust remembers of a repository's own: every file in it."""

import hashlib
import os
import stat
from collections.abc import Iterator

from state.errors import UserError
from state.files import failure

FOLDER = "workflows"
SUFFIXES = (".yaml", ".json")
SIZE_MOST = 4 << 20


def digest(state: str) -> str:
    """Of all files that could be loaded; empty where there is none."""
    found = hashlib.sha256()
    count = 0
    for path in sorted(_paths(f"{state}/{FOLDER}")):
        raw = read(path)
        if raw is not None:
            found.update(f"{path.removeprefix(state)}\0{len(raw)}\0".encode() + raw)
            count += 1
    return found.hexdigest() if count else ""


def read(path: str) -> bytes | None:
    """A regular file that is not too large to be a workflow; None when it is none. Never waits, whatever lies there."""
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except (FileNotFoundError, ValueError):
        return None
    except OSError as error:
        raise failure(path, error, "read") from error
    try:
        _check(path, os.fstat(fd))
        with os.fdopen(fd, "rb", closefd=False) as file:
            return file.read(SIZE_MOST + 1)
    finally:
        os.close(fd)


def _check(path: str, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise UserError(f"{path}: is no file: a workflow is one")
    if found.st_size > SIZE_MOST:
        raise UserError(f"{path}: larger than {SIZE_MOST >> 20} MiB: this is no workflow")


def _paths(folder: str) -> Iterator[str]:
    for below, _, names in os.walk(folder):
        for name in names:
            path = f"{below}/{name}"
            if name.endswith((*SUFFIXES, ".yml")) and _is_small_file(path):
                yield path


def _is_small_file(path: str) -> bool:
    """Links are not followed: what they lead to is not loaded either."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size <= SIZE_MOST
