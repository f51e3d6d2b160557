"""Sessions that may go on by themselves after a limit, and what was done about each limit. Moments are unix seconds."""

from typing import NamedTuple

RATE_LIMITED = "rate_limited"


class Opted(NamedTuple):
    session: str  # the client's own id
    root: str  # of its project
    is_on: bool
    changed_at: float


class Attempt(NamedTuple):
    session: str
    limit_id: str
    limit_at: float
    owner: str
    fence: int
    expires_at: float  # of the claim, which counts until the client was started
    started_at: float | None = None
    ended_at: float | None = None
    outcome: str | None = None
    resets_at: float | None = None  # of the limit that ended it
    points: float | None = None  # of the window that it used most of, at the most
    usd: float | None = None  # what an API key paid


class Ended(NamedTuple):
    outcome: str
    resets_at: float | None = None
    points: float | None = None
    usd: float | None = None
