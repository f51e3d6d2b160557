"""The next item, now or as soon as there is one."""

import time

from orchestrate.work.telling import Telling
from state.store import Store
from state.store.work_records import Claimed, Idle

_LOOK_S = 60.0  # however the clock moves meanwhile
_LEAST_S = 0.02


def claim(store: Store, tell: Telling, owner: str, ttl_s: float, limit: int, wait_s: float) -> Claimed | Idle:
    """A slot or an item that becomes free while this waits, by another's doing or by its time, is taken at once."""
    deadline = time.monotonic() + wait_s
    while True:
        seen = store.newest_seq()
        found = store.work.claim(owner, ttl_s, limit, tell)
        tell.copy()
        left_s = deadline - time.monotonic()
        if isinstance(found, Claimed) or left_s <= 0:
            return found
        due_in_s = _LOOK_S if found.due_in_s is None else max(_LEAST_S, found.due_in_s)
        store.wait_for_events(seen, min(left_s, due_in_s, _LOOK_S))


def why(idle: Idle, limit: int) -> str:
    if idle.is_full:
        return f"{idle.held} items are claimed, and work.wip_limit is {limit}: complete one, or wait with --wait"
    if not idle.queued:
        return "nothing is queued: `orchestrate work add` adds an item"
    return f"none of the {idle.queued} queued items may begin now: `orchestrate work list` says why"
