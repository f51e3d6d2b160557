"""What the verbs on tasks and sessions work with."""

import os
from collections.abc import Callable, Mapping
from typing import NamedTuple

from orchestrate.phases import machine, site
from orchestrate.phases.workflow import Workflow
from state.paths import Place
from state.snapshot import Value
from state.store import Store
from state.store.records import Event
from state.store.task_records import Task
from state.telling import Teller

Told = tuple[str, tuple[str, str], dict[str, object]]  # kind, entity, payload


class Desk(NamedTuple):
    place: Place
    store: Store
    workflow: Workflow
    settings: Mapping[str, Value]
    teller: Teller
    now: float
    warn: Callable[[str], None]  # one line for the user
    cwd: str  # where the user works, which may be another worktree of the project
    client: str | None = None  # the client's session that this is called from

    @property
    def site(self) -> site.Site:
        return site.of(self.place, self.cwd, os.environ.get("HOME", ""))

    def events(self, task: Task, key: str | None, told: list[Told]) -> list[Event]:
        """`key`: the task's session that they belong to."""
        return [
            self.teller.event(kind, entity, {"task_code": task.code, **payload}, task.code, key)
            for kind, entity, payload in told
        ]

    def task_event(self, task: Task, verb: str, payload: dict[str, object]) -> Event:
        told: Told = (f"orchestration.task.{verb}", ("task", task.code), payload)
        return self.events(task, machine.key_of(task), [told])[0]


def revised(desk: Desk, code: str, change: Callable[[Task], tuple[Task, list[Event]]]) -> Task:
    """A change that does not depend on the phase: done anew with what another process has made of the task."""
    while True:
        before = desk.store.tasks.one(code)
        after, told = change(before)
        if after == before or desk.store.tasks.revise(before, after, told):
            return after
