"""Which sessions go on now after a limit, which wait for what, and which do not go on: decided from values alone."""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import NamedTuple

from orchestrate.overnight import resuming_quiet, resuming_reset
from orchestrate.overnight.resuming_quiet import Quiet
from orchestrate.overnight.resuming_reset import Limit
from state.quota import LENGTH_S, Reading
from state.store.resume_records import RATE_LIMITED, Attempt

UNKNOWN_S = LENGTH_S["five_hour"]  # after so long the shorter limit is over, whenever it began
DAY_S = 86_400.0  # spending is capped over the last so many seconds
_SLACK_S = 60.0  # what a client records of its end may come after it
CLAIMED = "another process is about to go on with it"
_BUSY = "another session goes on, and what it costs is not known yet"
Verdict = str  # resume, wait, skip or idle


class Rules(NamedTuple):
    """The settings of the session's project."""

    off: str = ""  # why nothing goes on by itself
    quiet: Quiet | None = None
    max_points: float = 20.0
    max_usd: float = 1.0
    give_up_after: int = 3
    jitter_s: float = 120.0
    longest_s: float = 1800.0  # an attempt that has not ended after so long was killed


class Watched(NamedTuple):
    session: str
    root: str
    is_on: bool
    rules: Rules
    limit: Limit | None = None  # where nothing came after it
    client: int | None = None  # the pid of one that is open on the session
    is_paid: bool = False  # by an API key
    attempts: tuple[Attempt, ...] = ()  # of this session, by the time of the limit
    lacking: str = ""  # why it cannot go on, whatever the limit does


class Row(NamedTuple):
    session: str
    root: str
    verdict: Verdict
    reason: str
    at: float | None = None  # when it goes on, as far as is known
    limit: Limit | None = None
    resets_at: float | None = None
    left_points: float | None = None  # of the cap: None where money counts instead
    left_usd: float | None = None


class Budget(NamedTuple):
    """What all sessions together may still use."""

    left: float
    free_at: float | None = None  # when there is something again, where there is nothing left


def due(
    sessions: Sequence[Watched], readings: Mapping[str, Reading], now: float, zone: tzinfo | None
) -> tuple[Row, ...]:
    """In the order of the sessions."""
    everything = [attempt for one in sessions for attempt in one.attempts]
    rows = [_row(one, everything, readings, now, zone) for one in sessions]
    return tuple(_one_that_pays(rows, sessions, everything, now))


def _one_that_pays(
    rows: Sequence[Row], sessions: Sequence[Watched], everything: Sequence[Attempt], now: float
) -> Iterator[Row]:
    """What a session costs is told when it ends: with an API key they go on one after the other. The points of a limit
    are told all the time, and for all sessions together."""
    longest_s = max((one.rules.longest_s for one in sessions), default=0.0)
    is_busy = any(_is_going(each, now, longest_s) for each in everything)
    for row, one in zip(rows, sessions, strict=True):
        if row.verdict == "resume" and one.is_paid:
            yield row._replace(verdict="wait", reason=_BUSY, at=None) if is_busy else row
            is_busy = True
        else:
            yield row


def _is_going(attempt: Attempt, now: float, longest_s: float) -> bool:
    started = attempt.started_at
    return started is not None and attempt.ended_at is None and now - longest_s < started


def _row(
    one: Watched, everything: Sequence[Attempt], readings: Mapping[str, Reading], now: float, zone: tzinfo | None
) -> Row:
    verdict, reason = _standing(one, now)
    if one.limit is None or verdict in ("skip", "idle"):
        return Row(one.session, one.root, verdict, reason, limit=one.limit)
    budget = left(everything, one.is_paid, one.rules, now)
    resets_at = resuming_reset.when(one.limit, readings, now)
    if resets_at is None and any(each.resets_at is None for each in in_a_row(one)):
        return Row(one.session, one.root, "skip", "the reset is unknown, and one attempt was made", limit=one.limit)
    at = None if reason else _at(one, resets_at, budget, now, zone)
    reason = reason or _because(one, resets_at, budget, now)
    if not reason and at is not None and at > now:
        reason = "quiet hours" if resuming_quiet.until(one.rules.quiet, now, zone) else "spread after the reset"
    never = budget.left <= 0 and budget.free_at is None
    return Row(
        one.session,
        one.root,
        "skip" if never else "wait" if reason else "resume",
        reason or _told(resets_at),
        at,
        one.limit,
        resets_at,
        left_points=None if one.is_paid else budget.left,
        left_usd=budget.left if one.is_paid else None,
    )


