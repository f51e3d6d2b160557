"""The verbs of the store, the same on every engine. Each is one transaction."""

from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Protocol, Self

from state.store.records import Event, HookError, Kept, Position


class Store(Protocol):
    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def close(self) -> None: ...

    def positions(self) -> dict[tuple[str, str], Position]:
        """Every log's position, by log and inode."""

    def position(self, log: str, inode: str) -> Position | None: ...

    def add_events(self, events: Sequence[Event], before: Position | None, after: Position) -> int | None:
        """Take a stretch of a log: its events and the position behind it, together or not at all.

        The number of events that were new, or None when the log's position is not `before` any more: another reader
        has taken the stretch.
        """

    def add_hook_errors(self, errors: Sequence[HookError], before: Position | None, after: Position) -> int | None:
        """As `add_events`."""

    def forget_positions(self, positions: Iterable[Position]) -> None: ...

    def events_between(self, since: str, until: str) -> Iterator[Event]:
        """The events of the prompts first decided in [since, until), whenever they came, and in no certain order.

        An event without a decided prompt belongs to its own time, so the parts of a period add up to the whole.
        """

    def hook_errors_between(self, since: str, until: str) -> list[HookError]: ...

    def bad_lines(self) -> int:
        """How many lines of the logs, as far as they are read, were no records."""

    def count_before(self, ts: str) -> Kept: ...

    def forget_before(self, ts: str) -> Kept:
        """Delete what is older; the number deleted."""
