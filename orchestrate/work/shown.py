"""An item as it is printed."""

from collections.abc import Callable, Mapping

from orchestrate.work.standing import Standing
from orchestrate.work.telling import described
from state.store.claims import Claim
from state.store.work_records import Claimed, Item, Queue

TEXT_SHOWN = 100
Clean = Callable[[str], str]


def record(item: Item, standing: Standing, queue: Queue) -> dict[str, object]:
    return {
        **described(item),
        "depends": list(queue.needs.get(item.id, ())),
        "state": standing.state,
        "why": standing.why or None,
        "attempts": item.attempts,
        "retry_at": item.retry_at,
        "added_at": item.added_at,
        "claimed_at": item.claimed_at,
        "ended_at": item.ended_at,
        "busy_s": item.busy_ms / 1000,
        "result": item.result,
        "reason": item.reason,
        "session": item.session,
        "claim": _claim(queue.claims.get(item.id)),
    }


def claimed(found: Claimed) -> dict[str, object]:
    """All that its new owner needs."""
    item = found.item
    return {**described(item), "attempt": item.attempts, **(_claim(found.claim) or {})}


def line(item: Item, standing: Standing, clean: Clean) -> str:
    why = f"  ({_cut(standing.why)})" if standing.why else ""
    return clean(f"{item.id:<8}  {item.priority}  {standing.state:<9}  {_cut(item.text)}{why}")


def details(told: Mapping[str, object], dependents: list[str], clean: Clean) -> list[str]:
    rows = {**told, "needed_by": dependents}
    return [f"{name}: {clean(_plain(value))}" for name, value in rows.items() if name != "claim"]


def _claim(claim: Claim | None) -> dict[str, object] | None:
    if claim is None:
        return None
    names = ("owner", "token", "acquired_at", "expires_at")
    return {name: getattr(claim, name) for name in names}


def _plain(value: object) -> str:
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    return "-" if value in (None, "") else str(value)


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_SHOWN else f"{text[: TEXT_SHOWN - 3]}..."
