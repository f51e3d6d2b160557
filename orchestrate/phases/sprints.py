"""Creating sprints and changing them."""

from collections.abc import Mapping, Sequence

from orchestrate.phases.desk import Desk, revised
from orchestrate.phases.fields import without
from state.journal import stamp
from state.store.records import Event
from state.store.task_records import Sprint, Task


def create(desk: Desk, sprint: Sprint) -> Sprint:
    now = stamp(desk.now)
    sprint = sprint._replace(created_at=now, updated_at=now)
    payload: dict[str, object] = {"title": sprint.title, "status": sprint.status}
    desk.store.sprints.create(sprint, [_event(desk, sprint.code, "created", payload)])
    return sprint


def edit(
    desk: Desk, code: str, columns: Mapping[str, str], metadata: Mapping[str, object], unset: Sequence[str]
) -> Sprint:
    while True:
        before = desk.store.sprints.one(code)
        merged = {**without(before.metadata, unset), **metadata}
        after = before._replace(metadata=merged, **columns)
        if after == before:
            return before
        after = after._replace(updated_at=stamp(desk.now))
        changed = [name for name in ("title", "status", "metadata") if getattr(before, name) != getattr(after, name)]
        shown = {name: {"from": getattr(before, name), "to": getattr(after, name)} for name in changed}
        if desk.store.sprints.revise(before, after, [_event(desk, code, "updated", {"changed": shown})]):
            return after


def add_tasks(desk: Desk, code: str, tasks: Sequence[str]) -> list[str]:
    """The tasks that were not in it."""
    desk.store.sprints.one(code)
    for task in tasks:
        desk.store.tasks.one(task)
    return [task for task in tasks if _moved(desk, task, code)]


def _moved(desk: Desk, task_code: str, sprint: str) -> bool:
    was_elsewhere = False

    def into(before: Task) -> tuple[Task, list[Event]]:
        nonlocal was_elsewhere
        was_elsewhere = before.sprint != sprint
        after = before._replace(sprint=sprint)
        if not was_elsewhere:
            return before, []
        changed = {"sprint": {"from": before.sprint, "to": sprint}}
        return after._replace(updated_at=stamp(desk.now)), [
            desk.task_event(after, "updated", {"changed": changed}),
            _event(desk, sprint, "updated", {"added": [task_code]}),
        ]

    revised(desk, task_code, into)
    return was_elsewhere


def _event(desk: Desk, code: str, verb: str, payload: dict[str, object]) -> Event:
    return desk.teller.event(f"orchestration.sprint.{verb}", ("sprint", code), {"sprint_code": code, **payload})
