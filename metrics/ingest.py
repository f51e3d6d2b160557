"""Session logs to facts in the store: every complete line exactly once, whatever is killed or reads beside."""

import os
from collections.abc import Callable, Sequence
from typing import BinaryIO, Generic, NamedTuple, TypeVar

from metrics.lines import parse_event, parse_hook_error
from metrics.logs import Log, event_logs, head, hook_error_logs, is_continued
from state.paths import Place
from state.store import Event, HookError, Position, Served, Store

Row = TypeVar("Row", bound=Event | HookError | Served)
Parsed = tuple[list[Row], int, str | None]  # the rows of a stretch, its bad lines, what the next stretch has to know
CHUNK_BYTES = 2 << 20  # a few thousand events in one transaction


class Ingested(NamedTuple):
    events: int  # that were new
    files: int
    bad_lines: int
    torn: int  # logs whose last line waits for its newline
    unreadable: int  # logs that may not be opened
    hook_errors: int  # that were new


class Reading(NamedTuple):
    added: int = 0
    bad_lines: int = 0
    torn: bool = False
    unreadable: bool = False


def ingest(
    place: Place, store: Store, chunk_bytes: int = CHUNK_BYTES, tell: Callable[[int], None] = lambda _added: None
) -> Ingested:
    """`tell` hears the number of events added so far, from time to time."""
    known = store.positions()
    logs, error_logs = list(event_logs(place)), list(hook_error_logs(place))
    events = Reader(_by_line(parse_event), store.add_events, store.position, chunk_bytes, tell=tell)
    errors = Reader(_by_line(parse_hook_error), store.add_hook_errors, store.position, chunk_bytes)
    read = [events.read(log, known.get((log.name, log.inode))) for log in logs]
    read_errors = [errors.read(log, known.get((log.name, log.inode))) for log in error_logs]
    _forget_deleted(known, logs + error_logs, store)
    both = read + read_errors
    return Ingested(
        events=sum(reading.added for reading in read),
        files=len(both),
        bad_lines=sum(reading.bad_lines for reading in both),
        torn=sum(reading.torn for reading in both),
        unreadable=sum(reading.unreadable for reading in both),
        hook_errors=sum(reading.added for reading in read_errors),
    )


def _forget_deleted(known: dict[tuple[str, str], Position], logs: Sequence[Log], store: Store) -> None:
    present = {(log.name, log.inode) for log in logs}
    if deleted := [position for key, position in known.items() if key not in present]:
        store.forget_positions(deleted)


def _by_line(parse: Callable[[bytes], Row | None]) -> Callable[[bytes, str | None], Parsed[Row]]:
    """Blank lines are no loss: an append after a torn line begins with a newline."""

    def parsed(stretch: bytes, _carried: str | None) -> Parsed[Row]:
        lines = [line for line in stretch.split(b"\n") if line.strip()]
        rows = [row for row in map(parse, lines) if row is not None]
        return rows, len(lines) - len(rows), None

    return parsed


class Reader(Generic[Row]):
    """Reads files of one kind from where the store says it has got to."""

    def __init__(
        self,
        parse: Callable[[bytes, str | None], Parsed[Row]],
        add: Callable[[Sequence[Row], Position | None, Position], int | None],
        position: Callable[[str, str], Position | None],
        chunk_bytes: int,
        is_continued: Callable[[BinaryIO, int, Position], bool] = is_continued,
        tell: Callable[[int], None] = lambda _added: None,
    ) -> None:
        self._parse = parse
        self._add = add
        self._position = position
        self._chunk_bytes = chunk_bytes
        self._is_continued = is_continued
        self._tell = tell
        self._added = 0

    def read(self, log: Log, position: Position | None) -> Reading:
        if log.size == (position.read_bytes if position else 0):
            return Reading()
        try:
            file = open(log.path, "rb")  # noqa: PTH123, SIM115  closed below; only opening it may fail quietly
        except FileNotFoundError:
            return Reading()
        except OSError:
            return Reading(unreadable=True)
        with file:
            if str(os.fstat(file.fileno()).st_ino) != log.inode:  # rotated meanwhile: the next ingest sees both files
                return Reading()
            return self._follow(file, log, position)

    def _follow(self, file: BinaryIO, log: Log, position: Position | None) -> Reading:
        added = bad_lines = 0
        start = self._start(file, position)
        while stretch := self._complete_lines(file, start):
            before = position if start else None
            rows, bad, carried = self._parse(stretch, before.carried if before else None)
            after = _behind(file, log, start + len(stretch), before, rows, bad)._replace(carried=carried)
            new = self._add(rows, position, after)
            if new is None:  # another reader took this stretch
                position = self._position(log.name, log.inode)
                start = self._start(file, position)
                continue
            added, bad_lines, position, start = added + new, bad_lines + bad, after, after.read_bytes
            self._added += new
            self._tell(self._added)
        return Reading(added, bad_lines, torn=os.fstat(file.fileno()).st_size > start)

    def _complete_lines(self, file: BinaryIO, start: int) -> bytes:
        wanted = self._chunk_bytes
        while True:
            file.seek(start)
            data = file.read(wanted)
            end = data.rfind(b"\n") + 1
            if end or len(data) < wanted:
                return data[:end]
            wanted *= 2  # a line longer than the chunk

    def _start(self, file: BinaryIO, position: Position | None) -> int:
        size = os.fstat(file.fileno()).st_size
        return position.read_bytes if position and self._is_continued(file, size, position) else 0


def _behind(
    file: BinaryIO, log: Log, read_bytes: int, before: Position | None, rows: Sequence[Row], bad_lines: int
) -> Position:
    newest = max((row.ts for row in rows), default=None)
    if before is not None:
        bad_lines += before.bad_lines
        newest = max(filter(None, (newest, before.last_ts)), default=None)
    return Position(log.name, log.inode, read_bytes, head(file, read_bytes), bad_lines, newest)
