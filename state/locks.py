"""Locks between processes that name their holder when one waits too long."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from state import files
from state.errors import LOCK_TIMEOUT, UserError

_CLOCK_SLACK_S = 2.0  # a pid used again within it is not told apart


@contextmanager
def hold(path: str, timeout_s: float) -> Iterator[None]:
    files.folder(str(Path(path).parent))
    lock = FileLock(path, mode=0o600)
    try:
        lock.acquire(timeout=timeout_s)
    except Timeout:
        raise UserError(f"{path}: still locked after {timeout_s:g} s {holder(path)}", LOCK_TIMEOUT) from None
    except OSError as error:
        raise files.failure(path, error) from error
    try:
        _sign(path)
        yield
    finally:
        Path(_signature(path)).unlink(missing_ok=True)
        lock.release()


def holder(path: str) -> str:
    """Who holds it, as far as the signature beside the lock tells; `stale` when that process is gone."""
    try:
        pid, _, started = Path(_signature(path)).read_text().partition(" ")
        process = psutil.Process(int(pid))
        alive = abs(process.create_time() - float(started)) < _CLOCK_SLACK_S
        name = process.name()
    except (OSError, ValueError):
        return "by a process that left no name: try again"
    except psutil.Error:
        alive, name = False, ""
    if not alive:
        return f"by pid {pid}, which is gone (stale): end what it started, or remove the lock"
    return f"by pid {pid} ({name}): try again, or end that process"


def _sign(path: str) -> None:
    with suppress(OSError):  # the lock is held all the same; only its name tag is missing
        fd = os.open(_signature(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w") as file:
            file.write(f"{os.getpid()} {psutil.Process().create_time():.2f}")


def _signature(path: str) -> str:
    return f"{path}.pid"
