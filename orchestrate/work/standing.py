"""How each item stands: ready, waiting for what, or blocked by what; claimed by whom; completed or dead."""

from collections.abc import Mapping
from typing import NamedTuple

from state.store.work_records import Item, Queue

STATES = ("ready", "waiting", "blocked", "claimed", "completed", "dead")


class Standing(NamedTuple):
    state: str
    why: str  # empty where there is nothing to say


def of(queue: Queue) -> dict[str, Standing]:
    items = {item.id: item for item in queue.items}
    blocked = _blocked(items, queue.needs)
    return {item.id: _standing(item, queue, items, blocked.get(item.id)) for item in queue.items}


def dependents(needs: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item, needed in needs.items():
        for name in needed:
            found.setdefault(name, []).append(item)
    return found


def _blocked(items: Mapping[str, Item], needs: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Each item that can never begin, with the dead one that it waits for, be it through others."""
    waiting = dependents(needs)
    found: dict[str, str] = {}
    for dead in (item.id for item in items.values() if item.status == "dead"):
        reached = [dead]
        while reached:
            for name in waiting.get(reached.pop(), []):
                if name not in found and items[name].status == "queued":
                    found[name] = dead
                    reached.append(name)
    return found


def _standing(item: Item, queue: Queue, items: Mapping[str, Item], culprit: str | None) -> Standing:
    if item.status == "claimed":
        return Standing("claimed", _claimed(item, queue))
    if item.status != "queued":
        return Standing(item.status, (item.reason if item.status == "dead" else item.result) or "")
    if culprit:
        return Standing("blocked", f"{culprit} is dead: {items[culprit].reason}")
    open_ones = [name for name in queue.needs.get(item.id, ()) if items[name].status != "completed"]
    if open_ones:
        return Standing("waiting", f"for {', '.join(open_ones)}")
    at = max(item.not_before or "", item.retry_at or "")
    return Standing("waiting", f"until {at}") if at > queue.now else Standing("ready", "")


def _claimed(item: Item, queue: Queue) -> str:
    claim = queue.claims.get(item.id)
    if claim is None:
        return ""
    is_over = claim.expires_at <= queue.now
    return f"by {claim.owner} {'whose time was over at' if is_over else 'until'} {claim.expires_at}"
