"""A job at work: its thread, what it is stopped by, and the bell that it rings when it is over."""

import os
import select
import threading
from collections.abc import Sequence
from contextlib import suppress

from orchestrate.agents.stop import Stop
from orchestrate.overnight import dispatch
from orchestrate.overnight.dispatch import End, Task

_OURS = End("fault", "a mistake of orchestrate's own: what it said stands in the output of the night")


class Bell:
    """Wakes the night; rung from any thread."""

    def __init__(self) -> None:
        self._ear, self._hammer = os.pipe()
        os.set_blocking(self._hammer, False)
        os.set_blocking(self._ear, False)

    def ring(self) -> None:
        with suppress(BlockingIOError):
            os.write(self._hammer, b".")

    def wait(self, seconds: float, stop: Stop | None = None) -> None:
        """Until it is rung, or `stop` is asked."""
        if stop is None or not stop.why:
            ears = [self._ear, stop.fileno()] if stop else [self._ear]
            select.select(ears, [], [], seconds)
        with suppress(BlockingIOError):
            os.read(self._ear, 4096)

    def close(self) -> None:
        os.close(self._ear)
        os.close(self._hammer)


class Worker:
    def __init__(self, task: Task, bell: Bell) -> None:
        self.task = task
        self.stop = Stop()
        self.renewed_at = 0.0  # monotonic
        self.told_to_end = ""  # why the night wants it to end
        self._bell = bell
        self._end: End | None = None
        self._thread = threading.Thread(target=self._work, name=task.job.code)

    def start(self) -> None:
        self._thread.start()

    def ask_to_end(self, why: str, in_haste: bool = False) -> None:
        self.told_to_end = self.told_to_end or why
        self.stop.ask(why, in_haste)

    @property
    def is_over(self) -> bool:
        return self._end is not None

    def close(self) -> End:
        """Once it is over, or after a wait for that."""
        self._thread.join()
        self.stop.close()
        return self._end or _OURS

    def _work(self) -> None:
        end = _OURS
        try:
            end = dispatch.work(self.task, self.stop)
        finally:
            self._end = end
            self._bell.ring()


def over(workers: Sequence[Worker]) -> list[Worker]:
    return [worker for worker in workers if worker.is_over]
