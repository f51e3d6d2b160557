"""The one place where a project's events are kept in order to be asked about."""

from state.paths import Place
from state.store.records import Event, HookError, Kept, Position, Served, Transcript
from state.store.sqlite_engine import SqliteEngine
from state.store.store import Store

__all__ = ["FILE", "Event", "HookError", "Kept", "Position", "Served", "Store", "Transcript", "open_store"]

FILE = "store.db"
_BUSY_TIMEOUT_S = 30.0


def open_store(place: Place, timeout_s: float = _BUSY_TIMEOUT_S) -> Store:
    """`timeout_s`: how long a writer waits for another."""
    return Store(SqliteEngine(f"{place.state}/{FILE}", timeout_s))
