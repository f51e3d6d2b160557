"""Events by what they mean: their vectors are made when they are first wanted, and all of them are compared."""

import re
from collections.abc import Callable
from heapq import nlargest

from orchestrate.memory import vector_table
from state.store import Store
from state.store.search_records import Hit
from state.store.search_terms import Scope

NEWEST = 20_000  # events that are compared, at most
LEAST = 0.15  # nearness; what is further away means something else
_AT_ONCE = 1000
_KEY = re.compile(r'"[^"\\]*":')
Near = tuple[Hit, float]


def nearest(
    store: Store, query: str, scope: Scope, since: str, most: int, tell: Callable[[int], None] = lambda _done: None
) -> list[Near]:
    """The nearest first, each with its nearness."""
    wanted = vector_table.vector(query)
    if not wanted or () in (scope.sessions, scope.tasks):
        return []
    floor = store.vectors.floor(NEWEST)
    _complete(store, floor, tell)
    known = store.vectors.known(scope, since, floor)
    near = nlargest(most, ((vector_table.nearness(wanted, kept), seq) for seq, kept in known if kept))
    values = {seq: value for value, seq in near if value >= LEAST}
    return [(hit, values[hit.seq]) for hit in store.vectors.events(list(values))]


def _complete(store: Store, floor: int, tell: Callable[[int], None]) -> None:
    done = 0
    while missing := store.vectors.missing(floor, _AT_ONCE):
        store.vectors.add([(seq, vector_table.vector(_said(text))) for seq, text in missing])
        done += len(missing)
        tell(done)


def _said(payload: str) -> str:
    """Without the names of the members, which all events of a type have in common."""
    return _KEY.sub(" ", payload)
