"""One night at a time on a machine: a lock that the kernel takes back when its holder dies, and who that holder is."""

import fcntl
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from orchestrate.agents import processes
from state import files
from state.errors import LOCK_TIMEOUT, UserError

LOCK = "overnight.lock"


@contextmanager
def alone(user: str) -> Iterator[None]:
    path = f"{user}/{LOCK}"
    files.folder(user)
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise files.failure(path, error) from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise UserError(
            f"{path}: another night is at work, pid {_pid(path)}: let it go on, or end it", LOCK_TIMEOUT
        ) from None
    try:
        with suppress(OSError):  # a full disk: it is held all the same, without a name on it
            os.ftruncate(fd, 0)
            os.pwrite(fd, str(os.getpid()).encode(), 0)
        yield
    finally:
        with suppress(OSError):
            os.ftruncate(fd, 0)
        fcntl.flock(fd, fcntl.LOCK_UN)  # closing is not enough while a child of a thread is between fork and exec
        os.close(fd)


def owner() -> str:
    """Of a claim: this process, and no other that ever had its pid."""
    me = processes.find(os.getpid())
    return "|".join((platform.node(), processes.boot(), str(os.getpid()), repr(me.started if me else 0.0)))


def is_dead(name: str) -> bool:
    """Whether an owner of this machine is gone. Of another machine's nothing is known: its claim ends by its time."""
    node, boot, pid, started = [*name.split("|"), "", "", ""][:4]
    if node != platform.node():
        return False
    try:
        return boot != processes.boot() or not processes.is_running(int(pid), float(started))
    except ValueError:
        return False


def _pid(path: str) -> str:
    try:
        return Path(path).read_text().strip() or "unknown"
    except OSError:
        return "unknown"
