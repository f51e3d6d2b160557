"""Events one after the other."""

from state.store.engine import Engine, Row
from state.store.records import Event
from state.store.search_records import Filter, Numbered


class Listing:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def newest(self, wanted: Filter, most: int) -> list[Numbered]:
        """The newest that pass, the oldest of them first."""
        values = {**wanted._asdict(), "after": 0, "most": most}
        return [_numbered(row) for row in reversed(self._engine.rows(_statement(wanted), values))]

    def one(self, event_id: str) -> Numbered | None:
        found = self._engine.rows("event_of_id", {"id": event_id})
        return _numbered(found[0]) if found else None

    def after(self, seq: int, most: int) -> list[Numbered]:
        """What came behind, the oldest first."""
        return [_numbered(row) for row in self._engine.rows("events_after", (seq, most))]


def passes(event: Event, wanted: Filter) -> bool:
    """As the statements have it."""
    exact = (wanted.type, wanted.session, wanted.task, wanted.entity_type, wanted.entity_id)
    given = (event.type, event.session, event.task, event.entity_type, event.entity_id)
    return (
        all(one is None or one == other for one, other in zip(exact, given, strict=True))
        and event.type.startswith(wanted.prefix or "")
        and wanted.since <= event.ts < wanted.until
    )


def _statement(wanted: Filter) -> str:
    """By the filter that leaves the fewest, each of which has its index."""
    given = {
        "events_listed_of_task": wanted.task,
        "events_listed_of_entity": wanted.entity_id,
        "events_listed_of_session": wanted.session,
        "events_listed_of_type": wanted.type,
    }
    return next((statement for statement, value in given.items() if value is not None), "events_listed")


def _numbered(row: Row) -> Numbered:
    return Numbered(int(row[0]), Event(*row[1:]))
