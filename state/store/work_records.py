"""An item of work as the store takes and gives it, and what happens to it."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from state.store.claims import Claim
from state.store.records import Event

STATUSES = ("queued", "claimed", "completed", "dead")


class New(NamedTuple):
    text: str
    id: str | None = None  # None: the queue gives it one
    priority: str = "P2"
    needs: tuple[str, ...] = ()
    project: str | None = None
    tags: tuple[str, ...] = ()
    session: str | None = None  # in which it was added
    not_before: str | None = None
    max_attempts: int = 3
    estimate_minutes: int | None = None


class Item(NamedTuple):
    id: str
    number: int  # by age
    text: str
    status: str
    priority: str
    project: str | None
    tags: tuple[str, ...]
    session: str | None
    not_before: str | None
    retry_at: str | None  # after a failure or a release
    attempts: int
    max_attempts: int
    estimate_minutes: int | None
    added_at: str
    claimed_at: str | None  # the first time
    ended_at: str | None
    busy_ms: int  # of claims that have ended
    result: str | None
    reason: str | None  # of the last failure or release


class Queue(NamedTuple):
    """Items at one time, with all that says how they stand."""

    items: tuple[Item, ...]
    needs: Mapping[str, tuple[str, ...]]
    claims: Mapping[str, Claim]  # those that are held, by the item's id
    now: str


class Page(NamedTuple):
    items: tuple[Item, ...]
    queue: Queue  # those, and what they wait for


class Sum(NamedTuple):
    """Of the items of one status."""

    items: int
    ready: int  # that could be claimed now
    attempts: int
    busy_ms: int
    estimated_minutes: int | None  # of what has not ended
    unestimated: int  # likewise, without an estimate
    first_claim: str | None
    last_end: str | None  # of what had been claimed


class Waits(NamedTuple):
    """Milliseconds, by nearest rank, from when an item could begin to its first claim."""

    items: int
    p50: int
    p90: int
    p99: int


class Totals(NamedTuple):
    """All of the queue, at one time."""

    sums: Mapping[str, Sum]  # by status; without those that nothing has
    blocked: int
    waits: Waits | None
    claims: tuple[Claim, ...]
    now: str


class Claimed(NamedTuple):
    item: Item
    claim: Claim


class Idle(NamedTuple):
    """Nothing was claimed. `due_in_s`: when time alone may change that; None: it cannot."""

    held: int
    queued: int
    is_full: bool  # as many as may be are claimed
    due_in_s: float | None


class Change(NamedTuple):
    verb: str  # added, claimed, completed, failed, released, extended, expired, dead or retried
    item: Item  # as it is after it
    details: Mapping[str, object]


Tell = Callable[[Sequence[Change]], Sequence[Event]]
