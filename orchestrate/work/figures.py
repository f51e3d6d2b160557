"""What the queue has done: how much of it, how well, how fast. What is not known is None, never 0."""

from orchestrate.work import standing
from state.store import clock
from state.store.work_records import Sum, Totals

_NOTHING = Sum(0, 0, 0, 0, None, 0, None, None)


def of(totals: Totals, limit: int) -> dict[str, object]:
    sums = totals.sums
    counts = _counts(totals)
    known = [one.estimated_minutes for one in sums.values() if one.estimated_minutes is not None]
    return {
        "items": sum(one.items for one in sums.values()),
        **counts,
        "completion_rate": _share(counts["completed"], counts["completed"] + counts["dead"]),
        "wip_limit": limit,
        "utilisation": _utilisation(totals, limit),
        "wait_s": _waits(totals),
        "attempts": sum(one.attempts for one in sums.values()),
        "open_estimate_minutes": sum(known) if known else None,
        "open_without_estimate": sum(one.unestimated for one in sums.values()),
    }


def _counts(totals: Totals) -> dict[str, int]:
    queued = totals.sums.get("queued", _NOTHING)
    told = {status: one.items for status, one in totals.sums.items()}
    waiting = queued.items - queued.ready - totals.blocked
    found = {**told, "ready": queued.ready, "waiting": waiting, "blocked": totals.blocked}
    return {state: found.get(state, 0) for state in standing.STATES}


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _utilisation(totals: Totals, limit: int) -> float | None:
    """The share of the slots that claims filled, from the first claim to the last end, or until now while there is
    something to do; by the limit of today."""
    sums = totals.sums.values()
    begun = [one.first_claim for one in sums if one.first_claim]
    if not begun:
        return None
    is_busy = bool(totals.claims) or any(one.ready for one in sums)
    ended = [one.last_end for one in sums if one.last_end]
    until = totals.now if is_busy or not ended else max(ended)
    running_ms = sum(clock.between_ms(claim.acquired_at, totals.now) for claim in totals.claims)
    busy_ms = running_ms + sum(one.busy_ms for one in sums)
    return _share(busy_ms, limit * clock.between_ms(min(begun), until))


def _waits(totals: Totals) -> dict[str, float | int | None]:
    """From when an item was added, or was to begin at the earliest, to its first claim; dependencies included."""
    waits = totals.waits
    if waits is None:
        return {"count": 0, "p50": None, "p90": None, "p99": None}
    return {"count": waits.items, "p50": waits.p50 / 1000, "p90": waits.p90 / 1000, "p99": waits.p99 / 1000}


def lines(told: dict[str, object]) -> list[str]:
    counts = "  ".join(f"{state} {told[state]}" for state in standing.STATES)
    ended = int(str(told["completed"])) + int(str(told["dead"]))
    waits = told["wait_s"] if isinstance(told["wait_s"], dict) else {}
    shown = ", ".join(f"{name} {_seconds(waits[name])}" for name in waits if name != "count")
    return [
        f"items: {told['items']}  {counts}",
        f"completion rate: {_percent(told['completion_rate'])} ({told['completed']} completed of {ended} ended)",
        f"utilisation: {_percent(told['utilisation'])} of {told['wip_limit']} at a time",
        f"wait for a claim: {shown} (of {waits['count']} claimed)",
        f"open: {told['open_estimate_minutes'] or '-'} minutes estimated, {told['open_without_estimate']} without",
    ]


def _percent(share: object) -> str:
    return f"{share:.1%}" if isinstance(share, float) else "-"


def _seconds(value: object) -> str:
    return f"{value:.1f} s" if isinstance(value, float) else "-"
