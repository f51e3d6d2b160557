"""The record of a workflow's run: its folder `<state>/runs/w-…`, what each step has made, its events.

Nothing here needs the engine: commands read it, the runner writes it.
"""

import dataclasses
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrate.workflow.spec import Value, Workflow
from state import codec, files, journal
from state.errors import NOT_FOUND, UserError
from state.paths import Place

PREFIX = "w-"
ENGINE = "orchestrate-dag1"  # another one cannot take up a run of this one: see `is_stranded`
RECORD, EVENTS, STEPS, CANCEL = "run.json", "events.jsonl", "steps", "cancel"
RUNNING, FINISHED, FAILED, CANCELLED = "running", "finished", "failed", "cancelled"
SKIPPED, STOPPED, KEPT = "skipped", "stopped", "kept"
_SPEC = "workflow.json"


@dataclass(frozen=True, slots=True)
class Header:
    """`run.json`. `epochs`: which beginning of a step counts, the first unless it was wanted anew."""

    run: str
    workflow: str
    path: str
    root: str
    project: str
    state: str
    user: str
    session: str
    started_at: str
    engine: str = ENGINE
    generation: int = 1
    status: str = RUNNING
    exit_code: int | None = None
    detail: str = ""
    finished_at: str = ""
    digest: str = ""
    max_parallel: int = 0
    steps: int = 0
    inputs: Mapping[str, Value] = field(default_factory=dict)
    epochs: Mapping[str, int] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        return folder(self.state, self.run)

    @property
    def durable_id(self) -> str:
        """What the engine knows it by: each generation is a run of its own there."""
        return f"{self.run}.{self.generation}"

    @property
    def is_over(self) -> bool:
        return self.status != RUNNING

    @property
    def is_stranded(self) -> bool:
        return not self.is_over and self.engine != ENGINE

    @property
    def place(self) -> Place:
        return Place(self.root, self.project, self.state, self.user or None, True)


@dataclass(frozen=True, slots=True)
class Result:
    """What a step, or one item of a step, has come to."""

    status: str
    value: Value = ""
    detail: str = ""
    exit_code: int = 0
    runs: tuple[str, ...] = ()  # of agents
    files: tuple[str, ...] = ()  # what later agents are handed
    model: str = ""
    tokens: int = 0
    took_s: float = 0.0
    generation: int = 0  # that it was made in

    def as_dict(self) -> dict[str, Any]:  # Any: what JSON holds
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> "Result":  # Any: what `as_dict` made, through JSON
        return cls(**{**told, "runs": tuple(told["runs"]), "files": tuple(told["files"])})


def new_id(now: float) -> str:
    return time.strftime(f"{PREFIX}%Y%m%d-%H%M%S-", time.gmtime(now)) + os.urandom(3).hex()


def folder(state: str, run: str) -> str:
    return f"{state}/runs/{run}"


def begin(header: Header, workflow: Workflow) -> None:
    journal.refuse_link(f"{header.state}/runs")
    files.folder(f"{header.folder}/{STEPS}")
    files.replace(f"{header.folder}/{_SPEC}", codec.dumps(workflow.as_dict()))
    save(header)


def save(header: Header) -> None:
    files.replace(f"{header.folder}/{RECORD}", codec.dumps(dataclasses.asdict(header)))


def workflow(header: Header) -> Workflow:
    """As it was when the run began, whatever has become of its file."""
    told = _load(f"{header.folder}/{_SPEC}")
    try:
        return Workflow.from_dict(told)
    except (KeyError, TypeError):
        raise UserError(f"{header.folder}/{_SPEC}: cannot be read: start the workflow anew") from None


def find(place: Place, name: str) -> Header:
    """The run of this id, or of this unique beginning of one; an empty name is the newest."""
    names = _names(place.state)
    found = [name] if name in names else [each for each in names if each.startswith(name)][: None if name else 1]
    if len(found) > 1:
        raise UserError(f"run {name!r}: {len(found)} runs begin so: give more of the id", NOT_FOUND)
    header = read(place.state, found[0]) if found else None
    if header is None:
        newest = f" (the newest is {names[0]})" if names else ""
        raise UserError(f"run {name!r}: there is none in {place.state}/runs{newest}", NOT_FOUND)
    return header


def listed(place: Place) -> list[Header]:
    """The newest first."""
    found = (read(place.state, name) for name in _names(place.state))
    return [header for header in found if header]


def read(state: str, run: str) -> Header | None:
    """Where it lies counts, not where it was begun: `orchestrate init` moves it along."""
    told = _load(f"{folder(state, run)}/{RECORD}")
    try:
        return Header(**{**told, "state": state} if told else {})  # what another version wrote is refused by its names
    except TypeError:
        return None


def tell(header: Header, kind: str, payload: Mapping[str, object]) -> None:
    """One line of the run's own events, which those who watch it follow."""
    line = {"ts": journal.stamp(time.time()), "type": kind, "run": header.run, **payload}
    journal.append(f"{header.folder}/{EVENTS}", codec.dumps(line))


def events(header: Header, since: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:  # Any: what JSON holds
    """From this byte on: each whole line, with where the next begins."""
    try:
        with Path(header.folder, EVENTS).open("rb") as file:
            file.seek(since)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                since += len(line)
                yield since, _parsed(line)
    except FileNotFoundError:
        return


def unit_folder(header: Header, unit: str, epoch: int) -> str:
    """`unit`: a step, one of its items, or a step of the workflow that it runs; a folder below the one of the step."""
    return f"{header.folder}/{STEPS}/{unit}/{epoch}"


def kept(path: str, generation: int) -> Result | None:
    """What was made there before; what had failed in an earlier generation is made again."""
    told = _load(f"{path}/result.json")
    try:
        result = Result.from_dict(told)
    except (KeyError, TypeError):
        return None
    return result if result.status == FINISHED or result.generation == generation else None


def keep(path: str, result: Result) -> None:
    """Once: what is there stays. Not fsynced: what a power cut takes the engine has, or is made again."""
    files.folder(path)
    draft = Path(path, f"result.{os.getpid()}.tmp")
    draft.write_bytes(codec.dumps(result.as_dict()))
    draft.replace(f"{path}/result.json")


def is_cancelled(header: Header) -> bool:
    return Path(header.folder, CANCEL).exists()


def _names(state: str) -> list[str]:
    try:
        with os.scandir(f"{state}/runs") as entries:
            return sorted((entry.name for entry in entries if entry.name.startswith(PREFIX)), reverse=True)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _load(path: str) -> dict[str, Any]:  # Any: what JSON holds
    """Of any size, other than what hooks read."""
    try:
        return _parsed(Path(path).read_bytes())
    except OSError:
        return {}


def _parsed(line: bytes) -> dict[str, Any]:  # Any: what JSON holds
    try:
        value = json.loads(line)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {}
