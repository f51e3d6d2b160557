"""Taking events out of the store once they lie in a file, and which files there are."""

from collections.abc import Generator, Sequence

from state.store.engine import Engine
from state.store.records import Event
from state.store.removing import remove
from state.store.search_records import Archive, Span


class Archives:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def older(self, ts: str, most: int) -> Generator[Event, None, None]:
        """Events to archive, the oldest first."""
        for row in self._engine.stream("events_to_archive", (ts, most)):
            yield Event(*row[1:])

    def count_older(self, ts: str) -> Span:
        return Span(*self._engine.rows("count_events_to_archive", (ts,))[0])

    def take(self, archive: Archive | None, ids: Sequence[str]) -> int:
        """Note the file and remove from the store what it holds, together or not at all. The number removed."""
        with self._engine.writing():
            if archive:
                self._engine.run("keep_archive", archive._asdict())
            seqs = [row[0] for key in ids for row in self._engine.rows("seq_of_event", (key,))]
            return remove(self._engine, seqs) if seqs else 0

    def listed(self) -> list[Archive]:
        """The oldest first."""
        return [Archive(*row) for row in self._engine.rows("archives")]
