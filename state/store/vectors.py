"""What the newest events mean: a vector each, kept once it was made."""

from collections.abc import Sequence

import orjson

from state.store.engine import Engine
from state.store.search import narrowed
from state.store.search_records import Hit
from state.store.search_terms import Scope

VECTORS = ("vectors", "vectors_in_sessions", "vectors_in_tasks")


class Vectors:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def floor(self, newest: int) -> int:
        """Behind this number are so many events, or fewer."""
        return int(self._engine.rows("floor_of_newest", {"newest": newest})[0][0])

    def missing(self, after: int, most: int) -> list[tuple[int, str]]:
        """Events that have no vector yet, and the beginnings of their payloads; the newest first."""
        rows = self._engine.rows("events_without_vector", {"after": after, "most": most})
        return [(int(row[0]), str(row[1])) for row in rows]

    def add(self, vectors: Sequence[tuple[int, bytes]]) -> None:
        with self._engine.writing():
            self._engine.many("add_vector", vectors)

    def known(self, scope: Scope, since: str, after: int) -> list[tuple[int, bytes]]:
        statement, values = narrowed(VECTORS, scope, {"since": since, "after": after})
        return [(int(row[0]), bytes(row[1])) for row in self._engine.rows(statement, values)]

    def events(self, seqs: Sequence[int]) -> list[Hit]:
        """In the order of `seqs`."""
        rows = self._engine.rows("events_by_seq", {"among": orjson.dumps(list(seqs)).decode()})
        hits = {int(row[0]): Hit(*row) for row in rows}
        return [hits[seq] for seq in seqs if seq in hits]
