"""A job for the night as the store takes and gives it, and what happens to it. Moments are unix seconds, UTC."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from state.store.records import Event

STATUSES = ("queued", "running", "shipped", "unverified", "failed", "cancelled")
ENDED = ("shipped", "unverified", "failed", "cancelled")
DONE = ("shipped", "unverified")  # what depends on it may begin


class New(NamedTuple):
    text: str
    project: str  # its root
    priority: str = "P2"
    value: float = 1.0
    quota_points: float | None = None  # of the five-hour window; None: nobody said
    minutes: float | None = None
    depends: tuple[str, ...] = ()  # ids or codes
    not_before: float | None = None
    deadline: float | None = None
    checks: tuple[tuple[str, ...], ...] = ()  # none: the project's setting overnight.checks
    agent: str | None = None  # neither: the router decides
    tier: str | None = None


class Job(NamedTuple):
    id: str
    number: int  # by age
    code: str
    text: str
    project: str
    priority: str
    value: float
    quota_points: float | None
    minutes: float | None
    depends: tuple[str, ...]  # ids
    not_before: float | None
    deadline: float | None
    checks: tuple[tuple[str, ...], ...]
    agent: str | None
    tier: str | None
    status: str
    attempts: int
    why: str | None  # of the last end, or of the last return to the queue
    branch: str | None
    worktree: str | None
    session: str | None
    run: str | None  # the id of the agent's run
    points_used: float | None  # of the five-hour window, by all attempts whose use is known
    fence: int  # of the last claim: it only grows, so that a late owner is known by his
    owner: str | None
    renewed_at: float | None
    expires_at: float | None
    added_at: float
    started_at: float | None  # the last attempt
    ended_at: float | None  # the last attempt, also where the job went back to the queue


class Change(NamedTuple):
    verb: str  # added, claimed, requeued, cancelled or finished
    job: Job  # as it is after it
    details: Mapping[str, object]


Tell = Callable[[Sequence[Change]], Sequence[Event]]
