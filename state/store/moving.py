"""A whole store copied to another database, proved equal, and only then used: the one it came from is left as it is.

All that is written to the target is one transaction, so whatever is killed leaves there nothing, or a whole copy with a
mark that says that nobody has used it. The source is locked until the setting says where the store lies.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple

from state.errors import UserError
from state.store.engine import Row
from state.store.tables import Tables
from state.store.values import storable

Tell = Callable[[str], None]  # each step, before it is made


class Table(NamedTuple):
    rows: int
    checksum: str  # of all rows, in whatever order


def move(source: Tables, target: Tables, replace: bool, switch: Callable[[], None], tell: Tell) -> dict[str, Table]:
    with source.writing():
        with target.writing():
            copied = _copy(source, target, replace, tell)
            tell("commit")
        tell(f"switch to {target.where}")
        switch()
        tell("clear the mark")
        target.unmark()
    tell("done")
    return copied


def counts(tables: Tables) -> dict[str, int]:
    return {table: tables.count(table) for table in tables.columns()}


def _copy(source: Tables, target: Tables, replace: bool, tell: Tell) -> dict[str, Table]:
    _make_room(target, replace)
    columns = _shared(source, target)
    copied = {}
    for table, names in columns.items():
        tell(f"copy {table}")
        copied[table] = _copy_table(source, target, table, names)
    target.set_counters(source.counters())
    tell("index")
    target.derive()
    for table, names in columns.items():
        tell(f"verify {table}")
        _verify(target, table, names, copied[table])
    target.mark()
    return copied


def _make_room(target: Tables, replace: bool) -> None:
    held = sum(counts(target).values())
    if held and not (replace or target.is_marked()):
        raise UserError(
            f"{target.where}: holds {held} rows of this project already: --replace drops them for those that it has now"
        )
    target.clear()


def _shared(source: Tables, target: Tables) -> dict[str, list[str]]:
    columns = source.columns()
    there = {table: sorted(names) for table, names in target.columns().items()}
    if there != {table: sorted(names) for table, names in columns.items()}:
        raise UserError(f"{source.where}: its tables are not those of {target.where}: one of them was changed by hand")
    return columns


def _copy_table(source: Tables, target: Tables, table: str, columns: Sequence[str]) -> Table:
    expected = source.count(table)
    sums = _Sums()
    target.add(table, columns, sums.through(source.rows(table, columns)))
    if sums.rows != expected:
        raise UserError(f"{source.where}: {table}: {sums.rows} of {expected} rows could be read: it is damaged")
    return sums.table()


def _verify(target: Tables, table: str, columns: Sequence[str], expected: Table) -> None:
    sums = _Sums()
    for _ in sums.through(target.rows(table, columns)):
        pass
    if sums.table() != expected:
        raise UserError(f"{target.where}: {table}: what was copied is not what was read: nothing was changed")


class _Sums:
    """Of the rows that pass: a sum of their digests, so their order does not matter."""

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def through(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            kept = tuple(storable(row))
            self._sum += int.from_bytes(blake2b(repr(kept).encode(), digest_size=8).digest())
            self.rows += 1
            yield kept

    def table(self) -> Table:
        return Table(self.rows, f"{self._sum % (1 << 64):016x}")
