"""The one way in which events enter the store."""

from collections.abc import Sequence

from state.store.engine import Engine
from state.store.records import Event


def append(engine: Engine, events: Sequence[Event]) -> int:
    """Within a transaction of the caller's. The number of events that were new."""
    return engine.many("add_event", events)
