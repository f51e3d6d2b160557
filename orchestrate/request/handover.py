"""Orchestration: this process becomes the agent runner, which has all the packages and all the time it needs."""

import posix
import sys

from orchestrate.request.call import Call
from state import codec, journal, snapshot


def go(call: Call) -> str:
    """Comes back with what is lacking: the client, or a way to replace this process. Then a directive has to do."""
    if not client(str(call.settings.values["claude_binary"]), call.env):
        return "cli_missing"
    try:
        _give(codec.dumps(call.payload), snapshot.file(call.place).rpartition("/")[0])
        _keep_time()
        posix.execve(sys.executable, _arguments(), call.env)
    except OSError:
        pass
    return "handover_failed"


def client(program: str, env: dict[str, str]) -> str:
    """The path of the program, found as a shell finds it; empty when there is none."""
    folders = [""] if "/" in program else [folder + "/" for folder in env.get("PATH", "").split(":") if folder]
    for folder in folders:
        path = folder + program
        try:
            if posix.access(path, posix.X_OK) and posix.stat(path).st_mode & 0o170000 == 0o100000:
                return path
        except (OSError, ValueError):
            continue
    return ""


def _give(payload: bytes, folder: str) -> None:
    """Stdin was read; the payload becomes stdin again, as a file that has no name any more."""
    journal.make_folders(folder)
    path = f"{folder}/handover.{posix.getpid()}"
    fd = posix.open(path, posix.O_RDWR | posix.O_CREAT | posix.O_EXCL | posix.O_CLOEXEC, 0o600)
    posix.unlink(path)
    while payload:
        payload = payload[posix.write(fd, payload) :]
    posix.lseek(fd, 0, 0)
    posix.dup2(fd, 0)


def _keep_time() -> None:
    """The alarm of the directive mode would outlive this program."""
    import _signal  # type: ignore[import-not-found]  # as in entry

    _signal.alarm(0)


def _arguments() -> list[str]:
    home = __file__.rpartition("/orchestrate/")[0]
    code = f"import sys;sys.path.insert(0,{home!r});from orchestrate.agents.hooked import main;main()"
    return [sys.executable, "-E", "-P", "-c", code]
