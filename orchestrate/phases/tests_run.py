"""The command of `check_tests_passed`, run without a shell in the project's root until it ends or its time is over."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from state import files

TIMEOUT_S = 3600.0


class Finished(NamedTuple):
    exit_code: int | None  # None: it could not be started, or took too long
    said: str  # what is wrong, in a few words; empty when it passed
    took_s: float
    log: str


def run(command: Sequence[str], root: str, log: str, timeout_s: float = TIMEOUT_S) -> Finished:
    """What it prints goes to the file `log`."""
    files.folder(str(Path(log).parent))
    began = time.monotonic()
    with Path(log).open("wb") as out:
        try:
            child = subprocess.Popen(
                command, cwd=root, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )
        except (OSError, ValueError) as error:
            return Finished(None, str(getattr(error, "strerror", None) or error).lower(), 0.0, log)
        code = _ended(child, timeout_s)
    took_s = round(time.monotonic() - began, 3)
    said = f"stopped after {timeout_s:g} s" if code is None else f"exit {code}" if code else ""
    return Finished(code, said, took_s, log)


def _ended(child: "subprocess.Popen[bytes]", timeout_s: float) -> int | None:
    try:
        return child.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return None
    finally:  # Ctrl-C too leaves nothing behind
        if child.poll() is None:
            _kill(child)


def _kill(child: "subprocess.Popen[bytes]") -> None:
    if hasattr(os, "killpg"):
        os.killpg(child.pid, signal.SIGKILL)  # it leads a group of its own, and has not been waited for
    else:
        child.kill()
    child.wait()
