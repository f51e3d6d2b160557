"""How a run is asked to end: by a signal to us, by another thread, or by the one that reads its lines."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop:
    """Its descriptor becomes readable once it is asked, so that a run that waits wakes up."""

    __slots__ = ("_wake", "_woken", "in_haste", "why")

    def __init__(self) -> None:
        self.why: str | None = None
        self.in_haste = False
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)

    def ask(self, why: str, in_haste: bool = False) -> None:
        """The first reason stays. `in_haste`: no more waiting for a graceful end."""
        self.why = self.why or why
        self.in_haste = self.in_haste or in_haste
        try:
            os.write(self._wake, b".")
        except BlockingIOError:  # asked 65,536 times: it is awake
            return

    def fileno(self) -> int:
        return self._woken

    def heard(self) -> None:
        os.read(self._woken, 4096)

    def close(self) -> None:
        os.close(self._woken)
        os.close(self._wake)


@contextmanager
def on_signals(stop: Stop) -> Iterator[None]:
    """Ctrl-C, SIGTERM and SIGHUP ask for the end; a second one asks in haste. What was ignored (nohup) stays so.

    Handlers belong to the main thread: a run in another one is ended through its `Stop`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def asked(signum: int, _frame: FrameType | None) -> None:
        stop.ask(signal.Signals(signum).name, in_haste=stop.why is not None)

    before = {signum: signal.getsignal(signum) for signum in _SIGNALS}
    ours = [signum for signum, handler in before.items() if handler not in (signal.SIG_IGN, None)]
    for signum in ours:
        signal.signal(signum, asked)
    try:
        yield
    finally:
        for signum in ours:
            signal.signal(signum, before[signum])
