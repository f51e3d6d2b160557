"""What is used by now, between two readings of a limit: points as an estimate, and an interval that owns up.

Learned from past pairs of readings alone: how many points a weighted token costs, and how far that was off over such a
time and such an amount of work. What other devices of the account use is in these misses, and so in the interval.
"""

from collections.abc import Sequence
from math import hypot, log
from typing import NamedTuple

from metrics.quota_readings import Reading, Span
from metrics.quota_tokens import WEIGHTINGS, Features, Work, weighed

LEAST_PAIRS = 12
MOST_READINGS = 400
NEIGHBOURS = 40
TAIL = 20  # of so many misses like this one, one on either side is left out
ROUNDING = 1.0  # points: the platform tells whole percents, and not whether rounded, cut or raised to them
WIDEST = 50.0  # points: a wider interval is no answer
_LEAST_S = 60.0


class Estimate(NamedTuple):
    """In percent of the limit; `low` and `high` hold the truth at least nine times in ten."""

    used: float
    low: float
    high: float
    own: float  # points since the reading that the work on this machine accounts for
    pairs: int  # of readings, from which this was learned


class Pair(NamedTuple):
    """Two readings of one window."""

    seconds: float
    points: float
    tokens: Features


class Model(NamedTuple):
    weights: Features
    rate: float  # points for each weighted token
    pairs: list[Pair]
    own: list[float]  # points that the tokens account for, pair by pair


def learn(spans: Sequence[Span], work: Work) -> Model | None:
    """None where too little was read, or no work is known."""
    latest = _latest(spans)
    if sum(len(span.readings) - 1 for span in latest) < LEAST_PAIRS:
        return None
    pairs = [
        Pair(later.at - earlier.at, later.used - earlier.used, work.between(earlier.at, later.at))
        for span in latest
        for earlier, later in _apart(span.readings)
    ]
    fits = [fit for weights in WEIGHTINGS if (fit := _fit(weights, pairs))]
    return min(fits, key=_loss, default=None)


def estimate(model: Model, base: Reading, work: Work, now: float) -> Estimate | None:
    """None where the interval would say nothing. `base`: the newest reading."""
    now = max(now, base.at)  # a clock may be set back
    own = model.rate * weighed(work.between(base.at, now), model.weights)
    least, most = _misses(model, now - base.at, own)
    low = max(base.used - ROUNDING + max(own + least, 0.0), 0.0)
    high = min(base.used + ROUNDING + max(own + most, 0.0), max(100.0, base.used + ROUNDING))
    low = min(low, high)
    if high - low > WIDEST:
        return None
    return Estimate(min(max(base.used + own, low), high), low, high, own, len(model.pairs))


def _latest(spans: Sequence[Span]) -> list[Span]:
    found: list[Span] = []
    left = MOST_READINGS
    for span in reversed(spans):
        if left > 1:
            found.append(span._replace(readings=span.readings[-left:]))
            left -= len(span.readings)
    return found


def _apart(readings: list[Reading]) -> list[tuple[Reading, Reading]]:
    """Each reading with the 1st, 2nd, 4th, 8th ... after it: misses grow with time in a way of their own."""
    found = []
    for start, earlier in enumerate(readings):
        step = 1
        while start + step < len(readings):
            found.append((earlier, readings[start + step]))
            step *= 2
    return found


def _fit(weights: Features, pairs: list[Pair]) -> Model | None:
    """The rate whose misses are least in sum: the median of the rates of all pairs, by their tokens."""
    amounts = [weighed(pair.tokens, weights) for pair in pairs]
    rates = sorted((pair.points / amount, amount) for pair, amount in zip(pairs, amounts, strict=True) if amount > 0)
    half, passed = sum(amount for _, amount in rates) / 2, 0.0
    for rate, amount in rates:
        passed += amount
        if passed >= half:
            return Model(weights, rate, pairs, [rate * amount for amount in amounts])
    return None


def _loss(model: Model) -> float:
    return sum(abs(pair.points - own) for pair, own in zip(model.pairs, model.own, strict=True))


def _misses(model: Model, seconds: float, own: float) -> tuple[float, float]:
    """How far it was off for the pairs most like this one in time and work; raised where they had less of either."""
    near = sorted(
        (hypot(log((seconds + _LEAST_S) / (pair.seconds + _LEAST_S)), log((own + 1) / (theirs + 1))), nth)
        for nth, (pair, theirs) in enumerate(zip(model.pairs, model.own, strict=True))
    )[:NEIGHBOURS]
    found = sorted(_raised(model, nth, seconds, own) for _, nth in near)
    cut = len(found) // TAIL
    return found[cut], found[-1 - cut]


def _raised(model: Model, nth: int, seconds: float, own: float) -> float:
    pair, theirs = model.pairs[nth], model.own[nth]
    return (pair.points - theirs) * max(seconds / max(pair.seconds, _LEAST_S), (own + 1) / (theirs + 1), 1.0)
