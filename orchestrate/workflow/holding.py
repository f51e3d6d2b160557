"""One runner in a machine: who holds the lock and listens. Before the engine, which who comes second does not load."""

import fcntl
import os
import select
import time
from contextlib import suppress
from pathlib import Path

from orchestrate.agents import processes
from orchestrate.workflow import inbox
from state import files

WAIT_S = 30.0  # for a runner that is about to go
_LOOK_S = 0.02


def main(user: str, is_patient: bool = False) -> None:
    door = hold(user, is_patient)
    if door:
        from orchestrate.workflow.runner import Runner  # noqa: PLC0415  the engine

        Runner(user, door).run(is_patient)


class Door:
    """The lock, until this process is gone, whatever ends it; and the pipe by which others wake it."""

    def __init__(self, user: str, lock: int) -> None:
        self._lock = lock
        self._path = f"{user}/{inbox.FOLDER}/{inbox.WAKE}"
        self._wake = -1
        self.open()

    def open(self) -> None:
        """Whoever asks from now on is heard."""
        files.folder(str(Path(self._path).parent))
        Path(self._path).unlink(missing_ok=True)
        os.mkfifo(self._path, 0o600)
        self._wake = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def close(self) -> None:
        """Whoever asks from now on starts a runner, which waits for the lock. Also from another thread."""
        wake, self._wake = self._wake, -1
        if wake >= 0:
            os.close(wake)

    def wait(self, seconds: float) -> bool:
        """Whether somebody has woken it."""
        try:
            if select.select([self._wake], [], [], seconds)[0]:
                return bool(os.read(self._wake, 4096))
        except (OSError, ValueError):  # interrupted, or closed meanwhile
            pass
        return False


def hold(user: str, is_patient: bool = False) -> Door | None:
    """None where another one holds the lock and listens: it has been woken. A patient one waits whether that stays."""
    files.folder(user)
    fd = os.open(f"{user}/{inbox.LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline or (not is_patient and inbox.poke(user) and _has_holder(fd)):
                os.close(fd)
                return None
            time.sleep(_LOOK_S)
        else:
            _sign(fd)
            return Door(user, fd)


def _sign(fd: int) -> None:
    own = processes.find(os.getpid())
    with suppress(OSError):  # a full disk: it is held all the same
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()} {own.started if own else 0.0} {processes.boot()}".encode(), 0)


def _has_holder(fd: int) -> bool:
    """A child between fork and exec holds lock and pipe a moment longer than who was killed, and hears nobody."""
    try:
        pid, started, boot = os.pread(fd, 256, 0).decode().split(" ", 2)
        return boot != processes.boot() or processes.is_running(int(pid), float(started))
    except (OSError, ValueError):  # nobody has signed: who it is cannot be said
        return True
