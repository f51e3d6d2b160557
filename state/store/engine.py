"""What a database has to offer to the store. A statement is called by its name; its text is the dialect's own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Row = tuple[Any, ...]  # Any: as the drivers type their rows
Values = Mapping[str, object] | Sequence[object]


class Engine(Protocol):
    dialect: str
    where: str  # for what is said to the user: a file, or a URL without its password

    def rows(self, statement: str, values: Values = ()) -> list[Row]: ...

    def stream(self, statement: str, values: Values = ()) -> Iterator[Row]:
        """As `rows`, for what does not fit in memory."""

    def run(self, statement: str, values: Values = ()) -> int:
        """The number of rows it changed."""

    def many(self, statement: str, rows: Sequence[Values]) -> int:
        """`run` with each; the number of rows changed in all."""

    def writing(self) -> AbstractContextManager[None]:
        """One transaction that no other writer comes between. One that is begun within another is part of it."""

    def announce(self) -> None:
        """Tell those who wait that there are more events, as soon as the transaction is done."""

    def wait(self, has_come: Callable[[], bool], timeout_s: float) -> bool:
        """Until `has_come`, which is asked at first and after each change of another's; False after `timeout_s`."""

    def close(self) -> None: ...
