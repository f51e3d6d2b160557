"""Which machines on one database are alive: each says so, and what a silent one had in flight another takes up."""

import time
from collections.abc import Callable

from state.leases import Leases

BEAT_S = 4.0
DEAD_S = 15.0  # silent for longer: taken over
FENCED_S = 12.0  # who could not say so for longer ends itself, before it is taken over


class Heartbeat:
    """Where the database is this machine's own, the lock says all, and nothing is done here."""

    def __init__(self, url: str, executor: str, take_over: Callable[[str], list[str]]) -> None:
        self._leases = Leases(url) if url else None
        self._executor = executor
        self._take_over = take_over
        self._beaten = time.monotonic()
        self._next = 0.0

    def begin(self) -> None:
        if self._leases:
            self._leases.begin(self._executor)
            self._beaten = time.monotonic()

    def beat(self) -> bool:
        """Now and then; False when the others take this machine for dead."""
        if self._leases is None or time.monotonic() < self._next:
            return True
        self._next = time.monotonic() + BEAT_S
        heard = self._leases.beat(self._executor)
        if heard is False:
            return False
        if heard:
            self._beaten = time.monotonic()
            self._leases.bury(self._executor, DEAD_S, self._take_over)
        return time.monotonic() - self._beaten < FENCED_S

    def end(self) -> None:
        if self._leases:
            self._leases.drop(self._executor)
