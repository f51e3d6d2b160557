"""The client's own transcripts to served messages in the store, each file from where its reading stopped."""

import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from metrics import ledger_lines, logs
from metrics.ingest import CHUNK_BYTES, Parsed, Reader
from metrics.ledger_lines import Source
from metrics.lines import json_object
from metrics.logs import HIDDEN, Log
from state.store import Position, Served, Store, Transcript

_AGENT = "agent-"
_LINES = ".jsonl"


class Taken(NamedTuple):
    messages: int  # that were new
    files: int
    torn: int  # files whose last line waits for its newline
    unreadable: int  # files that may not be opened


def take(store: Store, chunk_bytes: int = CHUNK_BYTES) -> Taken:
    """What is new in the transcripts that the events name. The logs have to be ingested before."""
    known = store.transcript_positions()
    # A path that two sessions name belongs to the one that it is named after.
    told = sorted(find(store.transcripts()), key=lambda transcript: (transcript.session in transcript.path, transcript))
    files = {transcript.path: transcript for transcript in told}
    found = [(log, transcript) for path, transcript in files.items() if (log := _log(path))]
    read = [
        Reader(_parser(transcript), store.add_served, store.position, chunk_bytes, _is_continued).read(
            log, known.get((log.name, log.inode))
        )
        for log, transcript in found
    ]
    present = {(log.name, log.inode) for log, _ in found}
    if vanished := [position for key, position in known.items() if key not in present]:
        store.forget_positions(vanished)
    return Taken(
        messages=sum(reading.added for reading in read),
        files=len(read),
        torn=sum(reading.torn for reading in read),
        unreadable=sum(reading.unreadable for reading in read),
    )


def find(told: Iterable[Transcript]) -> Iterator[Transcript]:
    """Each one told of, and those of the agents that lie beside it."""
    for transcript in told:
        yield transcript
        path = Path(transcript.path)
        if path.suffix == _LINES and not path.name.startswith(_AGENT):
            for agent in _agents(path.with_suffix("") / "subagents"):
                yield transcript._replace(path=agent)


def _agents(folder: Path) -> list[str]:
    """Also those of a workflow, which lie deeper."""
    try:
        return sorted(str(path) for path in folder.rglob(f"{_AGENT}*{_LINES}"))
    except OSError:  # it vanishes while it is looked through
        return []


def _log(path: str) -> Log | None:
    try:
        found = Path(path).stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the path
        return None
    except OSError:
        return Log(path, path, HIDDEN, -1)
    return Log(path, path, str(found.st_ino), found.st_size) if stat.S_ISREG(found.st_mode) else None


def _parser(transcript: Transcript) -> Callable[[bytes, str | None], Parsed[Served]]:
    """What lies beside the file is read with its new lines, as most files have none."""
    return lambda stretch, carried: ledger_lines.parse(stretch, carried, _source(transcript))


def _source(transcript: Transcript) -> Source:
    path = Path(transcript.path)
    source = Source(transcript.session, transcript.since)
    if not path.name.startswith(_AGENT):
        return source
    meta = _meta(path.with_suffix(".meta.json"))
    return source._replace(
        agent_id=path.stem.removeprefix(_AGENT),
        tool_use_id=meta.get("toolUseId"),
        agent_type=meta.get("agentType"),
        spawn_model=meta.get("model"),
        parent_agent_id=meta.get("parentAgentId"),
    )


def _meta(path: Path) -> dict[str, str]:
    try:
        value = json_object(path.read_bytes())
    except OSError:
        value = None
    return {name: word for name, word in (value or {}).items() if isinstance(word, str) and word}


def _is_continued(file: BinaryIO, size: int, position: Position) -> bool:
    """The client also cuts a transcript and writes on: the end of what was read must still stand there."""
    if not logs.is_continued(file, size, position) or position.carried is None:
        return False
    start = max(0, position.read_bytes - ledger_lines.TAIL_BYTES)
    file.seek(start)
    return ledger_lines.ends_as(position.carried, file.read(position.read_bytes - start))
