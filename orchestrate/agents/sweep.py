"""What a child leaves behind is found and ended: by its session, its environment, or having been seen below it."""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress

from orchestrate.agents import processes
from orchestrate.agents.processes import Process

MARKER = "ORCHESTRATOR_RUN"
UNBORN = -1  # no process has that pid, and no session that id
LEFTOVER_GRACE_S = 1.0
_KILLED_WITHIN_S = 5.0  # by then a process that had SIGKILL is gone, unless it waits for a device
_LONGEST_PAUSE_S = 0.05


class Trace:
    """One child, and every process that was seen below it while it ran."""

    __slots__ = ("child", "marker", "seen", "started")

    def __init__(self, child: int, started: float, marker: str) -> None:
        self.child = child
        self.started = started
        self.marker = marker
        self.seen: dict[int, float] = {}

    def look(self) -> None:
        """A process that leaves the session and drops its environment is known from now on."""
        pending = [self.child, *self.seen]
        while pending:
            for pid in processes.children(pending.pop()):
                found = processes.find(pid) if pid not in self.seen else None
                if found and found.started >= self.started:
                    self.seen[pid] = found.started
                    pending.append(pid)

    def alive(self) -> list[Process]:
        """The child and what it left behind, as far as they run: whoever was found is known until it has ended, also
        when what it was known by ends before it."""
        everyone = [process for process in processes.everyone() if process.started >= self.started]
        ours = {process.pid for process in everyone if self._is_ours(process)}
        while below := {process.pid for process in everyone if process.parent in ours} - ours:
            ours |= below
        found = [process for process in everyone if process.pid in ours and process.pid != os.getpid()]
        self.seen.update((process.pid, process.started) for process in found)
        return found

    def _is_ours(self, process: Process) -> bool:
        if process.pid == self.child:
            return process.started == self.started
        return (
            (process.session == self.child and self._holds_session())
            or self.seen.get(process.pid) == process.started
            or processes.is_marked(process.pid, f"{MARKER}={self.marker}")
        )

    def _holds_session(self) -> bool:
        """The child's pid names its session until both are gone and the pid is given to another."""
        leader = processes.find(self.child)
        return leader is None or leader.started == self.started


def unborn(marker: str) -> Trace:
    """A child that is only known by what its environment will be."""
    return Trace(UNBORN, 0.0, marker)


def sweep(trace: Trace, grace_s: float = LEFTOVER_GRACE_S) -> list[int]:
    """SIGTERM, `grace_s`, SIGKILL, to all of them. The pids that were found alive."""
    swept = _end(trace, signal.SIGTERM, grace_s)
    return sorted(swept | _end(trace, signal.SIGKILL, _KILLED_WITHIN_S)) if swept else []


def _end(trace: Trace, signum: int, within_s: float) -> set[int]:
    """Each gets the signal once, also those that were forked meanwhile."""
    told: set[int] = set()
    deadline = time.monotonic() + within_s
    pause = 0.001
    while found := trace.alive():
        send([process for process in found if process.pid not in told], signum)
        told |= {process.pid for process in found}
        if time.monotonic() >= deadline:
            break
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_S)
    return told


def send(targets: Iterable[Process], signum: int) -> None:
    for process in targets:
        if processes.is_running(process.pid, process.started):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, signum)
