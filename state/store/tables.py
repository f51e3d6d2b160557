"""A database as its tables: what a whole store is copied by, whatever subjects it holds."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from state.store.engine import Row

MARK = "unused_copy"  # a table that stands for: this is a copy that nobody has used yet
ROWS_AT_ONCE = 2000


class Tables(Protocol):
    where: str

    def writing(self) -> AbstractContextManager[None]: ...

    def columns(self) -> dict[str, list[str]]:
        """Of each table, by name; without what the database derives from other columns and tables."""

    def count(self, table: str) -> int: ...

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Row]: ...

    def add(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None: ...

    def clear(self) -> None:
        """Every row of every table."""

    def counters(self) -> dict[str, int]:
        """The last number that each table has given to a row, also of rows that are gone."""

    def set_counters(self, counters: dict[str, int]) -> None: ...

    def derive(self) -> None:
        """Make anew what is derived from rows that `add` brought."""

    def is_marked(self) -> bool: ...

    def mark(self) -> None: ...

    def unmark(self) -> None: ...

    def close(self) -> None: ...
