"""What was found out, each thing under its name; the last word on it holds."""

from collections.abc import Sequence
from typing import NamedTuple

from state.store.appending import append
from state.store.engine import Engine, Row
from state.store.records import Event
from state.store.values import json_object, json_value

_END = "\U0010ffff"


class Known(NamedTuple):
    name: str
    content: str  # JSON text
    discovered_by: str
    source: str | None
    task_code: str | None
    recorded_at: str


class Knowledge:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(self, known: Known, told: Sequence[Event]) -> None:
        with self._engine.writing():
            self._engine.run("keep_knowledge", known)
            append(self._engine, told)

    def one(self, name: str) -> Known | None:
        found = self._engine.rows("knowledge_of", (name,))
        return self._known(found[0]) if found else None

    def beginning(self, prefix: str) -> list[Known]:
        """Those whose name begins so, by name."""
        rows = self._engine.rows("knowledge_between", {"low": prefix, "high": prefix + _END})
        return sorted(map(self._known, rows), key=lambda known: known.name)

    def forget(self, name: str, told: Sequence[Event]) -> bool:
        """False, and nothing told, where nothing is known of it."""
        with self._engine.writing():
            if not self._engine.run("forget_knowledge", (name,)):
                return False
            append(self._engine, told)
            return True

    def _known(self, row: Row) -> Known:
        known = Known(*row)
        json_value(self._engine.where, f"knowledge: {known.name}: content", known.content)
        return known

    def history(self, name: str) -> list[Event]:
        """What was told of it, oldest first."""
        return [self._told(row) for row in self._engine.rows("knowledge_events", (name,))]

    def _told(self, row: Row) -> Event:
        event = Event(*row)
        json_object(self._engine.where, f"events: {event.id}: payload", event.payload)
        return event
