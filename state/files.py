"""Files that are replaced, never edited, and the one line a user gets when the disk says no."""

import errno
import os
import stat
from pathlib import Path

from state.errors import UserError
from state.journal import make_folders

_REMEDY = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some of your quota",
    errno.EROFS: "the file system is mounted read-only",
    errno.EACCES: "check who owns it and its mode",
    errno.EPERM: "check who owns it and its mode",
    errno.ENOTDIR: "a file stands where a folder is needed",
    errno.EEXIST: "a file stands where a folder is needed",
    errno.EISDIR: "a folder stands where a file is needed",
}


def replace(path: str, data: bytes) -> None:
    """Write beside, fsync, rename, fsync the folder: a reader sees the old bytes or the new ones, a crash likewise."""
    draft = f"{path}.{os.getpid()}.tmp"
    parent = str(Path(path).parent)
    folder(parent)
    try:
        _write(draft, data)
        Path(draft).replace(path)
        sync_folder(parent)
    except OSError as error:
        Path(draft).unlink(missing_ok=True)
        raise failure(path, error) from error


def folder(path: str) -> None:
    """`path` and what is missing above it, for this user alone."""
    try:
        make_folders(path)
    except OSError as error:
        raise failure(path, error) from error
    if not Path(path).is_dir():
        raise failure(path, NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)))


def read(path: str) -> bytes | None:
    """The whole file, or None when there is none. A link in a repository may lead to what has no end."""
    try:
        kind = stat.S_IFMT(Path(path).stat().st_mode)
        if kind not in (stat.S_IFREG, stat.S_IFDIR):
            raise UserError(f"cannot read {path}: is a device or a pipe: a file is needed there")
        return Path(path).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise failure(path, error, "read") from error


def failure(path: str, error: OSError, verb: str = "write") -> UserError:
    remedy = _REMEDY.get(error.errno or 0, "check the path")
    return UserError(f"cannot {verb} {path}: {(error.strerror or str(error)).lower()}: {remedy}")


def sync_folder(path: str) -> None:
    if os.name == "nt":  # a folder cannot be opened there, and its entries need no fsync
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _write(path: str, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(fd)
