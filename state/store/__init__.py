"""The one place where a project's events are kept in order to be asked about."""

from state.store.opening import FILE, open_store, open_user_store
from state.store.records import Event, HookError, Kept, Position, Served, Transcript
from state.store.store import Store

__all__ = [
    "FILE",
    "Event",
    "HookError",
    "Kept",
    "Position",
    "Served",
    "Store",
    "Transcript",
    "open_store",
    "open_user_store",
]
