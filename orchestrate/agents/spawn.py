"""Start a child in a session of its own that does not outlive the thread which started it."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

from state.errors import UserError

_PR_SET_PDEATHSIG = 1
_NOT_FOUND = (errno.ENOENT, errno.ENOTDIR)
_NOT_EXECUTABLE = (errno.EACCES, errno.EPERM, errno.ENOEXEC, errno.ELOOP, errno.ETXTBSY)


def start(argv: Sequence[str], env: Mapping[str, str], cwd: str) -> "subprocess.Popen[bytes] | str":
    """The child, or why there is none: "not found" or "not executable"."""
    try:
        return subprocess.Popen(
            argv,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=env,
            start_new_session=True,
            preexec_fn=_dies_with_us(),  # noqa: PLW1509  why it is safe stands there
        )
    except OSError as error:
        return _missing(error, argv[0], cwd, env.get("PATH"))


def _dies_with_us() -> Callable[[], None] | None:
    """Have the kernel send the child SIGTERM when the *thread* that forked it ends.

    The thread, not the process: `process.run` therefore waits for the child in the thread that starts it.
    SIGTERM, because the client ends its own children then; a child that ignores it is left to the guard.

    What this returns runs between fork and exec, where no other thread exists and the locks of the others are held
    for ever: nothing is imported, looked up or logged there, and PyDLL, unlike CDLL, keeps the interpreter's lock.
    A wrapper that execs the child would be free of this care, and costs 15 ms in Python, or a recent util-linux.
    """
    if sys.platform != "linux":
        return None
    try:
        from ctypes import PyDLL  # noqa: PLC0415  3 ms, and absent where Python was built without libffi
    except ImportError:
        return None
    prctl = PyDLL(None).prctl
    parent, getppid, default = os.getpid(), os.getppid, signal.SIG_DFL

    def bind() -> None:
        signal.signal(signal.SIGTERM, default)  # our handler would only take note of it, and exec would forget the note
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if getppid() != parent:  # it died before the call
            os._exit(1)

    return bind


def _missing(error: OSError, program: str, cwd: str, path: str | None) -> str:
    if error.filename == cwd and program != cwd:
        raise UserError(f"{cwd}: cannot work there: {(error.strerror or '').lower()}: name another folder") from error
    from shutil import which  # noqa: PLC0415  8 ms that only a failure owes

    if error.errno in _NOT_FOUND and not (os.path.lexists(program) if "/" in program else which(program, path=path)):
        return "not found"
    if error.errno in (*_NOT_FOUND, *_NOT_EXECUTABLE):  # not found, although it is there: its interpreter is missing
        return "not executable"
    raise UserError(f"{program}: cannot be started: {(error.strerror or str(error)).lower()}") from error
