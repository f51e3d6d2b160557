"""How many agents run at once, over all processes of this user, and whether there is room for one more."""

import fcntl
import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from orchestrate.agents.stop import Stop
from state import files
from state.errors import INTERRUPTED, LOCK_TIMEOUT, UserError

_FIRST_PAUSE_S = 0.01
_LONGEST_PAUSE_S = 0.25
_SILENT_S = 1.0  # who waits longer is told why
_MIB = 1024 * 1024


class RoomLimits(NamedTuple):
    memory_mib: float | None = None  # at least this much available
    load_per_core: float | None = None  # at most this, over the last minute


@contextmanager
def slot(
    user_dir: str, most: int, timeout_s: float, stop: Stop | None = None, tell: Callable[[str], None] | None = None
) -> Iterator[int]:
    """One of `most` places, by number; `stop` ends the wait for it, and `tell` hears that there is one and that it is
    over. The kernel takes the place of a holder that dies.

    A bare flock: what filelock does here as well, without the 40 ms of its import before every start.
    """
    folder = f"{user_dir}/slots"
    files.folder(folder)
    number, fd = _wait(folder, most, timeout_s, stop, tell or (lambda _: None))
    try:
        _sign(fd)
        yield number
    finally:
        os.ftruncate(fd, 0)
        fcntl.flock(fd, fcntl.LOCK_UN)  # closing is not enough while a child of another thread is between fork and exec
        os.close(fd)


def room(limits: RoomLimits) -> str | None:
    """Why a start must wait, else None."""
    if limits.memory_mib is not None and (found := memory_mib()) < limits.memory_mib:
        return f"memory: {found:.0f} MiB available, {limits.memory_mib:g} MiB wanted for one more agent"
    if limits.load_per_core is not None and (load := load_per_core()) > limits.load_per_core:
        return f"load: {load:.1f} per core, at most {limits.load_per_core:g} for one more agent"
    return None


def memory_mib() -> float:
    if sys.platform == "linux":  # psutil reads the same line, after 23 ms of import
        lines = Path("/proc/meminfo").read_text().splitlines()
        return float(next(line.split()[1] for line in lines if line.startswith("MemAvailable:"))) / 1024
    import psutil  # noqa: PLC0415  see above

    return psutil.virtual_memory().available / _MIB


def load_per_core() -> float:
    return os.getloadavg()[0] / (os.cpu_count() or 1)


def _wait(folder: str, most: int, timeout_s: float, stop: Stop | None, tell: Callable[[str], None]) -> tuple[int, int]:
    began = time.monotonic()
    pause_s, is_told = _FIRST_PAUSE_S, False
    while (taken := _take_any(folder, most)) is None:
        waited_s = time.monotonic() - began
        if waited_s >= timeout_s:
            raise UserError(_full(folder, most, timeout_s), LOCK_TIMEOUT)
        if waited_s >= _SILENT_S and not is_told:
            tell(f"waiting for a place: all {most} are taken by pid {_holders(folder, most)}")
            is_told = True
        select.select([stop] if stop else [], [], [], min(pause_s, timeout_s - waited_s))
        if stop and stop.why:
            raise UserError(f"{folder}: stopped on request while all {most} were taken", INTERRUPTED)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
    if is_told:
        tell(f"got a place after {time.monotonic() - began:.0f} s")
    return taken


def _take_any(folder: str, most: int) -> tuple[int, int] | None:
    for number in range(most):
        path = f"{folder}/{number}.lock"
        try:
            fd = _take(path)
        except OSError as error:
            raise files.failure(path, error) from error
        if fd is not None:
            return number, fd
    return None


def _take(path: str) -> int | None:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    except OSError:
        os.close(fd)
        raise
    return fd


def _sign(fd: int) -> None:
    with suppress(OSError):  # a full disk: the place is held all the same, without a name on it
        os.ftruncate(fd, 0)
        os.pwrite(fd, str(os.getpid()).encode(), 0)


def _full(folder: str, most: int, timeout_s: float) -> str:
    pids = _holders(folder, most)
    return f"{folder}: all {most} taken for {timeout_s:g} s by pid {pids}: try again, or end one of them"


def _holders(folder: str, most: int) -> str:
    return ", ".join(pid for number in range(most) if (pid := _pid(f"{folder}/{number}.lock")))


def _pid(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
