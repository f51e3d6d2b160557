"""Where the active sessions of a project stand, in one small file that hooks read."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from orchestrate.phases import artifacts, guidance, machine
from orchestrate.phases.site import Site
from orchestrate.phases.workflow import Workflow
from state import files, journal, snapshot
from state.paths import Place
from state.store.task_records import Task

_GOAL_MOST = 200
_REQUIRED_MOST = 20
_TASKS_MOST = 50
Entry = Mapping[str, Any]  # Any: of a file that anybody may have written


def write(site: Site, task: Task, workflow: Workflow, client: str | None) -> None:
    """This task last: of several that fit, hooks take the one touched last. `client`: the client's session that it is
    worked on in; where none is known it stays as it was, and without any it stands for every session."""
    place = site.place
    with _alone(place):
        kept = _read(place)
        before = next((entry for entry in kept if entry.get("task") == task.code), {})
        entry = {**_entry(task, workflow), "root": site.top, "client": client or before.get("client")}
        _replace(place, [*_others(kept, task.code), entry])


def forget(place: Place, code: str) -> None:
    if not Path(_path(place)).exists():
        return
    with _alone(place):
        _replace(place, _others(_read(place), code))


@contextmanager
def _alone(place: Place) -> Iterator[None]:
    """No other command rewrites the file meanwhile. Who waits too long goes on: the next command writes it anew."""
    path = f"{_path(place)}.lock"
    files.folder(str(Path(path).parent))
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise files.failure(path, error) from error
    try:
        journal.lock(fd)
        yield
    finally:
        os.close(fd)  # releases the lock too


def _entry(task: Task, workflow: Workflow) -> dict[str, object]:
    session = machine.active(task)
    phase = workflow.phase(session.current_phase)
    shown = guidance.of(workflow, task, phase)
    required = [name for name in phase.required if not artifacts.is_pattern(name)]
    recorded: Mapping[str, Entry] = task.metadata.get("artifacts", {})
    return {
        "task": task.code,
        "key": session.session_key,
        "since": artifacts.begun_s(session),
        "phase": phase.name,
        "position": shown.position,
        "goal": " ".join(phase.goal.split())[:_GOAL_MOST],
        "required": required[:_REQUIRED_MOST],
        "recorded": {name: recorded[name]["path"] for name in required if _counts(recorded.get(name), session)},
        "command": shown.command,
    }


def _counts(entry: Entry | None, session: machine.Session) -> bool:
    return entry is not None and artifacts.is_of(entry, session)


def _others(kept: list[Entry], code: str) -> list[Entry]:
    return [entry for entry in kept if entry.get("task") != code][-_TASKS_MOST:]


def _replace(place: Place, entries: list[Entry]) -> None:
    path = _path(place)
    if entries:
        files.replace(path, orjson.dumps({"v": 1, "tasks": entries}))
    else:  # hooks look no further where there is no file
        Path(path).unlink(missing_ok=True)


def _read(place: Place) -> list[Entry]:
    try:
        kept = orjson.loads(files.read(_path(place)) or b"{}")
        return [entry for entry in kept["tasks"] if isinstance(entry, dict)]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return []


def _path(place: Place) -> str:
    return snapshot.phase_file(place)
