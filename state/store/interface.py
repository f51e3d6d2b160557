"""The verbs of the store, the same on every engine. Each is one transaction."""

from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Protocol, Self

from state.store.records import Event, HookError, Kept, Position, Served, Transcript


class Store(Protocol):
    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def close(self) -> None: ...

    def positions(self) -> dict[tuple[str, str], Position]:
        """Every log's position, by log and inode; without those of transcripts."""

    def transcript_positions(self) -> dict[tuple[str, str], Position]:
        """Those whose reader carries something over from line to line."""

    def position(self, log: str, inode: str) -> Position | None: ...

    def add_events(self, events: Sequence[Event], before: Position | None, after: Position) -> int | None:
        """Take a stretch of a log: its events and the position behind it, together or not at all.

        The number of events that were new, or None when the log's position is not `before` any more: another reader
        has taken the stretch.
        """

    def add_hook_errors(self, errors: Sequence[HookError], before: Position | None, after: Position) -> int | None:
        """As `add_events`."""

    def add_served(self, messages: Sequence[Served], before: Position | None, after: Position) -> int | None:
        """As `add_events`. A message comes in several lines, and again in the files of forks: one row has it, with the
        most of each count, in the name of the original, whichever came first.
        """

    def forget_positions(self, positions: Iterable[Position]) -> None: ...

    def events_between(self, since: str, until: str) -> Iterator[Event]:
        """The events of the prompts first decided in [since, until), whenever they came, and in no certain order.

        An event without a decided prompt belongs to its own time, so the parts of a period add up to the whole.
        """

    def hook_errors_between(self, since: str, until: str) -> list[HookError]: ...

    def served_between(self, since: str, until: str) -> list[Served]:
        """As `events_between`: the messages of a prompt belong to when it was decided."""

    def served_of(self, prompt_id: str) -> list[Served]: ...

    def time_of_prompt(self, prompt_id: str) -> str | None:
        """Of the first that is known of it."""

    def transcripts(self) -> list[Transcript]:
        """Every one that an event names."""

    def bad_lines(self) -> int:
        """How many lines of the logs, as far as they are read, were no records."""

    def count_before(self, ts: str) -> Kept: ...

    def forget_before(self, ts: str) -> Kept:
        """Delete what is older; the number deleted."""
