"""What the queue has done: how much of it, how well, how fast. What is not known is None, never 0."""

from collections.abc import Sequence

from metrics.figures import percentile
from orchestrate.work import standing
from state.store import clock
from state.store.work_records import Item, Queue

WAITS = (50, 90, 99)


def of(queue: Queue, limit: int) -> dict[str, object]:
    states = [one.state for one in standing.of(queue).values()]
    counts = {state: states.count(state) for state in standing.STATES}
    estimates = [item.estimate_minutes for item in queue.items if item.ended_at is None]
    known = [minutes for minutes in estimates if minutes is not None]
    return {
        "items": len(queue.items),
        **counts,
        "completion_rate": _share(counts["completed"], counts["completed"] + counts["dead"]),
        "wip_limit": limit,
        "utilisation": _utilisation(queue, limit),
        "wait_s": _waits(queue.items),
        "attempts": sum(item.attempts for item in queue.items),
        "open_estimate_minutes": sum(known) if known else None,
        "open_without_estimate": len(estimates) - len(known),
    }


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _utilisation(queue: Queue, limit: int) -> float | None:
    """The share of the slots that claims filled, from the first claim to the last end, or until now while there is
    something to do; by the limit of today."""
    begun = [item.claimed_at for item in queue.items if item.claimed_at]
    if not begun:
        return None
    is_busy = bool(queue.claims) or any(one.state == "ready" for one in standing.of(queue).values())
    ended = [item.ended_at for item in queue.items if item.ended_at and item.claimed_at]
    until = queue.now if is_busy or not ended else max(ended)
    running_ms = sum(clock.between_ms(claim.acquired_at, queue.now) for claim in queue.claims.values())
    busy_ms = running_ms + sum(item.busy_ms for item in queue.items)
    return _share(busy_ms, limit * clock.between_ms(min(begun), until))


def _waits(items: Sequence[Item]) -> dict[str, float | int | None]:
    """From when an item was added, or was to begin at the earliest, to its first claim; dependencies included."""
    waits = sorted(_wait_s(item, item.claimed_at) for item in items if item.claimed_at)
    return {"count": len(waits), **{f"p{percent}": percentile(waits, percent) for percent in WAITS}}


def _wait_s(item: Item, claimed_at: str) -> float:
    return clock.between_ms(max(item.added_at, item.not_before or ""), claimed_at) / 1000


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
