"""Which machines on one database are alive: each says so, and what a silent one had in flight another takes up."""

import threading
import time
from collections.abc import Callable

from state.leases import Leases

BEAT_S = 3.0
FENCED_S = 12.0  # who could not say so for longer ends itself, before it is taken over
DEAD_S = 18.0  # silent for longer: taken over
_LOOK_S = 1.0
Alone = Callable[[Callable[[], None]], None]
# A machine that was asleep has been silent.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Heartbeat:
    """Where the database is this machine's own, the lock says all, and nothing is done here.

    `lost` is called from a thread of its own: a network that swallows all may hold the one that beats.
    """

    def __init__(self, url: str, executor: str, take_over: Callable[[str], object], lost: Callable[[], object]) -> None:
        self._leases = Leases(url) if url else None
        self._executor = executor
        self._take_over = take_over
        self._lost = lost
        self._beaten = _now()
        self._next = 0.0
        self._is_over = threading.Event()

    def begin(self) -> None:
        if self._leases:
            self._leases.begin(self._executor)
            self._beaten = _now()
            threading.Thread(target=self._watch, name="watch", daemon=True).start()

    def beat(self, claim: Callable[[Alone], None]) -> bool:
        """Now and then; False when the others take this machine for dead. `claim` is given what keeps others off."""
        if self._leases is None or _now() < self._next:
            return True
        began = _now()
        self._next = began + BEAT_S
        heard = self._leases.beat(self._executor)
        if heard:
            self._beaten = began
            self._leases.bury(self._executor, DEAD_S, self._take_over)
            claim(self._leases.alone)
        return heard is not False

    def hasten(self) -> None:
        """The next beat is due."""
        self._next = 0.0

    def end(self) -> None:
        self._is_over.set()
        if self._leases:
            self._leases.drop(self._executor)

    def _watch(self) -> None:
        while not self._is_over.wait(_LOOK_S):
            if _now() - self._beaten >= FENCED_S:
                self._lost()
                return


def _now() -> float:
    return time.clock_gettime(_CLOCK)
