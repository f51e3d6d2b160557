"""The store in one SQLite file."""

from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

from state.store import statements
from state.store.records import Event, HookError, Kept, Position
from state.store.sqlite_file import connect, mendable, writing


class SqliteStore:
    def __init__(self, path: str, timeout_s: float) -> None:
        self.path = path
        self._sql = statements.load("sqlite", "events")
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
        with mendable(self.path):
            return {(row[0], row[1]): Position(*row) for row in self._db.execute(self._sql["positions"])}

    def position(self, log: str, inode: str) -> Position | None:
        with mendable(self.path):
            return self._position(log, inode)

    def add_events(self, events: Sequence[Event], before: Position | None, after: Position) -> int | None:
        return self._take("add_event", events, before, after)

    def add_hook_errors(self, errors: Sequence[HookError], before: Position | None, after: Position) -> int | None:
        return self._take("add_hook_error", errors, before, after)

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

    def bad_lines(self) -> int:
        with mendable(self.path):
            return int(self._db.execute(self._sql["bad_lines"]).fetchone()[0])

    def count_before(self, ts: str) -> Kept:
        with mendable(self.path):
            return Kept(*self._db.execute(self._sql["count_before"], {"ts": ts}).fetchone())

    def forget_before(self, ts: str) -> Kept:
        with mendable(self.path), writing(self._db):
            events = self._db.execute(self._sql["forget_events_before"], (ts,)).rowcount
            return Kept(events, self._db.execute(self._sql["forget_hook_errors_before"], (ts,)).rowcount)

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

    def _position(self, log: str, inode: str) -> Position | None:
        row = self._db.execute(self._sql["position"], (log, inode)).fetchone()
        return None if row is None else Position(*row)