def in_a_row(one: Watched) -> tuple[Attempt, ...]:
    """The attempts that each ended at a limit, the next of them at that one, and the last at the one that stands."""
    found: list[Attempt] = []
    at = one.limit.at if one.limit else 0.0
    for attempt in reversed([each for each in one.attempts if each.limit_at < at]):
        if not _led_to(attempt, at):
            break
        found.append(attempt)
        at = attempt.limit_at
    return tuple(reversed(found))


def _led_to(attempt: Attempt, at: float) -> bool:
    """Whether the limit at that time ended the attempt. One that never told its end was killed, maybe at a limit."""
    if attempt.started_at is None or attempt.outcome not in (RATE_LIMITED, None):
        return False
    ended = attempt.ended_at if attempt.ended_at is not None else at
    return attempt.started_at - _SLACK_S <= at <= ended + _SLACK_S


def left(attempts: Sequence[Attempt], is_paid: bool, rules: Rules, now: float) -> Budget:
    """Of the cap; what is unknown is not counted, but see `_standing`."""
    most = rules.max_usd if is_paid else rules.max_points
    spent = sorted(
        (attempt.ended_at, amount)
        for attempt in attempts
        if attempt.ended_at is not None and attempt.ended_at > now - DAY_S
        if (amount := attempt.usd if is_paid else attempt.points)
    )
    rest = most - sum(amount for _, amount in spent)
    if rest > 0 or most <= 0:
        return Budget(max(rest, 0.0))
    for ended_at, amount in spent:
        rest += amount
        if rest > 0:
            return Budget(0.0, ended_at + DAY_S)
    return Budget(0.0)


def jitter(one: Watched) -> float:
    """The same for a limit whenever it is asked for, and not the same for any two sessions."""
    limit = one.limit.id if one.limit else ""
    return one.rules.jitter_s * (zlib.crc32(f"{one.session} {limit}".encode()) % 1000) / 1000


def _standing(one: Watched, now: float) -> tuple[Verdict, str]:
    """The first thing in its way, but for what time alone removes."""
    found = ((verdict, why(one, now)) for verdict, why in _OBSTACLES)
    return next(((verdict, reason) for verdict, reason in found if reason), ("wait", ""))


def _tried(one: Watched) -> Attempt | None:
    limit = one.limit.id if one.limit else None
    return next((each for each in reversed(one.attempts) if each.limit_id == limit), None)


def _went_on(one: Watched) -> str:
    tried = _tried(one)
    if tried is None or tried.started_at is None:
        return ""
    return f"went on once after this limit: {tried.outcome or 'has not told its end'}"


def _gave_up(one: Watched) -> str:
    before = in_a_row(one)
    if len(before) >= one.rules.give_up_after:
        return f"gave up after {len(before)} limits in a row"
    if before and before[-1].points is None and before[-1].usd is None:
        return "what the last attempt used is unknown, and one attempt was made"
    return ""


def _is_claimed(one: Watched, now: float) -> str:
    tried = _tried(one)
    return CLAIMED if tried and tried.expires_at > now else ""


_OBSTACLES: tuple[tuple[Verdict, Callable[[Watched, float], str]], ...] = (
    ("skip", lambda one, _: "" if one.is_on else "switched off for this session"),
    ("skip", lambda one, _: one.rules.off),
    ("idle", lambda one, _: "" if one.limit else "no limit stands in its way"),
    ("skip", lambda one, _: one.lacking),
    ("skip", lambda one, _: _went_on(one)),
    ("skip", lambda one, _: _gave_up(one)),
    ("wait", lambda one, _: f"a client is open on it (pid {one.client})" if one.client is not None else ""),
    ("wait", _is_claimed),
)


def _because(one: Watched, resets_at: float | None, budget: Budget, now: float) -> str:
    if budget.left <= 0:
        name, most = ("max_usd", one.rules.max_usd) if one.is_paid else ("max_points", one.rules.max_points)
        return f"resume.{name} is used up: {most:g}" if most > 0 else f"resume.{name} is 0"
    if resets_at is None and one.limit and one.limit.at + UNKNOWN_S > now:
        return "the reset is unknown: five hours are waited"
    return "the limit is not over" if resets_at is not None and resets_at > now else ""


def _at(one: Watched, resets_at: float | None, budget: Budget, now: float, zone: tzinfo | None) -> float | None:
    """The first moment when nothing stands in its way, as far as clocks decide it."""
    if one.limit is None or (budget.left <= 0 and budget.free_at is None):
        return None
    begins = resets_at if resets_at is not None else one.limit.at + UNKNOWN_S
    at = max(begins + jitter(one), budget.free_at or 0.0, now)
    return resuming_quiet.until(one.rules.quiet, at, zone) or at


def _told(resets_at: float | None) -> str:
    return "the reset is unknown: one attempt" if resets_at is None else "the limit is over"
