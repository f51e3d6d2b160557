"""A shell that waits beside each child and, when this process dies without a word (kill -9), sweeps up after it.

It reads from a pipe whose other end only we hold: a line means all is over, the end of the pipe means we are gone.
"""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from orchestrate.agents import notes
from orchestrate.agents.sweep import MARKER, UNBORN, Trace, sweep, unborn

# It outlives what ends us: a closed terminal, a service that is stopped.
_WAIT = (
    'trap "" INT TERM HUP; read -r child started; read -r over; [ -n "$over" ] || exec "$@" "${child:-}" "${started:-}"'
)
_SWEEP = "import sys; sys.path.insert(0, sys.argv[1]); from orchestrate.agents.guard import main; main(*sys.argv[2:])"
_ROOT = str(Path(__file__).resolve().parents[2])


class Guard:
    """It knows the marker from the start, so that no child is ever without it, and the child once there is one."""

    def __init__(self, marker: str, grace_s: float, user: str | None) -> None:
        self._user = user
        self._marker = marker
        self._is_told = False
        self._shell = _start(marker, grace_s, user)
        self.know(unborn(marker))

    def know(self, trace: Trace) -> None:
        if self._user:
            notes.leave(self._user, trace)
        if trace.child != UNBORN:
            self._tell(f"{trace.child} {trace.started!r}\n")
            self._is_told = True

    def close(self) -> None:
        """All is over."""
        if self._user:
            notes.remove(self._user, self._marker)
        self._tell("over\n" if self._is_told else "\nover\n")  # the second line is what it waits for
        if self._shell:
            self._shell.communicate()

    def _tell(self, line: str) -> None:
        if self._shell and self._shell.stdin:
            with suppress(BrokenPipeError):  # somebody has killed it
                self._shell.stdin.write(line.encode())


def _start(marker: str, grace_s: float, user: str | None) -> "subprocess.Popen[bytes] | None":
    env = {name: value for name, value in os.environ.items() if name != MARKER}
    sweeper = [sys.executable, "-I", "-c", _SWEEP, _ROOT, marker, repr(grace_s), user or ""]
    try:
        return subprocess.Popen(
            ["/bin/sh", "-c", _WAIT, "guard", *sweeper],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=env,
            start_new_session=True,
        )
    except OSError:  # no process left to be had: the note and PDEATHSIG remain
        return None


def main(marker: str, grace_s: str, user: str, child: str, started: str) -> None:
    sweep(Trace(int(child), float(started), marker) if child else unborn(marker), float(grace_s))
    if user:
        notes.remove(user, marker)
