"""Statements in one schema of a PostgreSQL database."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count

from psycopg import sql
from psycopg.pq import TransactionStatus

from state.store import statements
from state.store.address import shown
from state.store.engine import Row, Values
from state.store.postgres_server import connect, mendable, writing
from state.store.values import storable

DIALECT = "postgres"
_FETCHED_AT_ONCE = 2000


class PostgresEngine:
    dialect = DIALECT

    def __init__(self, url: str, schema: str, timeout_s: float, unmoved: Callable[[], None]) -> None:
        self._unmoved = unmoved
        self.where = shown(url)
        self._schema = schema
        self._sql = {name: text.encode() for name, text in statements.load(DIALECT).items()}
        self._db = connect(url, schema, statements.migrations(DIALECT), timeout_s)
        self._streams = count()

    def rows(self, statement: str, values: Values = ()) -> list[Row]:
        with mendable(self.where):
            return self._db.execute(self._sql[statement], storable(values)).fetchall()

    def stream(self, statement: str, values: Values = ()) -> Iterator[Row]:
        # WITH HOLD: what is half read keeps no transaction open that a writer would have to end in.
        name = f"stream_{next(self._streams)}"
        with mendable(self.where), self._db.cursor(name, withhold=True) as cursor:
            cursor.itersize = _FETCHED_AT_ONCE
            yield from cursor.execute(self._sql[statement], storable(values))

    def run(self, statement: str, values: Values = ()) -> int:
        with mendable(self.where):
            return self._db.execute(self._sql[statement], storable(values)).rowcount

    def many(self, statement: str, rows: Sequence[Values]) -> int:
        with mendable(self.where), self._db.cursor() as cursor:
            cursor.executemany(self._sql[statement], [storable(row) for row in rows])
            return max(0, cursor.rowcount)

    @contextmanager
    def writing(self) -> Iterator[None]:
        if self._db.info.transaction_status != TransactionStatus.IDLE:
            yield
            return
        with mendable(self.where), writing(self._db, self._schema):
            self._unmoved()
            yield

    def announce(self) -> None:
        self._db.execute("SELECT pg_notify(%s, '')", (self._schema,))

    def wait(self, has_come: Callable[[], bool], timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        with mendable(self.where):
            self._db.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._schema)))
            # Asked after LISTEN: what came before it is seen, and what comes after it is told.
            while not has_come():
                left_s = deadline - time.monotonic()
                if left_s <= 0 or not any(True for _ in self._db.notifies(timeout=left_s, stop_after=1)):
                    return has_come()
        return True

    def close(self) -> None:
        self._db.close()
