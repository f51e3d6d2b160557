"""A PostgreSQL store as its tables."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from psycopg import sql

from state.store import statements
from state.store.address import shown
from state.store.engine import Row
from state.store.postgres_server import VERSIONS, connect, mendable, writing
from state.store.tables import MARK, ROWS_AT_ONCE

_COLUMNS = """
SELECT table_name, column_name
FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = %s AND table_type = 'BASE TABLE' AND is_generated = 'NEVER' ORDER BY table_name, ordinal_position
"""
_COUNTERS = """
SELECT table_name, pg_get_serial_sequence(quote_ident(table_schema) || '.' || quote_ident(table_name), column_name)
FROM information_schema.columns WHERE table_schema = %s AND is_identity = 'YES'
"""


class PostgresTables:
    def __init__(self, url: str, schema: str, timeout_s: float) -> None:
        self.where = shown(url)
        self._schema = schema
        self._db = connect(url, schema, statements.migrations("postgres"), timeout_s)
        self._db.execute("SET statement_timeout = 0")  # a whole table in one statement takes what it takes

    @contextmanager
    def writing(self) -> Iterator[None]:
        with mendable(self.where), writing(self._db, self._schema):
            yield

    def columns(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for table, column in self._db.execute(_COLUMNS, (self._schema,)):
            if table not in (MARK, VERSIONS):
                found.setdefault(table, []).append(column)
        return found

    def count(self, table: str) -> int:
        row = self._db.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
        return int(row[0]) if row else 0

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Row]:
        query = sql.SQL("SELECT {} FROM {}").format(_names(columns), sql.Identifier(table))
        with self._db.cursor(f"rows_of_{table}", withhold=True) as cursor:
            cursor.itersize = ROWS_AT_ONCE
            yield from cursor.execute(query)

    def add(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), _names(columns))
        with self._db.cursor() as cursor, cursor.copy(into) as copy:
            for row in rows:
                copy.write_row(row)

    def clear(self) -> None:
        for table in self.columns():
            self._db.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(table)))

    def counters(self) -> dict[str, int]:
        return {table: self._last(sequence) for table, sequence in self._sequences()}

    def set_counters(self, counters: dict[str, int]) -> None:
        for table, sequence in self._sequences():
            last = counters.get(table, 0)
            self._db.execute("SELECT setval(%s::regclass, %s, %s::int > 0)", (sequence, max(1, last), last))

    def derive(self) -> None:
        """The database did so itself, row by row."""

    def is_marked(self) -> bool:
        return self._db.execute("SELECT to_regclass(%s)", (MARK,)).fetchone() != (None,)

    def mark(self) -> None:
        self._db.execute(sql.SQL("CREATE TABLE IF NOT EXISTS {} (here INTEGER)").format(sql.Identifier(MARK)))

    def unmark(self) -> None:
        with mendable(self.where):
            self._db.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(MARK)))

    def close(self) -> None:
        self._db.close()

    def _sequences(self) -> list[tuple[str, str]]:
        return [(table, sequence) for table, sequence in self._db.execute(_COUNTERS, (self._schema,))]

    def _last(self, sequence: str) -> int:
        schema, _, name = sequence.rpartition(".")
        known = "SELECT coalesce(last_value, 0) FROM pg_sequences WHERE schemaname = %s AND sequencename = %s"
        row = self._db.execute(known, (schema.strip('"'), name.strip('"'))).fetchone()
        return int(row[0]) if row else 0


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(column) for column in columns)
