"""Files that belong to the user: read as they are, swapped in one step, with their mode, owner and links kept."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from state import files
from state.errors import UserError


def read(path: Path) -> bytes | None:
    """None where there is no file."""
    if path.is_symlink() and not path.exists():
        raise UserError(f"{path}: is a link to nowhere ({path.readlink()}): mend or remove the link")
    return files.read(str(path))


def check_writable(path: Path) -> None:
    if path.exists() and not os.access(path, os.W_OK):
        raise UserError(f"{path}: is read-only: change it where it is made, by what `orchestrate install --print` says")


def put(path: Path, data: bytes) -> None:
    """A reader sees the old bytes or the new ones; a link stays and its target is what changes."""
    target = path.resolve()
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        _write(draft, data, target)
        draft.replace(target)
        files.sync_folder(str(target.parent))
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise files.failure(str(path), error) from error


def remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise files.failure(str(path), error, "remove") from error


def missing_folders(folder: Path) -> list[str]:
    """What `make_folders` would make, outermost first."""
    return [str(path) for path in reversed([folder, *folder.parents]) if not path.exists()]


def make_folders(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise files.failure(str(folder), error) from error


def remove_empty(folder: Path) -> None:
    with suppress(OSError):  # somebody else uses it by now
        folder.rmdir()


def _write(draft: Path, data: bytes, target: Path) -> None:
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    with os.fdopen(fd, "wb") as file:
        with suppress(FileNotFoundError):
            before = target.stat()
            with suppress(PermissionError):  # a group that we are not in
                os.chown(draft, before.st_uid, before.st_gid)
            draft.chmod(stat.S_IMODE(before.st_mode))
        file.write(data)
        file.flush()
        os.fsync(fd)
