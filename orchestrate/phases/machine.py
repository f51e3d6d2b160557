"""The session of a task as it goes from phase to phase. Values in, values out: what is kept is metadata.session."""

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from orchestrate.phases.workflow import Phase, Workflow, after
from state.errors import FAILED, UserError
from state.journal import stamp as precise
from state.store.task_records import Task
from state.store.values import CHANGED

COMPLETED = "completed"
IN_PROGRESS = "in_progress"


class Session(NamedTuple):
    session_key: str
    started_at: str
    current_phase: str
    active: bool
    phase_history: Sequence[Mapping[str, str]] = ()

    def as_metadata(self) -> dict[str, object]:
        return {**self._asdict(), "phase_history": [dict(entry) for entry in self.phase_history]}


def stamp(now: float) -> str:
    """UTC to the second, as document 001 has it: `2025-01-13T14:30:22Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))


def session_of(task: Task) -> Session | None:
    """The last one that the task had."""
    kept = task.metadata.get("session")
    try:
        return Session(**kept) if kept else None
    except TypeError:  # a field is missing, or there is one more
        raise UserError(f"{task.code}: its session is not as it was written: {CHANGED}") from None


def active(task: Task) -> Session:
    found = session_of(task)
    if found is None or not found.active:
        new = " --new" if task.status == COMPLETED else ""
        raise UserError(f"{task.code}: has no active session: orchestrate session start {task.code}{new}", FAILED)
    return found


def key_of(task: Task) -> str | None:
    """Of the active session, if there is one."""
    found = session_of(task)
    return found.session_key if found and found.active else None


def kind_of(task: Task) -> str | None:
    kind = task.metadata.get("type")
    return kind if isinstance(kind, str) else None


def started(task: Task, key: str, first: Phase, now: float) -> Task:
    session = Session(key, stamp(now), first.name, True)
    return _with(task._replace(status=IN_PROGRESS), session, now)


def moved(task: Task, target: Phase, workflow: Workflow, now: float) -> Task:
    """To a later phase the one behind is completed; at an earlier one, what came from there on is undone."""
    session = active(task)
    current = workflow.phase(session.current_phase)
    if target.order > current.order:
        history = [*session.phase_history, {"phase": current.name, "completed_at": stamp(now)}]
    else:
        redone = [phase.name for phase in workflow.phases if phase.order >= target.order]
        history = [entry for entry in session.phase_history if entry["phase"] not in redone]
        task = _without_approvals(task, session.session_key, redone)
    return _with(task, session._replace(current_phase=target.name, phase_history=history), now)


def ended(task: Task, now: float, is_complete: bool) -> Task:
    session = active(task)
    if is_complete:
        history = [*session.phase_history, {"phase": session.current_phase, "completed_at": stamp(now)}]
        session, task = session._replace(phase_history=history), task._replace(status=COMPLETED)
    return _with(task, session._replace(active=False), now)


def target(workflow: Workflow, task: Task, to: str | None, may_skip: bool) -> Phase:
    """The phase that comes when the current one is completed."""
    phases = workflow.of_type(kind_of(task))
    current = workflow.phase(active(task).current_phase)
    following = after(phases, current)
    if to is None and following is None:
        raise UserError(f"{task.code}: {current.name} is its last phase: orchestrate session end {task.code}", FAILED)
    if following and to in (None, following.name):
        return following
    wanted = next((phase for phase in phases if phase.name == to), None)
    if wanted is None:
        have = ", ".join(phase.name for phase in phases)
        raise UserError(f"{task.code}: {to!r} is no phase of this task (have: {have})", FAILED)
    if wanted.name == current.name:
        raise UserError(f"{task.code}: is in {to} already", FAILED)
    if not may_skip:
        comes = following.name if following else "the end of the session"
        raise UserError(f"{task.code}: after {current.name} comes {comes}: workflow.allow_phase_skip is off", FAILED)
    return wanted


def is_approved(task: Task) -> bool:
    """Of the phase that its session is in now."""
    session = active(task)
    return (session.session_key, session.current_phase) in [
        (entry["session_key"], entry["phase"]) for entry in task.metadata.get("approvals", [])
    ]


def approved(task: Task, actor: str, now: float) -> Task:
    session = active(task)
    entry = {
        "session_key": session.session_key,
        "phase": session.current_phase,
        "at": stamp(now),
        "actor": actor,
    }
    return added(task, "approvals", entry)


def added(task: Task, name: str, *entries: Mapping[str, object]) -> Task:
    """One of the lists in its metadata, longer."""
    kept = [*task.metadata.get(name, []), *entries]
    return task._replace(metadata={**task.metadata, name: kept}) if entries else task


def _without_approvals(task: Task, key: str, phases: Sequence[str]) -> Task:
    kept = [
        entry
        for entry in task.metadata.get("approvals", [])
        if entry["session_key"] != key or entry["phase"] not in phases
    ]
    return task._replace(metadata={**task.metadata, "approvals": kept}) if "approvals" in task.metadata else task


def _with(task: Task, session: Session, now: float) -> Task:
    return task._replace(metadata={**task.metadata, "session": session.as_metadata()}, updated_at=precise(now))
