"""The one process of a machine that runs workflows: it holds the lock, takes what is asked for, goes when idle."""

import dataclasses
import os
import platform
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import psutil

from orchestrate.agents import notes
from orchestrate.workflow import inbox, runs
from orchestrate.workflow.admission import Admission, Everywhere, Gate, Here, Limits
from orchestrate.workflow.engine import Engine
from orchestrate.workflow.heartbeat import Alone, Heartbeat
from orchestrate.workflow.holding import Door
from orchestrate.workflow.telling import Telling
from orchestrate.workflow.world import World
from state import codec, files, snapshot
from state.errors import INTERRUPTED, UserError
from state.paths import Place
from state.snapshot import Value

TICK_S = 1.0
BROKEN = 3  # exit code: the engine could not go on; the next runner takes up where it stood
_END_S, END_IN_HASTE_S = 20.0, 3.0
_PATIENCE_S, _PAUSE_MOST_S = 3600.0, 30.0  # of one that follows another, for a database that is away
LARGE_BYTES = 80 << 20  # of memory: a runner that large runs have left so waits for nothing, a new one is soon there
_UNTOLD = "it ended, and its record does not say how: that was moved, put back, or could not be written"
_LOST = "its lease is lost: another machine may take over"


class Runner:
    def __init__(self, user: str, door: Door) -> None:
        self.user = user
        self.settings = settings(user)
        self.executor = machine(user)
        self.broken = ""
        self._door = door
        self._must_end = threading.Event()
        self._ending = threading.Lock()
        self._world: World | None = None
        url = engine_url(self.settings)
        self._gate = self._limited(url)
        self.engine = Engine(user, url, self.executor, self._shared, self._break)
        self.heartbeat = Heartbeat(url, self.executor, self.engine.take_over, self._lose)

    def run(self, is_patient: bool = False) -> NoReturn:
        signal.signal(signal.SIGTERM, lambda *_: self._end())
        signal.signal(signal.SIGINT, lambda *_: self._end())
        notes.sweep_dead(self.user)  # what the last one has left behind does not go on beside what is begun again
        self._sign()
        self._reach(_PATIENCE_S if is_patient else 0.0)
        self.engine.launch()
        self._tell_stranded()
        if self._serve():
            self._end_all()
        sys.stderr.flush()
        os._exit(0)

    def _end_all(self) -> NoReturn:
        """What works, and this process."""
        with self._ending:
            self._door.close()
            sys.stderr.write(f"the runner ends: {self.broken or 'asked to'}\n")
            if self.broken == _LOST:
                self._end_lost(is_followed=True)
            self.engine.end(_END_S)
            sys.stderr.flush()
            # Nothing that is left may write down how it was taken down; the engine is made to be killed.
            os._exit(BROKEN)

    def _end_lost(self, is_followed: bool) -> NoReturn:
        self.engine.end(END_IN_HASTE_S, in_haste=True)
        if is_followed:
            _follow(self.user)
        sys.stderr.flush()
        os._exit(BROKEN)

    def _reach(self, patience_s: float) -> None:
        """The database. Who wakes this runner is told at once where it is away, as by any other: it ends."""
        deadline, pause_s, is_asked = time.monotonic() + patience_s, TICK_S, False
        while not self._must_end.is_set():
            try:
                return self.heartbeat.begin()
            except ConnectionError as error:
                if is_asked or time.monotonic() >= deadline:
                    raise
                if pause_s == TICK_S:
                    sys.stderr.write(f"the runner waits for its database: {error}\n")
                    sys.stderr.flush()
            is_asked = self._is_woken(pause_s)
            pause_s = min(2 * pause_s, _PAUSE_MOST_S)
        os._exit(BROKEN)

    def _is_woken(self, within_s: float) -> bool:
        """In short looks: a signal to end does not end a wait."""
        until = time.monotonic() + within_s
        while time.monotonic() < until and not self._must_end.is_set():
            if self._door.wait(min(TICK_S, within_s)):
                return True
        return False

    def _serve(self) -> int:
        idle_s, idle_since = float(self.settings["workflow.idle_s"]), time.monotonic()
        patience_s, busy = idle_s, 0
        while not self._must_end.is_set():
            self._take()
            if self.engine.busy() < busy:
                self.heartbeat.hasten()  # there is room for what waits
            busy = self.engine.busy()
            if not self.heartbeat.beat(self._claim):
                self.broken = self.broken or _LOST
                break
            is_time = time.monotonic() - idle_since >= patience_s  # looked at once: who goes has asked the engine
            if not self._is_idle(is_time):
                idle_since, patience_s = time.monotonic(), _patience_s(idle_s)
            elif is_time and self._has_gone():
                return 0
            self._door.wait(min(TICK_S, max(idle_s / 4, 0.05)))
        return BROKEN

    def _take(self) -> None:
        for path in inbox.waiting(self.user):
            told = inbox.read(path)
            header = runs.read(told.get("state", ""), told.get("run", ""))
            if header is None or _DO[told.get("do", "")](self, header):
                path.unlink(missing_ok=True)

    def _start(self, header: runs.Header) -> bool:
        """False: it stays in the inbox until there is room."""
        if header.is_over or header.is_stranded:
            return True
        if self.engine.is_over(header):
            _settle(header, runs.FAILED, 1, _UNTOLD)
        elif self._room() > 0:
            self.engine.start(header, runs.workflow(header))
        elif self.engine.sharing:
            self.engine.leave(header, runs.workflow(header))
        else:
            return False
        return True

    def _room(self) -> int:
        return int(self.settings["workflow.runs_at_once"]) - self.engine.busy()

    def _claim(self, alone: Alone) -> None:
        self.engine.claim(self._room(), alone)

    def _cancel(self, header: runs.Header) -> bool:
        """The mark in its folder is there already: a run that is not in memory finds it when it is taken up."""
        if not runs.is_cancelled(header):  # it has ended by itself, and has been taken up again since
            return True
        flow = self.engine.flows.get(header.run)
        if flow:
            flow.cancel()
        elif not header.is_over and self.engine.is_over(header):
            _settle(header, runs.CANCELLED, INTERRUPTED, "cancelled")
        return True

    def _is_idle(self, is_time: bool) -> bool:
        """The engine is asked when it is time to go: what was in flight is in its tables before it is in memory."""
        return not self.engine.flows and not (is_time and self.engine.pending())

    def _has_gone(self) -> bool:
        """Who asks from now on starts a runner; who asked before is served."""
        self._door.close()
        if inbox.waiting(self.user) or self.engine.flows:
            self._door.open()
            return False
        self.heartbeat.end()
        Path(self.user, inbox.FOLDER, inbox.SIGN).unlink(missing_ok=True)
        return True

    def _end(self) -> None:
        self._must_end.set()

    def _break(self, why: str) -> None:
        """From the engine's thread."""
        self.broken = why
        self._must_end.set()

    def _lose(self) -> NoReturn:
        """From the thread that watches the heartbeat: whatever the others wait for, this machine's agents end now."""
        is_first = self._ending.acquire(blocking=False)  # else it ends already, and now in haste
        self.broken = _LOST
        self._must_end.set()
        self._door.close()
        if is_first:
            sys.stderr.write(f"the runner ends: {_LOST}\n")
        self._end_lost(is_followed=is_first)

    def _limited(self, url: str) -> Gate:
        limits = Limits(*(int(self.settings[f"workflow.{name}"]) for name in ("agents_at_once", "agents_per_minute")))
        return Everywhere(url, self.executor, limits) if url else Here(f"{self.user}/{inbox.FOLDER}/begun.json", limits)

    def _shared(self) -> World:
        """Made in the engine's loop, where its bound on agents belongs."""
        if self._world is None:
            self._world = World(os.environ, int(self.settings["run.at_once"]), Admission(self._gate))
        return self._world

    def _sign(self) -> None:
        told: dict[str, object] = {"pid": os.getpid(), "since": time.time(), "executor": self.executor}
        files.replace(f"{self.user}/{inbox.FOLDER}/{inbox.SIGN}", codec.dumps(told))

    def _tell_stranded(self) -> None:
        for name in self.engine.stranded():
            sys.stderr.write(f"{name}: stranded: of another version; `orchestrate workflow resume` takes it up\n")


