"""A SQLite store as its tables."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from state.store import statements
from state.store.engine import Row
from state.store.sqlite_file import connect, mendable, writing
from state.store.tables import MARK


class SqliteTables:
    def __init__(self, path: str, timeout_s: float) -> None:
        self.where = path
        self._db = connect(path, statements.migrations("sqlite"), timeout_s)

    @contextmanager
    def writing(self) -> Iterator[None]:
        with mendable(self.where), writing(self._db):
            yield

    def columns(self) -> dict[str, list[str]]:
        derived = self._derived()
        names = [
            name
            for (name,) in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
            if name != MARK and not name.startswith("sqlite_") and not _belongs(name, derived)
        ]
        return {name: [row[1] for row in self._db.execute(f'PRAGMA table_info("{name}")')] for name in names}

    def count(self, table: str) -> int:
        return int(self._db.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])  # noqa: S608  a name of our own

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Row]:
        yield from self._db.execute(f'SELECT {_names(columns)} FROM "{table}"')  # noqa: S608  names of our own

    def add(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        values = ", ".join("?" * len(columns))
        self._db.executemany(f'INSERT INTO "{table}" ({_names(columns)}) VALUES ({values})', rows)  # noqa: S608  the same

    def clear(self) -> None:
        for table in self.columns():
            self._db.execute(f'DELETE FROM "{table}"')  # noqa: S608  a name of our own

    def counters(self) -> dict[str, int]:
        return dict(self._db.execute("SELECT name, seq FROM sqlite_sequence"))

    def set_counters(self, counters: dict[str, int]) -> None:
        self._db.execute("DELETE FROM sqlite_sequence")
        self._db.executemany("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", counters.items())

    def derive(self) -> None:
        for table in self._derived():
            self._db.execute(f'INSERT INTO "{table}" ("{table}") VALUES (\'rebuild\')')  # noqa: S608  a name of our own

    def is_marked(self) -> bool:
        return self._db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (MARK,)).fetchone() is not None

    def mark(self) -> None:
        self._db.execute(f"CREATE TABLE IF NOT EXISTS {MARK} (here INTEGER)")

    def unmark(self) -> None:
        with mendable(self.where):
            self._db.execute(f"DROP TABLE IF EXISTS {MARK}")

    def close(self) -> None:
        self._db.close()

    def _derived(self) -> list[str]:
        """The indexes of words: virtual tables."""
        found = self._db.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'")
        return [name for (name,) in found]


def _belongs(table: str, derived: Sequence[str]) -> bool:
    return any(table == name or table.startswith(f"{name}_") for name in derived)


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)
