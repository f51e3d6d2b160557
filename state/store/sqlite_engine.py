"""Statements on one SQLite file."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from state.store import statements
from state.store.engine import Row, Values
from state.store.sqlite_file import connect, mendable, writing
from state.store.values import storable

DIALECT = "sqlite"
_POLL_S = 0.05


class SqliteEngine:
    dialect = DIALECT

    def __init__(self, path: str, timeout_s: float, unmoved: Callable[[], None]) -> None:
        self._unmoved = unmoved
        self.where = path
        self._sql = statements.load(DIALECT)
        self._db = connect(path, statements.migrations(DIALECT), timeout_s)

    def rows(self, statement: str, values: Values = ()) -> list[Row]:
        with mendable(self.where):
            return self._db.execute(self._sql[statement], storable(values)).fetchall()

    def stream(self, statement: str, values: Values = ()) -> Iterator[Row]:
        with mendable(self.where):
            yield from self._db.execute(self._sql[statement], storable(values))

    def run(self, statement: str, values: Values = ()) -> int:
        with mendable(self.where):
            return self._db.execute(self._sql[statement], storable(values)).rowcount

    def many(self, statement: str, rows: Sequence[Values]) -> int:
        with mendable(self.where):
            changed = self._db.executemany(self._sql[statement], map(storable, rows)).rowcount
            return max(0, changed)  # -1 where there was no row

    @contextmanager
    def writing(self) -> Iterator[None]:
        if self._db.in_transaction:
            yield
            return
        with mendable(self.where), writing(self._db):
            self._unmoved()
            yield

    def announce(self) -> None:
        """Those who wait look at the file themselves."""

    def wait(self, has_come: Callable[[], bool], timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        seen = None
        while True:
            with mendable(self.where):
                now = self._db.execute("PRAGMA data_version").fetchone()[0]  # changes with each commit of another's
            if now != seen and has_come():
                return True
            seen = now
            if (left_s := deadline - time.monotonic()) <= 0:
                return False
            time.sleep(min(_POLL_S, left_s))

    def close(self) -> None:
        self._db.close()
