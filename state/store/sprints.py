"""Sprints: tasks under one heading."""

from collections.abc import Sequence

import orjson

from state.errors import FAILED, NOT_FOUND, UserError
from state.store.appending import append
from state.store.engine import Engine, Row
from state.store.records import Event
from state.store.task_records import Sprint
from state.store.values import json_object


class Sprints:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, sprint: Sprint, told: Sequence[Event]) -> None:
        with self._engine.writing():
            if not self._engine.run("add_sprint", _row(sprint)):
                raise UserError(f"{sprint.code}: is a sprint already: give another code, or edit it", FAILED)
            append(self._engine, told)

    def find(self, code: str) -> Sprint | None:
        found = self._engine.rows("sprint", {"code": code})
        return _sprint(self._engine.where, found[0]) if found else None

    def one(self, code: str) -> Sprint:
        found = self.find(code)
        if found is None:
            raise UserError(f"{code}: no such sprint (codes are case-sensitive): `orchestrate sprint list`", NOT_FOUND)
        return found

    def listed(self, status: str | None = None) -> list[Sprint]:
        """The newest first."""
        return [_sprint(self._engine.where, row) for row in self._engine.rows("sprints", {"status": status})]

    def revise(self, before: Sprint, after: Sprint, told: Sequence[Event]) -> bool:
        """Put `after` in the place of `before`; False, and nothing done, when it is not as `before` says any more."""
        with self._engine.writing():
            if self.find(before.code) != before:
                return False
            self._engine.run("revise_sprint", _row(after))
            append(self._engine, told)
            return True


def _row(sprint: Sprint) -> dict[str, object]:
    return {**sprint._asdict(), "metadata": orjson.dumps(sprint.metadata).decode()}


def _sprint(where: str, row: Row) -> Sprint:
    sprint = Sprint(*row)
    return sprint._replace(metadata=json_object(where, f"sprints: {sprint.code}: metadata", str(sprint.metadata)))
