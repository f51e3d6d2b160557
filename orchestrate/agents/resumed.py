"""One session of the user's own goes on: the client is started on it once, within what may be used and no longer.

It goes the way of an agent's run, by the same sweep and knowledge of limits; its model, tools and hooks are the
session's own.
"""

import os
import time
from collections.abc import Mapping
from typing import NamedTuple

from orchestrate.agents import command, process
from orchestrate.agents.account import Spent
from orchestrate.agents.outcome import classify
from orchestrate.agents.process import ProcessLimits
from orchestrate.agents.stop import Stop
from orchestrate.agents.stream import Tally
from state import quota
from state.paths import Place
from state.snapshot import Value

PROMPT = "The usage limit that stopped you has been reset. Go on with the work where it was left."
REJECTED = "rejected"
CAP = "cap"  # why it is stopped where it has used what it may
RETRIES = 10  # the client's own: there is one attempt, and nobody waits for it
_REQUEST_TIMEOUT_S = 600.0
# Where no model has answered either, nothing was used.
_UNSERVED = ("rate_limited", "overloaded", "api_error", "model_not_found", "auth", "cli_missing")


class Going(NamedTuple):
    place: Place
    env: Mapping[str, str]
    settings: Mapping[str, Value]
    session: str  # as its log is named
    client_session: str
    cwd: str
    total_s: float
    left_points: float | None = None  # None: not counted
    left_usd: float | None = None

    @property
    def shared(self) -> str:
        return self.place.user or self.place.state


class Gone(NamedTuple):
    outcome: str
    detail: str
    reset_at: float | None
    points: float | None  # used of the window that it used most of, at the most; None: unknown
    usd: float | None
    model: str | None
    turns: int
    took_ms: float


class Meter:
    """What is used of each window since it began, as the stream tells."""

    def __init__(self, before: Mapping[str, quota.Reading], now: float) -> None:
        self._before = {name: reading for name, reading in before.items() if not reading.is_over(now)}
        self.points: float | None = None

    def read(self, limits: Mapping[str, object], now: float) -> None:
        """Of a window that was not read before it began, all that is used counts: nobody knows whose it is. Who is
        refused there has not been told how much that is."""
        for name, told in quota.told(limits).items():
            used = quota.number(told["used"])
            before = self._before.get(name)
            is_known = before is not None and _is_same(before, told, now)
            if used is None or (not is_known and limits.get("status") == REJECTED):
                continue
            own = max(used - before.used, 0.0) if before and is_known else used
            self.points = max(own, self.points or 0.0)


def go(going: Going, stop: Stop) -> Gone:
    """Blocks until the client has ended. `stop` ends it before that."""
    began, tally = time.monotonic(), Tally()
    meter = Meter(quota.read(going.place.user) if going.place.user else {}, time.time())

    def hear(line: bytes) -> None:
        known = tally.limits
        tally.feed(line)
        if tally.limits is not known:
            meter.read(tally.limits, time.time())
            if going.left_points is not None and (meter.points or 0.0) >= going.left_points:
                stop.ask(CAP)

    spec = _spec(going)
    finish = process.run(
        command.argv(spec),
        command.environment(going.env, spec, going.session, {}),
        going.cwd,
        PROMPT.encode(),
        hear,
        ProcessLimits(going.total_s, float(going.settings["run.stall_s"])),
        f"resume-{os.urandom(6).hex()}",
        going.shared,
        stop,
    )
    outcome = classify(finish.ended, tally, finish.stderr)
    kind = outcome.kind
    if finish.ended.aborted:
        kind = CAP if stop.why == CAP else "aborted"
    if tally.limits and going.place.user:
        quota.note(going.place.user, quota.told(tally.limits), "stream", time.time())
    is_free = kind in _UNSERVED and not tally.spent
    spent = Spent({}, is_paid=False, turns=0, theirs_s=0.0).and_of(tally)
    return Gone(
        kind,
        _redacted(outcome.detail),
        outcome.reset_at,
        0.0 if is_free else meter.points,
        0.0 if is_free and spent.is_paid else _cost(spent),
        tally.answered_by,
        tally.turns,
        round((time.monotonic() - began) * 1000, 1),
    )


def _spec(going: Going) -> command.Spec:
    return command.Spec(
        program=str(going.settings["claude_binary"]),
        model="",
        agent="",
        definition=None,
        fallback_model="",
        max_turns=int(going.settings["run.max_turns"]),
        max_budget_usd=going.left_usd or 0.0,
        permission_mode=str(going.settings["run.permission_mode"]),
        client_session="",
        note="",
        request_timeout_s=min(_REQUEST_TIMEOUT_S, going.total_s),
        retries=RETRIES,
        resumed=going.client_session,
    )


def _cost(spent: Spent) -> float | None:
    return spent.cost_usd if spent.models else None


def _is_same(before: quota.Reading, told: Mapping[str, object], now: float) -> bool:
    end = quota.number(told["resets_at"])
    if end is None or before.resets_at is None:
        return not before.is_over(now)
    return abs(end - before.resets_at) <= quota.SAME_RESET_S


def _redacted(line: str) -> str:
    if not line:
        return line
    from state.redact import redact  # noqa: PLC0415  16 ms that an answer does not owe

    return redact(line)
