"""The one process of a machine that runs workflows: it holds the lock, takes what is asked for, goes when idle."""

import fcntl
import os
import platform
import select
import signal
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

from orchestrate.agents import notes
from orchestrate.workflow import inbox, runs
from orchestrate.workflow.engine import Engine
from orchestrate.workflow.heartbeat import Heartbeat
from orchestrate.workflow.world import World
from state import codec, files, snapshot
from state.paths import Place
from state.snapshot import Value

LOCK_WAIT_S = 20.0  # for a runner that is about to go
TICK_S = 1.0
BROKEN = 3  # exit code: the engine could not go on; the next runner takes up where it stood


def main(user: str) -> None:
    runner = _locked(user)
    if runner is not None:
        runner.run()


class Runner:
    def __init__(self, user: str, lock: int) -> None:
        self.user = user
        self.settings = settings(user)
        self.executor = machine(user)
        self.broken = ""
        self._lock = lock  # held until this process is gone, whatever ends it
        self._wake = -1
        self._must_end = threading.Event()
        self._world: World | None = None
        url = engine_url(self.settings)
        self.engine = Engine(user, url, self.executor, self._shared, self._break)
        self.heartbeat = Heartbeat(url, self.executor, self.engine.take_over)

    def run(self) -> NoReturn:
        signal.signal(signal.SIGTERM, lambda *_: self._end())
        signal.signal(signal.SIGINT, lambda *_: self._end())
        notes.sweep_dead(self.user)  # what the last one has left behind does not go on beside what is begun again
        self._listen()
        self.heartbeat.begin()
        self._sign()
        self.engine.launch()
        self._tell_stranded()
        code = self._serve()
        if code:
            sys.stderr.write(f"the runner ends: {self.broken or 'asked to'}\n")
            self.engine.end()
        sys.stderr.flush()
        os._exit(code)  # nothing that is left may write down how it was taken down; the engine is made to be killed

    def _serve(self) -> int:
        idle_s, idle_since = float(self.settings["workflow.idle_s"]), time.monotonic()
        while not self._must_end.is_set():
            self._take()
            if not self.heartbeat.beat():
                self.broken = self.broken or "its lease is lost: another machine may have taken over"
                break
            if not self._is_idle(time.monotonic() - idle_since >= idle_s):
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since >= idle_s and self._has_gone():
                return 0
            self._pause(min(TICK_S, max(idle_s / 4, 0.05)))
        return BROKEN

    def _take(self) -> None:
        for path in inbox.waiting(self.user):
            told = inbox.read(path)
            header = runs.read(told.get("state", ""), told.get("run", ""))
            if header is not None:
                _DO[told.get("do", "")](self, header)
            path.unlink(missing_ok=True)

    def _start(self, header: runs.Header) -> None:
        if not header.is_over and not header.is_stranded:
            self.engine.start(header, runs.workflow(header))

    def _cancel(self, header: runs.Header) -> None:
        """The mark in its folder is there already: a run that is not in memory finds it when it is taken up."""
        flow = self.engine.flows.get(header.run)
        if flow:
            flow.cancel()

    def _is_idle(self, is_time: bool) -> bool:
        """The engine is asked when it is time to go: what was in flight is in its tables before it is in memory."""
        return not self.engine.flows and not (is_time and self.engine.pending())

    def _has_gone(self) -> bool:
        """Who asks from now on starts a runner; who asked before is served."""
        self._deafen()
        if inbox.waiting(self.user) or self.engine.flows:
            self._listen()
            return False
        self.heartbeat.end()
        Path(self.user, inbox.FOLDER, inbox.SIGN).unlink(missing_ok=True)
        return True

    def _listen(self) -> None:
        path = f"{self.user}/{inbox.FOLDER}/{inbox.WAKE}"
        files.folder(str(Path(path).parent))
        Path(path).unlink(missing_ok=True)
        os.mkfifo(path, 0o600)
        self._wake = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def _deafen(self) -> None:
        os.close(self._wake)
        self._wake = -1

    def _pause(self, seconds: float) -> None:
        try:
            if select.select([self._wake], [], [], seconds)[0]:
                os.read(self._wake, 4096)
        except InterruptedError:
            return

    def _end(self) -> None:
        self._must_end.set()

    def _break(self, why: str) -> None:
        """From the engine's thread."""
        self.broken = why
        self._must_end.set()

    def _shared(self) -> World:
        """Made in the engine's loop, where its bound on agents belongs."""
        if self._world is None:
            self._world = World(os.environ, int(self.settings["run.at_once"]))
        return self._world

    def _sign(self) -> None:
        told: dict[str, object] = {"pid": os.getpid(), "since": time.time(), "executor": self.executor}
        files.replace(f"{self.user}/{inbox.FOLDER}/{inbox.SIGN}", codec.dumps(told))

    def _tell_stranded(self) -> None:
        for name in self.engine.stranded():
            sys.stderr.write(f"{name}: stranded: of another version; `orchestrate workflow resume` takes it up\n")


_DO = {inbox.START: Runner._start, inbox.CANCEL: Runner._cancel, "": lambda *_: None}


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


def _locked(user: str) -> Runner | None:
    files.folder(user)
    fd = os.open(f"{user}/{inbox.LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return None
            time.sleep(0.05)
        else:
            return Runner(user, fd)
