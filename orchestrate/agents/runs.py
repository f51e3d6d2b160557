"""The record of a run: its folder `<state>/runs/<id>` and two events in the session's log.

Nothing here stops a run: what cannot be written is told once, and the run goes on without.
"""

import errno
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from orchestrate.agents import record as records
from orchestrate.agents.record import Facts, Record
from state import codec, files, journal
from state.errors import NOT_FOUND, UserError
from state.paths import Place

RECORD, STREAM, ANSWER = "run.json", "stream.jsonl", "answer.md"
ACTOR = "orchestrate-request"


class Kept(NamedTuple):
    run: str
    folder: str
    record: dict[str, object]  # of a run that has not finished, or was killed: without its outcome

    @property
    def is_finished(self) -> bool:
        return self.record.get("outcome") is not None


class Run:
    """A run while it lasts."""

    def __init__(
        self, place: Place, facts: Facts, run: str, warn: Callable[[str], None], correlation: str | None = None
    ) -> None:
        self.id = run
        self.folder = f"{_folder(place)}/{run}"
        self.facts = facts
        self._place = place
        self._warn = warn
        self._correlation = correlation
        self._warned = False
        self._finished = False
        self._stream: BinaryIO | None = None

    def begin(self, now: float) -> None:
        facts = self.facts
        draft = {
            "run": self.id,
            "session": facts.session,
            "prompt_id": facts.prompt_id,
            "decision": {"agent": facts.agent, "tier": facts.tier},
            "outcome": None,
            "started_at": journal.stamp(now),
            "pid": os.getpid(),
        }
        started = {key: value for key, value in facts._asdict().items() if key not in ("session", "decided_ms")}
        self._try(lambda: self._open(codec.dumps(draft)))
        self._try(lambda: self._tell("started", {**started, "overhead_ms": 0.0}, now))

    def keep(self, line: bytes) -> None:
        """One line of the client's stream."""
        stream = self._stream
        if stream is not None and not self._try(lambda: _append(stream, line)):
            self._close()

    def finish(self, record: Record, now: float) -> None:
        """Once: a second call, as from a signal's handler, changes nothing."""
        if self._finished:
            return
        self._finished = True
        self._close()
        told = records.redacted(record)
        if told["answer"]:
            self._try(lambda: files.replace(f"{self.folder}/{ANSWER}", told["answer"].encode("utf-8", "replace")))
        self._try(lambda: files.replace(f"{self.folder}/{RECORD}", codec.dumps(told)))
        ours_ms = round(told["overhead_ms"] - self.facts.decided_ms, 1)
        self._try(lambda: self._tell("finished", {**records.payload(told), "overhead_ms": ours_ms}, now))

    def _open(self, draft: bytes) -> None:
        files.folder(self.folder)
        _write_new(f"{self.folder}/{RECORD}", draft)
        self._stream = os.fdopen(_create(f"{self.folder}/{STREAM}"), "wb", buffering=0)

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _tell(self, verb: str, payload: dict[str, object], now: float) -> None:
        facts, kind, entity = self.facts, f"orchestration.run.{verb}", ("run", self.id)
        prompt, told_by = (facts.session, facts.prompt_id), (ACTOR, self._correlation)
        event = journal.event(self._place, kind, *prompt, entity, payload, now, *told_by)
        journal.record(self._place, event)

    def _try(self, action: Callable[[], None]) -> bool:
        try:
            action()
        except (OSError, UserError) as error:
            if not self._warned:
                self._warned = True
                self._warn(f"the record of run {self.id} is incomplete: {_told(self.folder, error)}")
            return False
        return True


def begin(place: Place, facts: Facts, now: float, warn: Callable[[str], None], correlation: str | None = None) -> Run:
    """`warn` is given one line, once, when the record cannot be written."""
    run = Run(place, facts, new_id(now), warn, correlation)
    run.begin(now)
    return run


def new_id(now: float) -> str:
    return time.strftime("r-%Y%m%d-%H%M%S-", time.gmtime(now)) + os.urandom(3).hex()


def find(place: Place, name: str) -> Kept:
    """The run of this id, or of this unique beginning of one."""
    names = _names(place)
    found = [name] if name in names else [each for each in names if name and each.startswith(name)]
    if len(found) == 1:
        return _kept(place, found[0])
    if found:
        raise UserError(f"run {name!r}: {len(found)} runs begin so: give more of the id", NOT_FOUND)
    newest = f" (the newest is {names[0]})" if names else ""
    raise UserError(f"run {name!r}: there is none in {_folder(place)}{newest}", NOT_FOUND)


def listed(place: Place) -> list[Kept]:
    """The newest first."""
    return [_kept(place, name) for name in _names(place)]


def remove_old(place: Place, since: float, dry_run: bool) -> list[str]:
    """The runs that nothing was written of since: a run that goes on writes its stream."""
    old = [name for name in _names(place) if _last_written(f"{_folder(place)}/{name}") < since]
    if not dry_run:
        for name in old:
            shutil.rmtree(f"{_folder(place)}/{name}", ignore_errors=True)
    return old


def _last_written(folder: str) -> float:
    return max((entry.stat().st_mtime for entry in os.scandir(folder)), default=Path(folder).stat().st_mtime)


def answer(kept: Kept) -> str:
    """All of it, also where its record has only the beginning."""
    raw = files.read(f"{kept.folder}/{ANSWER}")
    return str(kept.record.get("answer") or "") if raw is None else raw.decode("utf-8", "replace")


def _folder(place: Place) -> str:
    return f"{place.state}/runs"


def _names(place: Place) -> list[str]:
    try:
        with os.scandir(_folder(place)) as entries:
            return sorted((entry.name for entry in entries if entry.name.startswith("r-")), reverse=True)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _kept(place: Place, name: str) -> Kept:
    folder = f"{_folder(place)}/{name}"
    try:
        record = codec.loads(Path(folder, RECORD).read_bytes())
    except (OSError, ValueError):  # the disk was full, or a crash cut its beginning
        record = None
    return Kept(name, folder, record if isinstance(record, dict) else {"run": name, "outcome": None})


def _append(stream: BinaryIO, line: bytes) -> None:
    data = line.rstrip(b"\r\n") + b"\n"
    if stream.write(data) != len(data):  # a full disk took a part
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _write_new(path: str, data: bytes) -> None:
    """Not synced: what a crash leaves of it is a run that has not finished, whatever it says."""
    with os.fdopen(_create(path), "wb") as file:
        file.write(data)


def _create(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)


def _told(folder: str, error: OSError | UserError) -> str:
    return str(files.failure(folder, error)) if isinstance(error, OSError) else str(error)
