"""Run one child to its end: feed it, hear it, and see to it that neither it nor what it started goes on afterwards."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from functools import partial
from typing import IO, NamedTuple

from orchestrate.agents import processes, spawn
from orchestrate.agents.guard import Guard
from orchestrate.agents.outcome import Ended
from orchestrate.agents.pipes import Lines, Tail
from orchestrate.agents.stop import Stop, on_signals
from orchestrate.agents.sweep import MARKER, Trace, sweep

_CHUNK = 64 * 1024
_LARGEST_PIPE = 1024 * 1024  # more than this was not written by the child before its end
_PAUSE_S = 0.05
_FIRST_PAUSE_S = 0.001
_LOOK_EVERY_S = 0.5


class ProcessLimits(NamedTuple):
    total_s: float | None = None
    stall_s: float | None = None  # neither stdout nor stderr said anything
    grace_s: float = 5.0  # between SIGTERM and SIGKILL


class Finish(NamedTuple):
    ended: Ended
    stderr: str  # its last 64 KiB
    swept: list[int]  # the pids that outlived the child


def run(
    argv: Sequence[str],
    env: Mapping[str, str],
    cwd: str,
    stdin: bytes,
    on_line: Callable[[bytes], None],
    limits: ProcessLimits,
    marker: str,
    user: str | None = None,
    stop: Stop | None = None,
) -> Finish:
    """`marker` names the run, and no other that goes on at the same time: whatever carries it is swept at the end.

    `user` is the folder for the note which the next start reads (`notes.sweep_dead`). Blocks in this thread until the
    child is gone, as it must: see `spawn`. What `on_line` raises is raised here, with the child ended.
    """
    with ExitStack() as stack:
        if stop is None:
            stop = stack.enter_context(closing(Stop()))
        stack.enter_context(on_signals(stop))
        if stop.why:
            return Finish(Ended(aborted=True, started=False), "", [])
        guard = stack.enter_context(closing(Guard(marker, limits.grace_s, user)))
        child = spawn.start(argv, {**env, MARKER: marker}, cwd)
        if isinstance(child, str):
            return Finish(Ended(missing=child, started=False), "", [])
        stack.enter_context(child)
        found = processes.find(child.pid)  # also when it is over: it is not reaped yet
        trace = Trace(child.pid, found.started if found else 0.0, marker)
        guard.know(trace)
        return _Attempt(child, trace, stop, limits, on_line).finish(stdin)


class _Attempt:
    """One loop over the child's three pipes, its end, the clock and our own `Stop`."""

    def __init__(
        self,
        child: "subprocess.Popen[bytes]",
        trace: Trace,
        stop: Stop,
        limits: ProcessLimits,
        on_line: Callable[[bytes], None],
    ) -> None:
        self._child = child
        self._trace = trace
        self._stop = stop
        self._limits = limits
        self._lines = Lines(on_line)
        self._tail = Tail()
        self._started = self._heard = self._looked = time.monotonic()
        self._pause_s = _FIRST_PAUSE_S
        self._kill_at: float | None = None
        self._timed_out = self._stalled = self._aborted = False
        self._open: dict[IO[bytes], Callable[[bytes], None]] = {}

    def finish(self, stdin: bytes) -> Finish:
        try:
            with selectors.DefaultSelector() as selector:
                self._register(selector, stdin)
                self._follow(selector)
            self._drain()
            is_asked = self._stop.why is not None
            swept = sweep(self._trace)
        except BaseException:  # of `on_line`: nothing goes on after it
            sweep(self._trace, self._limits.grace_s)
            raise
        return Finish(self._ended(is_asked), self._tail.text(), swept)

    def _register(self, selector: selectors.BaseSelector, stdin: bytes) -> None:
        selector.register(self._stop, selectors.EVENT_READ, self._stop.heard)
        if feed := self._child.stdin:
            os.set_blocking(feed.fileno(), False)
            selector.register(feed, selectors.EVENT_WRITE, _Feed(selector, feed, stdin))
        for pipe, take in ((self._child.stdout, self._lines.feed), (self._child.stderr, self._tail.feed)):
            if pipe:
                os.set_blocking(pipe.fileno(), False)
                self._open[pipe] = take
                selector.register(pipe, selectors.EVENT_READ, partial(self._read, selector, pipe))

    def _follow(self, selector: selectors.BaseSelector) -> None:
        """The clock is read first: who has ended or spoken while we stood still was neither late nor silent."""
        while True:
            now = time.monotonic()
            self._look(now)
            for key, _ in selector.select(self._pause_s):
                key.data()
            self._pause_s = min(2 * self._pause_s, _PAUSE_S)
            if _is_over(self._child):
                return
            self._act(now)

    def _read(self, selector: selectors.BaseSelector, pipe: IO[bytes]) -> None:
        data = os.read(pipe.fileno(), _CHUNK)
        if data:
            self._open[pipe](data)
            self._heard = time.monotonic()
        else:
            selector.unregister(pipe)
            del self._open[pipe]
            self._pause_s = _FIRST_PAUSE_S  # what closes its pipes is about to end, most of the time

    def _drain(self) -> None:
        """What the child said last. A daemon may hold the other end and talk on: it is not waited for."""
        for pipe, take in self._open.items():
            with suppress(BlockingIOError):
                for _ in range(_LARGEST_PIPE // _CHUNK):
                    if not (data := os.read(pipe.fileno(), _CHUNK)):
                        break
                    take(data)
        self._lines.finish()

    def _look(self, now: float) -> None:
        if now - self._looked >= _LOOK_EVERY_S:
            self._trace.look()
            self._looked = now

    def _act(self, now: float) -> None:
        if self._kill_at is None:
            if self._must_end(now):
                self._trace.look()
                self._signal(signal.SIGTERM)
                self._kill_at = time.monotonic() + self._limits.grace_s
        elif now >= self._kill_at or self._stop.in_haste:
            self._signal(signal.SIGKILL)

    def _must_end(self, now: float) -> bool:
        total_s, stall_s, _ = self._limits
        self._aborted = self._stop.why is not None
        self._timed_out = total_s is not None and now - self._started >= total_s
        self._stalled = not self._timed_out and stall_s is not None and now - self._heard >= stall_s
        return self._aborted or self._timed_out or self._stalled

    def _signal(self, signum: int) -> None:
        with suppress(ProcessLookupError, PermissionError):  # PermissionError: macOS says so of a group of zombies
            os.killpg(self._child.pid, signum)

    def _ended(self, is_asked: bool) -> Ended:
        code = self._child.wait()
        died_by = -code if code < 0 else None
        was_late = self._timed_out or self._stalled
        # Who asks us to end may have told the child itself, which is gone before we act.
        aborted = self._aborted or (code != 0 and is_asked and not was_late)
        return Ended(
            None if died_by else code,
            died_by,
            timed_out=self._timed_out,
            stalled=self._stalled,
            aborted=aborted,
        )


class _Feed:
    """Gives the child its stdin as fast as it reads, and then closes it."""

    def __init__(self, selector: selectors.BaseSelector, pipe: IO[bytes], data: bytes) -> None:
        self._selector = selector
        self._pipe = pipe
        self._left = memoryview(data)

    def __call__(self) -> None:
        try:
            self._left = self._left[os.write(self._pipe.fileno(), self._left) :]
        except BlockingIOError:  # less room than a pipe promises to announce
            return
        except BrokenPipeError:  # it does not want to know
            self._left = self._left[:0]
        if not self._left:
            self._selector.unregister(self._pipe)
            self._pipe.close()


def _is_over(child: "subprocess.Popen[bytes]") -> bool:
    """Without reaping where that can be had: its pid, and so its group and session, stay its own until the sweep."""
    if not hasattr(os, "waitid"):  # macOS before Python 3.13
        return child.poll() is not None
    return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
