"""95 % intervals where whole sessions were assigned: the prompts of one session are alike, so sessions are what counts.

No resampling: with few sessions, or where all went alike, a bootstrap over sessions is too sure of itself. A share has
Wilson's interval at the effective size of its sample with Student's quantile for its sessions (Korn and Graubard), a
mean the interval of a ratio whose variance is taken over sessions, a percentile the one of Woodruff.
"""

from collections.abc import Sequence
from math import ceil, pi, sqrt, tan
from statistics import NormalDist
from typing import NamedTuple

_TAIL = 0.975
_Z = NormalDist().inv_cdf(_TAIL)
Sessions = Sequence[Sequence[float]]  # of each session what was measured, prompt by prompt


class Estimate(NamedTuple):
    """Of so many values in so many sessions; `low` and `high` are None where nothing tells them, as in one session."""

    value: float
    low: float | None
    high: float | None
    sessions: int
    size: int

    @property
    def width(self) -> float | None:
        return None if self.low is None or self.high is None else self.high - self.low


class _Sample(NamedTuple):
    mean: float
    variance: float | None  # of the mean, taken over sessions
    freedom: float  # how many sessions the variance rests on, less one: of a few that stand out, it rests on those
    sessions: int
    size: int


def share(sessions: Sessions) -> Estimate | None:
    """Of values that are 0 or 1."""
    sample = _sample(sessions)
    return None if sample is None else _estimate(sample, *_wilson(sample, sample.mean))


def mean(sessions: Sessions) -> Estimate | None:
    sample = _sample(sessions)
    if sample is None or sample.variance is None:
        return None if sample is None else _estimate(sample, None, None)
    reach = student(sample.freedom) * sqrt(sample.variance)
    return _estimate(sample, sample.mean - reach, sample.mean + reach)


def percentile(sessions: Sessions, percent: int) -> Estimate | None:
    """Nearest rank. It has an upper end only where so many values were measured that some surely lie above it."""
    values = sorted(value for session in sessions for value in session)
    if not values:
        return None
    wanted = percent / 100
    found = values[_rank(wanted, values)]
    below = _sample([[float(value <= found) for value in session] for session in sessions])
    low, high = _wilson(below, wanted) if below else (None, None)
    is_bounded = below is not None and wanted ** _effective_size(below) < 1 - _TAIL
    return Estimate(
        found,
        None if low is None else values[_rank(low, values)],
        values[_rank(high, values)] if high is not None and is_bounded else None,
        below.sessions if below else 0,
        len(values),
    )


def difference(one: Estimate, base: Estimate) -> Estimate:
    """`one` minus `base`, of sessions that are not the same: the reaches of both add as squares (Newcombe)."""
    value = one.value - base.value
    low, high = _reach(one.low, one.value, base.high, base.value), _reach(one.high, one.value, base.low, base.value)
    return Estimate(
        value,
        None if low is None else value - low,
        None if high is None else value + high,
        one.sessions + base.sessions,
        one.size + base.size,
    )


def student(freedom: float) -> float:
    """The quantile of Student's distribution that leaves 2.5 % above it."""
    if freedom < 2:
        return tan(pi * (_TAIL - 0.5))
    if freedom < 3:
        two = (2 * _TAIL - 1) / sqrt(2 * _TAIL * (1 - _TAIL))
        return two + (freedom - 2) * (student(3) - two)
    z, n = _Z, freedom  # the expansion of Cornish and Fisher
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * n**4)
    )


def _sample(sessions: Sessions) -> _Sample | None:
    """The variance of a ratio of two sums over sessions, by its residuals; None of one session."""
    sums = [(sum(session), len(session)) for session in sessions if session]
    if not sums:
        return None
    number, whole = len(sums), sum(size for _, size in sums)
    center = sum(total for total, _ in sums) / whole
    if number == 1:
        return _Sample(center, None, 0, number, whole)
    squares = [(total - center * size) ** 2 for total, size in sums]
    variance = number / (number - 1) * sum(squares) / whole**2
    return _Sample(center, variance, _freedom(squares), number, whole)


def _freedom(squares: Sequence[float]) -> float:
    """By the spread of the squared residuals (Satterthwaite)."""
    most = len(squares) - 1
    if most < 2 or not any(squares):
        return float(most)
    excess = sum(square**2 for square in squares) / sum(squares) ** 2 - 1 / len(squares)
    return most if excess * most <= 2 else max(2 / excess, 2.0)


def _effective_size(sample: _Sample) -> float:
    """How many independent values tell as much. Where all are alike, nothing tells how alike a session's are: then
    each session counts once."""
    independent = sample.mean * (1 - sample.mean) / sample.size
    if sample.variance is None or not independent or not sample.variance:
        return float(sample.sessions)
    return min(sample.size / (sample.variance / independent), float(sample.size))


def _wilson(sample: _Sample, share_of: float) -> tuple[float | None, float | None]:
    if sample.sessions == 1:
        return None, None
    size, t = _effective_size(sample), student(sample.freedom)
    middle = share_of + t**2 / (2 * size)
    reach = t * sqrt(share_of * (1 - share_of) / size + t**2 / (4 * size**2))
    low, high = ((middle + side * reach) / (1 + t**2 / size) for side in (-1, 1))
    return max(low, 0.0), min(high, 1.0)


def _estimate(sample: _Sample, low: float | None, high: float | None) -> Estimate:
    return Estimate(sample.mean, low, high, sample.sessions, sample.size)


def _rank(share_of: float, values: Sequence[float]) -> int:
    return min(max(ceil(len(values) * share_of) - 1, 0), len(values) - 1)


def _reach(end: float | None, value: float, other_end: float | None, other: float) -> float | None:
    return None if end is None or other_end is None else sqrt((end - value) ** 2 + (other_end - other) ** 2)
