"""Starting the session of a task, or going on with the one there is."""

import time
from typing import NamedTuple

from orchestrate.phases import guidance, hooks, machine, standing, telling
from orchestrate.phases.desk import Desk, Told
from orchestrate.phases.guidance import Guidance
from orchestrate.phases.machine import Session
from state.errors import FAILED, UserError
from state.store.records import Event
from state.store.task_records import Task, TaskSession

RESTART, NEW = "restart", "new"
REPLACED = "replaced"


class Started(NamedTuple):
    task: Task
    session: Session
    resuming: bool
    guidance: Guidance


def start(desk: Desk, code: str, how: str = "") -> Started:
    """`how`: RESTART begins again under the same key, NEW under another; else an active session goes on."""
    while True:
        before = desk.store.tasks.one(code)
        known = machine.session_of(before)
        if known and known.active and not how:
            return _resumed(desk, before, known)
        if before.status == machine.COMPLETED and how != NEW:
            raise UserError(f"{code}: is completed: orchestrate session start {code} --new opens it again", FAILED)
        begun = _begun(desk, before, known, how)
        if begun:
            standing.write(desk.site, begun.task, desk.workflow, desk.client)
            return begun


def _resumed(desk: Desk, task: Task, session: Session) -> Started:
    phase = desk.workflow.phase(session.current_phase)
    payload: dict[str, object] = {"session_key": session.session_key, "phase": phase.name, "client": desk.client}
    told: Told = ("orchestration.session.resumed", ("session", session.session_key), payload)
    desk.store.emit(desk.events(task, session.session_key, [told]))
    standing.write(desk.site, task, desk.workflow, desk.client)
    return Started(task, session, True, guidance.of(desk.workflow, task, phase))


def _begun(desk: Desk, before: Task, known: Session | None, how: str) -> Started | None:
    """None when another process has changed the task meanwhile."""
    first = desk.workflow.of_type(machine.kind_of(before))[0]
    again = known if known and known.active and how == RESTART else None
    key = again.session_key if again else _free_key(desk, before.code)
    after = machine.started(before, key, first, desk.now)
    commits = hooks.commits(desk, after, first, "on_start")
    after = machine.added(after, "commits", *commits.kept)
    coming = guidance.of(desk.workflow, after, first)
    payload: dict[str, object] = {"session_key": key, "client": desk.client, "restarted": again is not None}
    told: list[Told] = [
        ("orchestration.session.start", ("session", key), payload),
        *telling.status_updated(before, after),
        *telling.phase_started(first, coming),
        *commits.told,
    ]
    ended = [] if again or not known or not known.active else [known]
    events = [*_replaced(desk, before, ended), *desk.events(after, key, told)]
    if not desk.store.tasks.revise(before, after, events, _rows(desk, before, key, ended)):
        return None
    return Started(after, machine.active(after), False, coming)


def _replaced(desk: Desk, task: Task, ended: list[Session]) -> list[Event]:
    events: list[Event] = []
    for one in ended:
        payload: dict[str, object] = {"session_key": one.session_key, "phase": one.current_phase, "outcome": REPLACED}
        told: Told = ("orchestration.session.end", ("session", one.session_key), payload)
        events += desk.events(task, one.session_key, [told])
    return events


def _rows(desk: Desk, task: Task, key: str, ended: list[Session]) -> list[TaskSession]:
    now = machine.stamp(desk.now)
    closed = [TaskSession(one.session_key, task.code, one.started_at, now, REPLACED) for one in ended]
    return [*closed, TaskSession(key, task.code, now, None, None)]


def _free_key(desk: Desk, code: str) -> str:
    """`sess_<task>_<date>_<time>`, in UTC; the second session of one second takes the next one."""
    now = desk.now
    while desk.store.tasks.session(key := f"sess_{code}_{time.strftime('%Y%m%d_%H%M%S', time.gmtime(now))}"):
        now += 1
    return key
