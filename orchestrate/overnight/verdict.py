"""What follows for a job from how its attempt ended: an end, or another attempt and when. Pure."""

from typing import NamedTuple

from orchestrate.overnight import checks, stops
from orchestrate.overnight.dispatch import End
from orchestrate.overnight.job import ATTEMPTS_MOST

QUEUED, SHIPPED, UNVERIFIED, FAILED = "queued", "shipped", "unverified", "failed"
UNKNOWN_RESET_S = 1800.0  # a limit that does not say when it ends is asked again after so long
BACKOFF_S = 300.0
# The service's fault or nobody's, and it passes; each is an attempt, or else a job could go on for ever.
AGAIN = ("overloaded", "api_error", "crashed", "no_json", "empty", "lying_success", "killed", "busy")
# No job of any project can run while this holds: the night ends.
HALTS = {
    "auth": "the client is not logged in, or its account does not serve: run `claude` and log in",
    "cli_missing": "the client is not on PATH: install it, or set claude_binary",
}


class Verdict(NamedTuple):
    status: str
    why: str | None
    not_before: float | None = None
    is_counted: bool = True
    halts: str = ""  # why the whole night ends


def of(end: End, attempts: int, told_to_end: str, now: float) -> Verdict:
    """`attempts`: this one included. `told_to_end`: why the night itself ended it, if it did."""
    if end.kind == "ok":
        return _done(end)
    if end.kind == "aborted" and not _was_refused(end, told_to_end):
        return Verdict(QUEUED, told_to_end or "it was interrupted", is_counted=False)
    if end.kind in HALTS:
        return Verdict(QUEUED, end.why, is_counted=False, halts=f"{HALTS[end.kind]} ({end.why})")
    if end.kind in ("aborted", "rate_limited"):
        return _limited(end, now)
    return _again(end, attempts, now) if end.kind in AGAIN else Verdict(FAILED, end.why)


def _was_refused(end: End, told_to_end: str) -> bool:
    """By the limit itself: the night may see in that how near the floor is before the client has ended."""
    return told_to_end == stops.NEAR_FLOOR and end.reset_at is not None


def _again(end: End, attempts: int, now: float) -> Verdict:
    if attempts < ATTEMPTS_MOST:
        return Verdict(QUEUED, end.why, not_before=now + BACKOFF_S * attempts)
    return Verdict(FAILED, f"{end.why}, and that was attempt {attempts} of {ATTEMPTS_MOST}")


def _done(end: End) -> Verdict:
    if end.made is None or end.made.commit is None:
        return Verdict(UNVERIFIED, "it changed nothing: its answer is all there is")
    if end.verdict == checks.GREEN:
        return Verdict(SHIPPED, None)
    return Verdict(FAILED if end.verdict == checks.RED else UNVERIFIED, end.why)


def _limited(end: End, now: float) -> Verdict:
    if end.reset_at is None or end.reset_at <= now:
        why = "a limit of the account is reached, and when it ends was not said"
        return Verdict(QUEUED, why, not_before=now + UNKNOWN_RESET_S, is_counted=False)
    return Verdict(QUEUED, "a limit of the account is reached", not_before=end.reset_at, is_counted=False)
