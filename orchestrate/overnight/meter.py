"""Which job used how many points: each rise of the five-hour window goes to the jobs that were served since the last.

A reading may come before the answer that it counts: a rise waits until somebody was served. What lies before the first
reading is nobody's. A job that no two readings enclose has
used an unknown amount, which is None and not 0.
"""

import threading
from collections.abc import Mapping
from typing import NamedTuple

from orchestrate.agents.stream import Usage
from state import quota

FRESH_S = 1800.0  # a reading may be so much older than a job's begin and still be where it began
_TIERS = {"haiku": 0.33, "opus": 1.67}
_KINDS = (1.0, 5.0, 0.05, 1.25)  # input, output, read from the cache, written to it: about as they are priced


class _Used(NamedTuple):
    weight: float = 0.0  # of the tokens so far
    counted: float = 0.0  # of these, those that a reading has been shared out for
    points: float | None = None


class Meter:
    """Heard from the threads of the jobs, read and asked by the night."""

    def __init__(self) -> None:
        self._jobs: dict[str, _Used] = {}
        self._last: quota.Reading | None = None
        self._waiting = 0.0  # points that nobody was served for yet
        self._lock = threading.Lock()

    def begin(self, job: str, now: float) -> None:
        is_fresh = self._last is not None and not self._last.is_over(now) and now - self._last.read_at <= FRESH_S
        with self._lock:
            self._jobs[job] = _Used(points=0.0 if is_fresh else None)

    def hear(self, job: str, usage: Mapping[str, Usage]) -> None:
        with self._lock:
            self._jobs[job] = self._jobs.get(job, _Used())._replace(weight=weight(usage))

    def read(self, reading: quota.Reading | None) -> None:
        """The newest that there is, as often as one likes."""
        if reading is None or (self._last is not None and reading.read_at <= self._last.read_at):
            return
        with self._lock:
            self._waiting += _rise(self._last, reading)
            self._share()
            # The first reading within a job is where its account begins.
            self._jobs = {job: used._replace(points=used.points or 0.0) for job, used in self._jobs.items()}
        self._last = reading

    def end(self, job: str) -> float | None:
        """Its points, by the readings so far."""
        with self._lock:
            self._share()
            points = self._jobs.pop(job, _Used()).points
        return None if points is None else round(points, 2)

    def _share(self) -> None:
        grown = {job: used.weight - used.counted for job, used in self._jobs.items()}
        total = sum(grown.values())
        if total <= 0:
            return
        for job, used in self._jobs.items():
            known = None if used.points is None else used.points + self._waiting * grown[job] / total
            self._jobs[job] = _Used(used.weight, used.weight, known)
        self._waiting = 0.0


def weight(usage: Mapping[str, Usage]) -> float:
    return sum(_of_tier(model) * sum(map(float.__mul__, map(float, used[:4]), _KINDS)) for model, used in usage.items())


def _of_tier(model: str) -> float:
    return next((share for tier, share in _TIERS.items() if tier in model), 1.0)


def _rise(old: quota.Reading | None, new: quota.Reading) -> float:
    """A window that was reset since begins with nothing."""
    if old is None:
        return 0.0
    is_next = old.is_over(new.read_at) or old.used - new.used > quota.DROP
    return max(new.used - (0.0 if is_next else old.used), 0.0)