def _follow(user: str) -> None:
    """What was in flight is begun once more where no other machine takes it up."""
    with suppress(UserError, OSError):  # the next command starts one
        inbox.start(user, is_patient=True)


def _patience_s(idle_s: float) -> float:
    return min(idle_s, TICK_S) if psutil.Process().memory_info().rss > LARGE_BYTES else idle_s


def _settle(header: runs.Header, status: str, code: int, why: str) -> None:
    """Where the record says that a run goes on which will not be begun again, who watches it would wait forever."""
    Telling(header).finish(dataclasses.replace(header, status=status, exit_code=code, detail=why))


_DO = {inbox.START: Runner._start, inbox.CANCEL: Runner._cancel, "": lambda *_: True}


def settings(user: str) -> dict[str, Value]:
    """The user's own: no project has a say in what serves them all."""
    home = str(Path(user).parent)
    return snapshot.read(Place(home, "user", user, user, True), dict(os.environ)).values


def engine_url(values: dict[str, Value]) -> str:
    return str(values["workflow.engine_url"] or values["store.url"])


def machine(user: str) -> str:
    """The same in every life of this machine's runner, and no other machine's, also where homes are shared."""
    path = Path(user, inbox.FOLDER, f"machine-{platform.node() or 'here'}")
    if not path.exists():
        files.replace(str(path), os.urandom(6).hex().encode())
    return f"{platform.node() or 'here'}-{path.read_text()}"
