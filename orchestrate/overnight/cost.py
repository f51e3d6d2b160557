"""What a job is reckoned to take: as its user said, else as jobs like it took, else a guess that says so."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from state.store.night_records import DONE, Job

GUESS_POINTS = 5.0
GUESS_MINUTES = 30.0
LEAST_JOBS = 5  # before anything is learned from them
_QUARTER_ABOVE = 0.75  # of the jobs learned from, so many took no more
_MARGIN = {"said": 1.5, "learned": 1.5, "guessed": 2.0}  # set aside beyond what is expected


class Cost(NamedTuple):
    points: float  # of the five-hour window
    minutes: float
    basis: str  # of the points: said, learned or guessed

    @property
    def reserve(self) -> float:
        """What is set aside while it runs."""
        return self.points * _MARGIN[self.basis]


class Past(NamedTuple):
    """What jobs have taken, by tier; None: of any."""

    points: Mapping[str | None, float]
    minutes: Mapping[str | None, float]

    def of(self, job: Job) -> Cost:
        minutes = job.minutes if job.minutes is not None else _for(self.minutes, job.tier)
        minutes = GUESS_MINUTES if minutes is None else minutes
        if job.quota_points is not None:
            return Cost(job.quota_points, minutes, "said")
        learned = _for(self.points, job.tier)
        return Cost(GUESS_POINTS, minutes, "guessed") if learned is None else Cost(learned, minutes, "learned")


def learn(jobs: Iterable[Job]) -> Past:
    """From those that were done in one attempt: what more attempts took is not told apart."""
    done = [job for job in jobs if job.status in DONE and job.attempts == 1]
    points = [(job.tier, job.points_used) for job in done if job.points_used is not None]
    minutes = [
        (job.tier, (job.ended_at - job.started_at) / 60)
        for job in done
        if job.started_at is not None and job.ended_at is not None and job.ended_at > job.started_at
    ]
    return Past(_quantiles(points), _quantiles(minutes))


def _quantiles(found: Sequence[tuple[str | None, float]]) -> dict[str | None, float]:
    by_tier: dict[str | None, list[float]] = {None: [amount for _, amount in found]}
    for tier, amount in found:
        if tier is not None:
            by_tier.setdefault(tier, []).append(amount)
    return {tier: _quantile(amounts) for tier, amounts in by_tier.items() if len(amounts) >= LEAST_JOBS}


def _quantile(amounts: list[float]) -> float:
    return sorted(amounts)[min(len(amounts) - 1, int(len(amounts) * _QUARTER_ABOVE))]


def _for(found: Mapping[str | None, float], tier: str | None) -> float | None:
    return found.get(tier, found.get(None))
