"""Creating tasks and changing them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from orchestrate.phases import artifacts, machine, telling
from orchestrate.phases.desk import Desk, Told, revised
from orchestrate.phases.fields import without
from state.errors import FAILED, UserError
from state.journal import stamp
from state.store.records import Event
from state.store.task_records import Metadata, Task

COLUMNS = ("title", "description", "sprint", "priority")


class Change(NamedTuple):
    columns: Mapping[str, object]
    metadata: Mapping[str, object]
    unset: Sequence[str] = ()


def create(desk: Desk, task: Task) -> Task:
    now = stamp(desk.now)
    task = task._replace(created_at=now, updated_at=now)
    kind = machine.kind_of(task)
    if kind and kind not in desk.workflow.variants:
        desk.warn(f"{kind}: no variant of this name in {desk.workflow.path}: the task takes all phases")
    shown = {name: getattr(task, name) for name in ("title", "status", "priority", "sprint")}
    asked = {"description": task.description, "acceptance_criteria": task.metadata.get("acceptance_criteria")}
    shown |= {name: value for name, value in asked.items() if value}
    desk.store.tasks.create(task, [desk.task_event(task, "created", {**shown, "type": kind})])
    return task


def edit(desk: Desk, code: str, change: Change) -> Task:
    """Nothing is told where nothing changes."""

    def changed(before: Task) -> tuple[Task, list[Event]]:
        metadata = {**without(before.metadata, change.unset), **change.metadata}
        after = before._replace(metadata=metadata, **change.columns)  # type: ignore[arg-type]  # as the options have them
        if after == before:
            return before, []
        after = after._replace(updated_at=stamp(desk.now))
        return after, [desk.task_event(after, "updated", {"changed": _differences(before, after)})]

    return revised(desk, code, changed)


def set_status(desk: Desk, code: str, status: str, reason: str = "") -> Task:
    def changed(before: Task) -> tuple[Task, list[Event]]:
        session = machine.key_of(before)
        if status == machine.COMPLETED and session:
            raise UserError(f"{code}: its session {session} is active: orchestrate session end {code}", FAILED)
        after = before._replace(status=status)
        if after == before:
            return before, []
        told = telling.status_updated(before, after, reason)
        return after._replace(updated_at=stamp(desk.now)), desk.events(after, session, told)

    return revised(desk, code, changed)


class Recorded(NamedTuple):
    name: str
    entry: Metadata
    is_changed: bool  # else it was on record so


def add_artifact(desk: Desk, code: str, given: str, name: str | None) -> Recorded:
    """A file of the project, put on record as it is now."""
    task = desk.store.tasks.one(code)
    session = machine.session_of(task)
    phase, key = (session.current_phase, session.session_key) if session and session.active else (None, None)
    artifact = artifacts.named(desk.site, given, desk.cwd)
    entry = {**artifacts.recorded(artifact, phase, key, desk.now), "added": artifacts.BY_HAND}
    known = name or artifact.name
    told: Told = telling.artifact_recorded(known, entry)
    before = desk.store.tasks.add_artifact(code, known, entry, desk.events(task, key, [told]))
    return Recorded(known, before or entry, before is None)


def _differences(before: Task, after: Task) -> dict[str, object]:
    found: dict[str, object] = {
        name: {"from": getattr(before, name), "to": getattr(after, name)}
        for name in COLUMNS
        if getattr(before, name) != getattr(after, name)
    }
    names = {**before.metadata, **after.metadata}
    one, other = before.metadata, after.metadata
    return found | {
        f"metadata.{name}": {"from": one.get(name), "to": other.get(name)}
        for name in names
        if one.get(name) != other.get(name)
    }
