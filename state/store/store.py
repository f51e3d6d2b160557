"""The verbs of the store, the same on every engine. Each is one transaction."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

from state.store import work_listing
from state.store.appending import append
from state.store.archives import Archives
from state.store.bugs import Bugs
from state.store.claims import Claims
from state.store.engine import Engine, Row
from state.store.knowledge import Knowledge
from state.store.listing import Listing
from state.store.nights import Nights
from state.store.records import Event, HookError, Kept, Position, Served, Transcript
from state.store.removing import remove_before
from state.store.resumes import Resumes
from state.store.search import Search
from state.store.sinks import Sinks
from state.store.sprints import Sprints
from state.store.tasks import Tasks
from state.store.values import check_numbers, key
from state.store.vectors import Vectors
from state.store.work import Work

_COUNTS = slice(Served._fields.index("input_tokens"), Served._fields.index("cache_write_tokens") + 1)


class Store:
    def __init__(self, engine: Engine, machine: str = "") -> None:
        """`machine`: whose logs are read here; empty where the store lies beside them."""
        self._engine = engine
        self._machine = machine
        self.archives = Archives(engine)
        self.bugs = Bugs(engine)
        self.claims = Claims(engine)
        self.knowledge = Knowledge(engine)
        self.listing = Listing(engine)
        self.nights = Nights(engine)
        self.resumes = Resumes(engine)
        self.search = Search(engine)
        self.sinks = Sinks(engine)
        self.sprints = Sprints(engine)
        self.tasks = Tasks(engine)
        self.vectors = Vectors(engine)
        self.work = Work(engine, self.claims)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._engine.close()

    @property
    def where(self) -> str:
        return self._engine.where

    def emit(self, events: Sequence[Event]) -> int:
        """Events that come from no log. The number that were new."""
        with self._engine.writing():
            return append(self._engine, events)

    def positions(self) -> dict[tuple[str, str], Position]:
        """Every log's position, by log and inode; without those of transcripts."""
        return self._positions("positions")

    def transcript_positions(self) -> dict[tuple[str, str], Position]:
        """Those whose reader carries something over from line to line."""
        return self._positions("transcript_positions")

    def position(self, log: str, inode: str) -> Position | None:
        found = self._engine.rows("position", (self._machine, log, inode))
        return self._as_position(found[0]) if found else None

    def add_events(self, events: Sequence[Event], before: Position | None, after: Position) -> int | None:
        """Take a stretch of a log: its events and the position behind it, together or not at all.

        The number of events that were new, or None when the log's position is not `before` any more: another reader
        has taken the stretch.
        """
        return self._take(lambda: append(self._engine, events), before, after)

    def add_hook_errors(self, errors: Sequence[HookError], before: Position | None, after: Position) -> int | None:
        """As `add_events`."""
        return self._take(lambda: self._engine.many("add_hook_error", errors), before, after)

    def add_served(self, messages: Sequence[Served], before: Position | None, after: Position) -> int | None:
        """As `add_events`. A message comes in several lines, and again in the files of forks: one row has it, with the
        most of each count, in the name of the original, whichever came first.
        """
        return self._take(lambda: self._add_served([_row(message) for message in messages]), before, after)

    def forget_positions(self, positions: Iterable[Position]) -> None:
        with self._engine.writing():
            self._engine.many("forget_position", [(self._machine, *position[:2]) for position in positions])

    def events_between(self, since: str, until: str) -> Iterator[Event]:
        """The events of the prompts first decided in [since, until), whenever they came, and in no certain order.

        An event without a decided prompt belongs to its own time, so the parts of a period add up to the whole.
        """
        for row in self._engine.stream("events_between", {"since": since, "until": until}):
            yield Event(*row)

    def hook_errors_between(self, since: str, until: str) -> list[HookError]:
        return [HookError(*row) for row in self._engine.rows("hook_errors_between", {"since": since, "until": until})]

    def served_between(self, since: str, until: str) -> list[Served]:
        """As `events_between`: the messages of a prompt belong to when it was decided."""
        return [self._as_served(row) for row in self._engine.rows("served_between", {"since": since, "until": until})]

    def served_of(self, prompt_id: str) -> list[Served]:
        return [self._as_served(row) for row in self._engine.rows("served_of", (prompt_id,))]

    def time_of_prompt(self, prompt_id: str) -> str | None:
        """Of the first that is known of it."""
        found = self._engine.rows("time_of_prompt", {"prompt_id": prompt_id})[0][0]
        return None if found is None else str(found)

    def transcripts(self) -> list[Transcript]:
        """Every one that an event names."""
        return [Transcript(*row) for row in self._engine.rows("transcripts")]

    def bad_lines(self) -> int:
        """How many lines of the logs, as far as they are read, were no records."""
        return int(self._engine.rows("bad_lines")[0][0])

    def newest_seq(self) -> int:
        """The number of the event that was kept last; 0 where there is none."""
        return int(self._engine.rows("newest_seq")[0][0])

    def wait_for_events(self, after_seq: int, timeout_s: float) -> bool:
        """True as soon as there is an event with a higher number than `after_seq`; False after `timeout_s`."""
        return self._engine.wait(lambda: self.newest_seq() > after_seq, timeout_s)

    def count_before(self, ts: str) -> Kept:
        return Kept(*self._engine.rows("count_before", {"ts": ts})[0])._replace(
            work=work_listing.count_before(self._engine, ts)
        )

    def forget_before(self, ts: str) -> Kept:
        """Delete what is older; the number deleted."""
        with self._engine.writing():
            return Kept(
                remove_before(self._engine, ts),
                self._engine.run("forget_hook_errors_before", (ts,)),
                self._engine.run("forget_served_before", (ts,)),
                work_listing.forget_before(self._engine, ts),
            )

    def _take(self, add: Callable[[], int], before: Position | None, after: Position) -> int | None:
        with self._engine.writing():
            if self.position(after.log, after.inode) != before:
                return None
            added = add()
            self._engine.run("keep_position", (self._machine, *after))
            return added

    def _add_served(self, rows: Sequence[dict[str, object]]) -> int:
        added = self._engine.many("add_served", rows)
        self._engine.many("claim_served", rows)
        self._engine.many("complete_served", rows)
        return added

    def _positions(self, statement: str) -> dict[tuple[str, str], Position]:
        self._own_positions()
        found = self._engine.rows(statement, (self._machine,))
        return {(row[0], row[1]): self._as_position(row) for row in found}

    def _own_positions(self) -> None:
        """Those of a store that was beside its logs before it moved here. Who has other logs reads them anew, once."""
        if not self._machine or not self._engine.rows("unowned_positions")[0][0]:
            return
        with self._engine.writing():
            self._engine.run("own_positions", {"machine": self._machine})
            self._engine.run("forget_unowned_positions")

    def _as_position(self, row: Row) -> Position:
        position = Position(*row)
        check_numbers(self.where, "log_positions", (position.read_bytes, position.bad_lines))
        return position

    def _as_served(self, row: Row) -> Served:
        message = Served(*row)
        check_numbers(self.where, "served", row[_COUNTS])
        return message._replace(
            is_sidechain=bool(message.is_sidechain),
            is_copy=bool(message.is_copy),
            after_error=bool(message.after_error),
        )


def _row(message: Served) -> dict[str, object]:
    return {name: key(value) if isinstance(value, str) else value for name, value in message._asdict().items()}
