"""A file of events: one JSON object on each line, as in a session's log, compressed."""

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson

from state import files
from state.errors import UserError
from state.paths import Place
from state.store import Event
from state.store.search_records import Archive

FOLDER = "archive"
SUFFIX = ".jsonl.gz"


class Damage(UserError):
    """An archive that cannot be read to its end; whoever only reads goes on with the others."""

    def __init__(self, message: str, why: str) -> None:
        super().__init__(message)
        self.why = why


def write(place: Place, name: str, events: Iterable[Event], made_at: str) -> Archive:
    """Beside, to the disk, then under its name: a file that has its name is whole."""
    folder = f"{place.state}/{FOLDER}"
    files.folder(folder)
    path, draft = f"{folder}/{name}", f"{folder}/{name}.tmp"
    try:
        times, count = _write(draft, events)
        Path(draft).replace(path)
        files.sync_folder(folder)
        return Archive(name, times[0], times[1], count, Path(path).stat().st_size, digest(path), made_at)
    except OSError as error:
        Path(draft).unlink(missing_ok=True)
        raise files.failure(path, error) from error


def read(place: Place, name: str) -> Iterator[Event]:
    for line in lines(place, name):
        if event := event_of(line):
            yield event


def lines(place: Place, name: str) -> Iterator[bytes]:
    path = path_of(place, name)
    try:
        with gzip.open(path, "rb") as file:
            yield from file
    except (OSError, EOFError, zlib.error) as error:
        raise Damage(f"{path}: cannot be read as an archive ({error}): put back a copy of it", str(error)) from error


def path_of(place: Place, name: str) -> str:
    return f"{place.state}/{FOLDER}/{name}"


def event_of(line: bytes) -> Event | None:
    """None where the line is no event: somebody edited the file."""
    try:
        value = orjson.loads(line)
        entity, payload = value["entity"], _text(value["payload"])
        return Event(
            id=str(value["id"]),
            ts=str(value["ts"]),
            type=str(value["type"]),
            session=str(value["session"]),
            prompt_id=_word(value["prompt_id"]),
            actor=str(value["actor"]),
            entity_type=str(entity["type"]),
            entity_id=str(entity["id"]),
            payload=payload,
            task=_word(value["task"]),
            correlation=_word(value["correlation"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def present(place: Place) -> list[str]:
    """The names of the files that are whole; what is no file, such as a FIFO, might never be read to its end."""
    folder = Path(place.state, FOLDER)
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.glob(f"*{SUFFIX}") if os.path.isfile(path))  # noqa: PTH113  never raises


def drafts(place: Place) -> list[Path]:
    return sorted(Path(place.state, FOLDER).glob(f"*{SUFFIX}.tmp"))


def describe(place: Place, name: str, made_at: str) -> tuple[Archive, list[str]]:
    """What there is to know of a file that is there, and the ids of its events."""
    path = Path(place.state, FOLDER, name)
    known = [(event.ts, event.id) for event in read(place, name)]
    times = [ts for ts, _ in known] or [""]
    found = Archive(name, min(times), max(times), len(known), path.stat().st_size, digest(str(path)), made_at)
    return found, [key for _, key in known]


def line_of(event: Event) -> bytes:
    try:
        orjson.loads(event.payload)
        payload: object = orjson.Fragment(event.payload)
    except orjson.JSONDecodeError:  # somebody edited the store
        payload = {"text": event.payload}
    values = event._asdict()
    entity = {"type": values.pop("entity_type"), "id": values.pop("entity_id")}
    return orjson.dumps({**values, "entity": entity, "payload": payload}) + b"\n"


def _text(payload: object) -> str:
    try:
        return orjson.dumps(payload).decode()
    except orjson.JSONEncodeError:  # nested deeper than orjson writes, though it reads it
        return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))


def _word(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise TypeError(value)


def _write(path: str, events: Iterable[Event]) -> tuple[tuple[str, str], int]:
    first, last, count = "", "", 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as raw:
        # No time in it: the same events make the same file.
        with gzip.GzipFile("", "wb", 6, raw, mtime=0) as file:
            for event in events:
                file.write(line_of(event))
                first, last, count = min(first or event.ts, event.ts), max(last, event.ts), count + 1
        raw.flush()
        os.fsync(raw.fileno())
    return (first, last), count


def digest(path: str) -> str:
    with open(path, "rb") as file:  # noqa: PTH123  hashlib wants the file
        return hashlib.file_digest(file, "sha256").hexdigest()
