"""Accounts whose limits are known, because they are made up: what they use, what they are told, and the truth."""

import math
import random
from typing import NamedTuple

from metrics.quota_readings import Reading
from metrics.quota_tokens import Tokens
from state.quota import LENGTH_S

DAY_S = 86_400.0
START = 1_800_000_000.0
MODELS = ("claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5")

# What a token of each tier, and of each kind, takes of the limits. Not all of them are ones that anybody learns with.
WEIGHTINGS = {
    "price": ((0.05, 1, 2), (1, 5, 0.05, 1.25)),
    "by window": ((0.2, 1, 5), (1, 5, 0, 1.25)),
    "flat": ((1, 1, 1), (1, 1, 1, 1)),
    "output": ((0.3, 1, 2), (0, 1, 0, 0)),
    "steep": ((0.02, 1, 8), (1, 4, 0.1, 1)),
    "odd": ((0.6, 1, 1.3), (0.5, 8, 0.02, 2)),
}
ROUNDINGS = {"nearest": round, "down": math.floor, "up": math.ceil}
OTHERS = {"none": 0.0, "some": 0.15, "much": 0.6, "most": 1.5}  # what other devices use, as a share of this one's


class Check(NamedTuple):
    window: str
    at: float
    truth: float
    readings: list[Reading]  # as the history has them: those that differ
    base: Reading  # the newest


class Account(NamedTuple):
    weighting: str
    others: str
    served: list[Tokens]
    checks: list[Check]


class _Use(NamedTuple):
    at: float
    points: float
    tokens: Tokens | None  # None: on another device
    is_watched: bool  # a status line, or the stream, tells afterwards what is used


def account(seed, checks=6, days=10):
    rng = random.Random(seed)
    weighting = rng.choice(sorted(WEIGHTINGS))
    others = rng.choice(sorted(OTHERS))
    rounding = ROUNDINGS[rng.choice(sorted(ROUNDINGS))]
    uses = _uses(rng, weighting, OTHERS[others], days)
    span = days * DAY_S
    moments = sorted(START + rng.uniform(0.03, 1) * span for _ in range(checks * 4))
    found = []
    for window, length in LENGTH_S.items():
        size = _size(rng, uses, length)
        found += _checks(window, length, uses, size, rounding, moments)
    rng.shuffle(found)
    served = [use.tokens for use in uses if use.tokens]
    return Account(weighting, others, served, found[:checks])


def _uses(rng, weighting, others, days):
    """Sessions of bursts, some of them with nobody watching; and what the other devices do at their own times."""
    tiers, kinds = WEIGHTINGS[weighting]
    uses = []
    for day in range(days):
        for _ in range(rng.randint(1, 4)):
            start = START + day * DAY_S + rng.triangular(6, 24, 14) * 3600
            uses += _session(rng, start, tiers, kinds, rng.random() < 0.75)
    mine = sum(use.points for use in uses)
    foreign = []
    while others and sum(use.points for use in foreign) < others * mine:
        start = START + rng.uniform(0, days) * DAY_S
        foreign += [use._replace(tokens=None, is_watched=False) for use in _session(rng, start, tiers, kinds, False)]
    return sorted(uses + foreign, key=lambda use: use.at)


def _session(rng, start, tiers, kinds, is_watched):
    mix = [rng.random() ** 2 for _ in MODELS]
    at, end = start, start + rng.uniform(0.2, 4) * 3600
    pace = rng.uniform(20, 120)
    uses = []
    while at < end:
        at += rng.expovariate(1 / pace) + (rng.random() < 0.03) * rng.uniform(300, 2400)
        tier = rng.choices(range(3), mix)[0]
        counts = [int(rng.lognormvariate(*shape)) for shape in ((6.5, 1), (6.3, 1), (10.5, 0.8), (7.5, 1.2))]
        points = tiers[tier] * sum(count * weight for count, weight in zip(counts, kinds, strict=True))
        uses.append(_Use(at, points, Tokens(at, MODELS[tier], *counts), is_watched and rng.random() < 0.9))
    return uses


def _size(rng, uses, length):
    """A limit that busy windows come near to."""
    most = max(sum(use.points for use in uses if 0 <= use.at - first.at < length) for first in uses[:: len(uses) // 20])
    return most / rng.uniform(0.3, 1.1) / 100


def _checks(window, length, uses, size, rounding, moments):
    found, readings, base = [], [], None
    used, resets_at = 0.0, 0.0
    waiting = list(moments)
    for use in uses:
        while waiting and waiting[0] < use.at:
            at = waiting.pop(0)
            if base and at < base.resets_at:
                found.append(Check(window, at, used, list(readings), base))
        if use.at >= resets_at:
            used, resets_at = 0.0, use.at + length
        used = min(used + use.points / size, 100.0)
        if use.is_watched:
            base = Reading(use.at + 0.5, float(min(rounding(used), 100)), resets_at)
            if not readings or readings[-1][1:] != base[1:]:
                readings.append(base)
    return found
