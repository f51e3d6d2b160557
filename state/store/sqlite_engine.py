"""Statements on one SQLite file."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from state.store import statements
from state.store.engine import Row, Values
from state.store.sqlite_file import connect, mendable, writing

DIALECT = "sqlite"


class SqliteEngine:
    dialect = DIALECT

    def __init__(self, path: str, timeout_s: float) -> None:
        self.where = path
        self._sql = statements.load(DIALECT)
        self._db = connect(path, statements.migrations(DIALECT), timeout_s)

    def rows(self, statement: str, values: Values = ()) -> list[Row]:
        with mendable(self.where):
            return self._db.execute(self._sql[statement], values).fetchall()

    def stream(self, statement: str, values: Values = ()) -> Iterator[Row]:
        with mendable(self.where):
            yield from self._db.execute(self._sql[statement], values)

    def run(self, statement: str, values: Values = ()) -> int:
        with mendable(self.where):
            return self._db.execute(self._sql[statement], values).rowcount

    def many(self, statement: str, rows: Sequence[Values]) -> int:
        with mendable(self.where):
            return max(0, self._db.executemany(self._sql[statement], rows).rowcount)  # -1 where there was no row

    @contextmanager
    def writing(self) -> Iterator[None]:
        if self._db.in_transaction:
            yield
            return
        with mendable(self.where), writing(self._db):
            yield

    def close(self) -> None:
        self._db.close()
