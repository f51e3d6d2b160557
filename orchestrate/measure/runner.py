"""Runs short programs side by side: every round starts each case once, in random order, so that what disturbs the
machine disturbs all of them. Ratios of cpu medians within one run hold; times of two runs cannot be compared."""

import os
import random
import shlex
import time
from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import NamedTuple

from state.errors import UserError

ROUNDS = 25
WARM_UPS = 2
SEED = 20


class Case(NamedTuple):
    name: str
    argv: list[str]
    stdin: str  # a file's path
    env: Mapping[str, str]


class Sample(NamedTuple):
    cpu_ms: float
    wall_ms: float


class Series(NamedTuple):
    """One case's samples, one per round."""

    samples: list[Sample]

    @property
    def cpu_ms(self) -> float:
        return median(sample.cpu_ms for sample in self.samples)

    @property
    def wall_ms(self) -> float:
        return median(sample.wall_ms for sample in self.samples)

    @property
    def wall_mean_ms(self) -> float:
        return fmean(sample.wall_ms for sample in self.samples)

    @property
    def wall_p95_ms(self) -> float:
        ordered = sorted(sample.wall_ms for sample in self.samples)
        return ordered[-(-95 * len(ordered) // 100) - 1]


def interleaved(cases: Sequence[Case], rounds: int = ROUNDS) -> dict[str, Series]:
    """The series of each case by its name; the first rounds warm the caches and do not count."""
    order = random.Random(SEED)  # noqa: S311  a shuffle, not a secret
    series: dict[str, Series] = {case.name: Series([]) for case in cases}
    for turn in range(WARM_UPS + rounds):
        for case in order.sample(cases, len(cases)):
            sample = once(case)
            if turn >= WARM_UPS:
                series[case.name].samples.append(sample)
    return series


def once(case: Case) -> Sample:
    started = time.monotonic()
    _, status, usage = os.wait4(start(case), 0)
    wall_ms = (time.monotonic() - started) * 1000
    _succeeded(case, status)
    return Sample((usage.ru_utime + usage.ru_stime) * 1000, wall_ms)


def burst(case: Case, count: int) -> float:
    """Wall milliseconds per call of `count` calls that run at once."""
    started = time.monotonic()
    calls = [start(case) for _ in range(count)]
    statuses = [os.waitpid(call, 0)[1] for call in calls]
    wall_ms = (time.monotonic() - started) * 1000
    _succeeded(case, max(statuses))
    return wall_ms / count


def start(case: Case) -> int:
    """The process id; stdout and stderr go nowhere."""
    files = [
        (os.POSIX_SPAWN_OPEN, 0, case.stdin, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    return os.posix_spawn(case.argv[0], case.argv, case.env, file_actions=files)


def _succeeded(case: Case, status: int) -> None:
    if status:
        code = os.waitstatus_to_exitcode(status)
        raise UserError(f"{case.name}: ended with {code}: run it by hand: {shlex.join(case.argv)}")
