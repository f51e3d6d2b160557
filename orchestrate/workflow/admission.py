"""Who may begin one more agent: so many at once and so many a minute, on all machines of a shared database."""

import json
import select
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from random import uniform
from typing import NamedTuple, Protocol

from orchestrate.agents.stop import Stop
from state import codec, files
from state.errors import INTERRUPTED, UserError
from state.leases import Leases

# A minute, and what may lie between leave to begin and the beginning.
WINDOW_S = 63.0
_PAUSE_S = 0.5
_NOTE = "waits: as many agents work, or have begun in this minute, as may"

Tell = Callable[[Mapping[str, object]], None]
Admitted = Callable[[Stop, Tell], AbstractContextManager[None]]


class Limits(NamedTuple):
    """0: none."""

    at_once: int
    a_minute: int


class Gate(Protocol):
    def admit(self) -> int | None: ...

    def over(self, number: int) -> None: ...


class Admission:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._lock = threading.Lock()

    @contextmanager
    def admitted(self, stop: Stop, tell: Tell) -> Iterator[None]:
        """Waits for its turn, and says so once."""
        number = self._admit()
        if number is None:
            tell({"note": _NOTE})
            number = self._wait(stop)
        try:
            yield
        finally:
            with self._lock:
                self._gate.over(number)

    def _wait(self, stop: Stop) -> int:
        asked = select.poll()
        asked.register(stop.fileno(), select.POLLIN)
        while not stop.why:
            if (number := self._admit()) is not None:
                return number
            asked.poll(1000 * uniform(_PAUSE_S / 2, _PAUSE_S))  # noqa: S311  so that machines take turns
        raise UserError("stopped on request", INTERRUPTED)

    def _admit(self) -> int | None:
        with self._lock:
            return self._gate.admit()


class Everywhere:
    """The rows of a shared database say who works. What could not be told there is told before the next is asked."""

    def __init__(self, url: str, executor: str, limits: Limits) -> None:
        self._leases = Leases(url)
        self._executor = executor
        self._limits = limits
        self._untold: list[int] = []

    def admit(self) -> int | None:
        if self._untold and not self._tell():
            return None
        return self._leases.admit(self._executor, *self._limits, WINDOW_S)

    def over(self, number: int) -> None:
        self._untold.append(number)
        self._tell()

    def _tell(self) -> bool:
        is_told = self._leases.over(self._untold)
        if is_told:
            self._untold = []
        return is_told


class Here:
    """One runner, whose next life knows what this one has begun."""

    def __init__(self, path: str, limits: Limits) -> None:
        self._path = path
        self._limits = limits
        self._working = 0
        self._begun = self._read()

    def admit(self) -> int | None:
        now = time.time()
        self._begun = [at for at in self._begun if 0 <= now - at < WINDOW_S]
        if self._is_full():
            return None
        self._working += 1
        if self._limits.a_minute:
            self._begun.append(now)
            with suppress(UserError):  # a full disk costs the next life's knowledge, not the run
                files.replace(self._path, codec.dumps(self._begun))
        return 0

    def over(self, number: int) -> None:
        self._working -= 1

    def _is_full(self) -> bool:
        at_once, a_minute = self._limits
        return bool((at_once and self._working >= at_once) or (a_minute and len(self._begun) >= a_minute))

    def _read(self) -> list[float]:
        with suppress(OSError, ValueError, TypeError):
            return [float(at) for at in json.loads(Path(self._path).read_bytes())]
        return []
