"""The one way in which events enter the store."""

from collections.abc import Sequence

from state.store.engine import Engine
from state.store.records import Event
from state.store.values import key, storable_json

_PAYLOAD = Event._fields.index("payload")


def append(engine: Engine, events: Sequence[Event]) -> int:
    """Within a transaction of the caller's. The number of events that were new."""
    before = engine.rows("newest_seq")[0][0]
    added = engine.many("add_event", [_row(event) for event in events])
    if added:
        engine.run("index_events_after", {"after": before})
        engine.announce()
    return added


def _row(event: Event) -> list[str | None]:
    row = [None if text is None else key(text) for text in event]
    row[_PAYLOAD] = storable_json(event.payload)
    return row
