"""How long one decision takes within a running process, by the length of the prompt."""

from collections.abc import Sequence
from math import ceil
from random import Random
from statistics import median
from time import perf_counter_ns
from typing import NamedTuple

from orchestrate.measure.routing_answers import situation
from orchestrate.measure.routing_rows import Asked
from orchestrate.measure.routing_tiers import SEED
from routing import routing_core

BANDS = (100, 500, 2000, 8192)  # characters: the last is what the router reads of a prompt at most
ROUNDS = 5
MOST_PROMPTS = 1000


class Latency(NamedTuple):
    """`p50_ms`, `p99_ms`: over the prompts, each by the median of its calls; what disturbs a machine now and then is in
    `p99_call_ms`. `shorter_than`: characters; None is any length."""

    shorter_than: int | None
    prompts: int
    p50_ms: float
    p99_ms: float
    p99_call_ms: float


def latency(asked: Sequence[Asked]) -> list[Latency]:
    """Every prompt several times, in random order; at most 1,000 prompts, the first round does not count."""
    draw = Random(SEED)  # noqa: S311  a sample, not a secret
    sample = draw.sample(asked, min(len(asked), MOST_PROMPTS))
    calls: list[list[float]] = [[] for _ in sample]
    for number in range(1 + ROUNDS):
        for place in draw.sample(range(len(sample)), len(sample)):
            took = _decided_ms(sample[place])
            calls[place] += [took] if number else []
    bands: dict[int | None, list[list[float]]] = {band: [] for band in (*BANDS, None)}
    for one, took_ms in zip(sample, calls, strict=True):
        bands[_band(one.prompt)].append(took_ms)
    return [_latency(band, found) for band, found in bands.items() if found]


def _latency(band: int | None, calls: list[list[float]]) -> Latency:
    middles = [median(took) for took in calls]
    every = [took for one in calls for took in one]
    return Latency(band, len(calls), percentile(middles, 50), percentile(middles, 99), percentile(every, 99))


def _decided_ms(one: Asked) -> float:
    around = situation(one)
    start = perf_counter_ns()
    routing_core.decide(one.prompt, around)
    return (perf_counter_ns() - start) / 1e6


def _band(prompt: str) -> int | None:
    return next((band for band in BANDS if len(prompt) < band), None)


def percentile(values: Sequence[float], percent: int) -> float:
    """The nearest rank."""
    return sorted(values)[max(0, ceil(len(values) * percent / 100) - 1)]
