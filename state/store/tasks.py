"""Tasks and the sessions they are worked on in."""

from collections.abc import Sequence

import orjson

from state.errors import FAILED, NOT_FOUND, UserError
from state.store.appending import append
from state.store.engine import Engine, Row
from state.store.records import Event
from state.store.task_records import Metadata, Task, TaskSession, is_sound
from state.store.values import json_object

_SAME_ARTIFACT = ("path", "sha256", "added")


class Tasks:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, task: Task, told: Sequence[Event]) -> None:
        with self._engine.writing():
            self._require_sprint(task.sprint)
            if not self._engine.run("add_task", _row(task)):
                raise UserError(f"{task.code}: is a task already: give another code, or edit it", FAILED)
            append(self._engine, told)

    def find(self, code: str) -> Task | None:
        found = self._engine.rows("task", {"code": code})
        return _task(self._engine.where, found[0]) if found else None

    def one(self, code: str) -> Task:
        found = self.find(code)
        if found is None:
            raise UserError(f"{code}: no such task (codes are case-sensitive): `orchestrate task list`", NOT_FOUND)
        return found

    def listed(self, sprint: str | None = None, status: str | None = None) -> list[Task]:
        """The most urgent first, and among those the newest."""
        found = self._engine.rows("tasks", {"sprint": sprint, "status": status})
        return [_task(self._engine.where, row) for row in found]

    def revise(self, before: Task, after: Task, told: Sequence[Event], sessions: Sequence[TaskSession] = ()) -> bool:
        """Put `after` in the place of `before`, with the sessions that this starts or ends; False, and nothing done,
        when the task is not as `before` says any more."""
        with self._engine.writing():
            if self.find(before.code) != before:
                return False
            if after.sprint != before.sprint:
                self._require_sprint(after.sprint)
            self._engine.run("revise_task", _row(after))
            self._engine.many("keep_task_session", [session._asdict() for session in sessions])
            append(self._engine, told)
            return True

    def add_commit(self, code: str, commit: Metadata, told: Sequence[Event]) -> bool:
        """False where the task knows a commit of this hash in this phase already."""
        with self._engine.writing():
            task = self.one(code)
            known = list(task.metadata.get("commits", []))
            if any((one["hash"], one["phase"]) == (commit["hash"], commit["phase"]) for one in known):
                return False
            self._keep(task, "commits", [*known, dict(commit)], told)
            return True

    def link_pull_request(self, code: str, pull_request: Metadata, told: Sequence[Event]) -> None:
        with self._engine.writing():
            self._keep(self.one(code), "pull_request", dict(pull_request), told)

    def add_artifact(self, code: str, name: str, artifact: Metadata, told: Sequence[Event]) -> Metadata | None:
        """What is on record already where that is the same file, put there in the same way; nothing is done then."""
        with self._engine.writing():
            task = self.one(code)
            known: dict[str, Metadata] = task.metadata.get("artifacts", {})
            before = known.get(name)
            if before is not None and all(before.get(key) == artifact.get(key) for key in _SAME_ARTIFACT):
                return before
            self._keep(task, "artifacts", {**known, name: dict(artifact)}, told)
            return None

    def sessions(self, code: str) -> list[TaskSession]:
        """Oldest first."""
        return [TaskSession(*row) for row in self._engine.rows("task_sessions", {"task": code})]

    def session(self, key: str) -> TaskSession | None:
        found = self._engine.rows("task_session", {"session_key": key})
        return TaskSession(*found[0]) if found else None

    def _keep(self, task: Task, key: str, value: object, told: Sequence[Event]) -> None:
        now = told[0].ts if told else task.updated_at
        changed = task._replace(metadata={**task.metadata, key: value}, updated_at=now)
        self._engine.run("revise_task", _row(changed))
        append(self._engine, told)

    def _require_sprint(self, code: str | None) -> None:
        if code is not None and not self._engine.rows("sprint", {"code": code}):
            raise UserError(f"{code}: no such sprint (codes are case-sensitive): `orchestrate sprint list`", NOT_FOUND)


def _row(task: Task) -> dict[str, object]:
    return {**task._asdict(), "metadata": orjson.dumps(task.metadata).decode()}


def _task(where: str, row: Row) -> Task:
    task = Task(*row)
    what = f"tasks: {task.code}: metadata"
    return task._replace(metadata=json_object(where, what, str(task.metadata), is_sound))
