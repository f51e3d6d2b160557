"""How a command reaches the runner: a file in its inbox, a byte to wake it, and a new runner where there is none.

A command does not load the engine: that costs more than all else it does.
"""

import errno
import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from state import codec, files
from state.errors import UserError

FOLDER = "engine"
LOCK = "runner.lock"
INBOX, WAKE, LOG, SIGN = "inbox", "wake", "runner.log", "runner.json"
START, CANCEL = "start", "cancel"
_LOG_MOST = 4 << 20
# What belongs to the one who starts the runner, and not to those that it runs.
_NOT_HANDED = ("ORCHESTRATOR_RUN", "ORCHESTRATOR_DEPTH", "ORCHESTRATOR_SESSION", "ORCHESTRATOR_SESSION_ID")
_NOT_HANDED_BEGINNING = ("ORCHESTRATOR_CTX_", "ORCHESTRATOR_CONTEXT_", "ORCHESTRATOR_ROOT", "GIT_")


def ask(user: str, do: str, state: str, run: str) -> None:
    """Kept until a runner has taken it, whoever dies meanwhile."""
    name = f"{time.time_ns():020d}-{os.urandom(4).hex()}.json"
    files.replace(f"{user}/{FOLDER}/{INBOX}/{name}", codec.dumps({"do": do, "state": state, "run": run}))
    wake(user)


def wake(user: str) -> None:
    """Start a runner unless one listens."""
    if not poke(user):
        start(user)


def is_running(user: str) -> bool:
    """The kernel knows, whatever files say."""
    try:
        fd = os.open(f"{user}/{LOCK}", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def sign(user: str) -> Mapping[str, Any]:  # Any: what JSON holds
    """What the runner says of itself: pid, since when, on which database."""
    return codec.load(f"{user}/{FOLDER}/{SIGN}") if is_running(user) else {}


def start(user: str, is_patient: bool = False) -> None:
    """A process of its own, which outlives this one and its terminal; a patient one waits for its database."""
    files.folder(f"{user}/{FOLDER}")
    path = log(user)
    with suppress(FileNotFoundError):
        if Path(path).stat().st_size > _LOG_MOST:
            Path(path).replace(f"{path}.old")
    home = str(Path(__file__).resolve().parents[2])
    do = f"from orchestrate.workflow.holding import main;main({user!r},{is_patient})"
    code = f"import sys;sys.path.insert(0,{home!r});{do}"
    kept = {name: value for name, value in os.environ.items() if _is_handed(name)}
    out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        subprocess.Popen(
            [sys.executable, "-E", "-P", "-c", code],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd="/",
            env=kept,
            start_new_session=True,
        )
    except OSError as error:
        raise UserError(f"the runner cannot be started: {(error.strerror or str(error)).lower()}") from error
    finally:
        os.close(out)


def log(user: str) -> str:
    """What runners had to say."""
    return f"{user}/{FOLDER}/{LOG}"


def waiting(user: str) -> list[Path]:
    """The oldest first."""
    folder = Path(user, FOLDER, INBOX)
    return sorted(path for path in folder.glob("*.json") if path.is_file())


def read(path: Path) -> dict[str, str]:
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError):
        told = {}
    return {key: str(value) for key, value in told.items()} if isinstance(told, dict) else {}


def poke(user: str) -> bool:
    """Whether a runner listens; it looks into the inbox then."""
    path = f"{user}/{FOLDER}/{WAKE}"
    try:
        fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.ENOENT):  # nobody reads
            return False
        raise files.failure(path, error) from error
    try:
        os.write(fd, b".")
    except BlockingIOError:  # it has been woken 65,536 times
        return True
    except BrokenPipeError:
        return False
    finally:
        os.close(fd)
    return True


def _is_handed(name: str) -> bool:
    return name not in _NOT_HANDED and not name.startswith(_NOT_HANDED_BEGINNING)
