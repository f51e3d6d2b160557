"""The store in one SQLite file."""

from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from state.store import statements
from state.store.records import Event, HookError, Kept, Position, Served, Transcript
from state.store.sqlite_file import connect, mendable, writing


class SqliteStore:
    def __init__(self, path: str, timeout_s: float) -> None:
        self.path = path
        self._sql = statements.load("sqlite", "events") | statements.load("sqlite", "served")
        self._db = connect(path, statements.migrations("sqlite"), timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    def positions(self) -> dict[tuple[str, str], Position]:
        return self._positions(self._sql["positions"])

    def transcript_positions(self) -> dict[tuple[str, str], Position]:
        return self._positions(self._sql["transcript_positions"])

    def position(self, log: str, inode: str) -> Position | None:
        with mendable(self.path):
            return self._position(log, inode)

    def add_events(self, events: Sequence[Event], before: Position | None, after: Position) -> int | None:
        return self._take("add_event", events, before, after)

    def add_hook_errors(self, errors: Sequence[HookError], before: Position | None, after: Position) -> int | None:
        return self._take("add_hook_error", errors, before, after)

    def add_served(self, messages: Sequence[Served], before: Position | None, after: Position) -> int | None:
        rows = [message._asdict() for message in messages]
        with mendable(self.path), writing(self._db):
            if self._position(after.log, after.inode) != before:
                return None
            known = self._db.total_changes
            self._db.executemany(self._sql["add_served"], rows)
            added = self._db.total_changes - known
            self._db.executemany(self._sql["claim_served"], rows)
            self._db.executemany(self._sql["complete_served"], rows)
            self._db.execute(self._sql["keep_position"], after)
            return added

    def forget_positions(self, positions: Iterable[Position]) -> None:
        with mendable(self.path), writing(self._db):
            self._db.executemany(self._sql["forget_position"], [position[:2] for position in positions])

    def events_between(self, since: str, until: str) -> Iterator[Event]:
        with mendable(self.path):
            for row in self._db.execute(self._sql["events_between"], {"since": since, "until": until}):
                yield Event(*row)

    def hook_errors_between(self, since: str, until: str) -> list[HookError]:
        with mendable(self.path):
            rows = self._db.execute(self._sql["hook_errors_between"], {"since": since, "until": until})
            return [HookError(*row) for row in rows]

    def served_between(self, since: str, until: str) -> list[Served]:
        with mendable(self.path):
            rows = self._db.execute(self._sql["served_between"], {"since": since, "until": until})
            return [_served(row) for row in rows]

    def served_of(self, prompt_id: str) -> list[Served]:
        with mendable(self.path):
            return [_served(row) for row in self._db.execute(self._sql["served_of"], (prompt_id,))]

    def time_of_prompt(self, prompt_id: str) -> str | None:
        with mendable(self.path):
            found = self._db.execute(self._sql["time_of_prompt"], {"prompt_id": prompt_id}).fetchone()[0]
            return None if found is None else str(found)

    def transcripts(self) -> list[Transcript]:
        with mendable(self.path):
            return [Transcript(*row) for row in self._db.execute(self._sql["transcripts"])]

    def bad_lines(self) -> int:
        with mendable(self.path):
            return int(self._db.execute(self._sql["bad_lines"]).fetchone()[0])

    def count_before(self, ts: str) -> Kept:
        with mendable(self.path):
            return Kept(*self._db.execute(self._sql["count_before"], {"ts": ts}).fetchone())

    def forget_before(self, ts: str) -> Kept:
        with mendable(self.path), writing(self._db):
            events = self._db.execute(self._sql["forget_events_before"], (ts,)).rowcount
            hook_errors = self._db.execute(self._sql["forget_hook_errors_before"], (ts,)).rowcount
            return Kept(events, hook_errors, self._db.execute(self._sql["forget_served_before"], (ts,)).rowcount)

    def _take(
        self, statement: str, rows: Sequence[Event] | Sequence[HookError], before: Position | None, after: Position
    ) -> int | None:
        with mendable(self.path), writing(self._db):
            if self._position(after.log, after.inode) != before:
                return None
            known = self._db.total_changes
            self._db.executemany(self._sql[statement], rows)
            added = self._db.total_changes - known
            self._db.execute(self._sql["keep_position"], after)
            return added

    def _positions(self, statement: str) -> dict[tuple[str, str], Position]:
        with mendable(self.path):
            return {(row[0], row[1]): Position(*row) for row in self._db.execute(statement)}

    def _position(self, log: str, inode: str) -> Position | None:
        row = self._db.execute(self._sql["position"], (log, inode)).fetchone()
        return None if row is None else Position(*row)


def _served(row: tuple[Any, ...]) -> Served:  # Any: as sqlite3 types its rows
    message = Served(*row)
    return message._replace(
        is_sidechain=bool(message.is_sidechain), is_copy=bool(message.is_copy), after_error=bool(message.after_error)
    )
