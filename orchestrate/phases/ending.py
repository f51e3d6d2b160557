"""Ending the session of a task."""

from collections.abc import Mapping
from typing import NamedTuple

from orchestrate.phases import artifacts, checks, completing, hooks, machine, standing, syncing, telling
from orchestrate.phases.checks import Findings
from orchestrate.phases.desk import Desk, Told
from orchestrate.phases.machine import Session
from orchestrate.phases.syncing import Synced
from orchestrate.phases.workflow import Phase, after
from state.errors import FAILED, UserError
from state.store.task_records import Metadata, Task, TaskSession

COMPLETED, FORCED = "completed", "forced"


class Ended(NamedTuple):
    task: Task
    session_key: str
    phase: str
    outcome: str  # completed, forced; empty where it did not end
    findings: Findings
    synced: Synced | None


class _Closing(NamedTuple):
    session: Session
    outcome: str
    artifacts: Mapping[str, Metadata]
    commits: list[Metadata]
    told: list[Told]


def end(desk: Desk, code: str, is_forced: bool) -> Ended:
    """From the last phase it completes the task; before that it has to be forced, and the task stays as it is."""
    task = desk.store.tasks.one(code)
    session = machine.active(task)
    phase = _phase(desk, session)
    if phase is None or not is_last(desk, task, phase):
        if not is_forced:
            what = f"complete its phases (orchestrate phase complete {code}), or give --force"
            raise UserError(f"{code}: is in {session.current_phase}, and ends after its last phase: {what}", FAILED)
        return _closed(desk, task, _Closing(session, FORCED, {}, [], []), checks.nothing())
    findings = completing.look(desk, task, session, phase)
    if not findings.failures:
        return _closed(desk, task, _last_completed(desk, task, session, phase, findings), findings)
    if is_forced:
        return _closed(desk, task, _Closing(session, FORCED, {}, [], telling.checked(phase, findings)), findings)
    desk.store.emit(desk.events(task, session.session_key, telling.checked(phase, findings)))
    return Ended(task, session.session_key, phase.name, "", findings, None)


def unfinished(desk: Desk, code: str) -> str:
    """The phase that forcing the end would cut short; empty where it is the last one."""
    task = desk.store.tasks.one(code)
    session = machine.active(task)
    phase = _phase(desk, session)
    return "" if phase and is_last(desk, task, phase) else session.current_phase


def is_last(desk: Desk, task: Task, phase: Phase) -> bool:
    return after(desk.workflow.of_type(machine.kind_of(task)), phase) is None


def _phase(desk: Desk, session: Session) -> Phase | None:
    """None where the workflow no longer has it."""
    return next((phase for phase in desk.workflow.phases if phase.name == session.current_phase), None)


def _last_completed(desk: Desk, task: Task, session: Session, phase: Phase, findings: Findings) -> _Closing:
    commits = hooks.commits(desk, task, phase, "on_end")
    entries: dict[str, Metadata] = {
        one.name: artifacts.recorded(one, phase.name, session.session_key, desk.now) for one in findings.artifacts
    }
    told = telling.checked(phase, findings)
    told += [telling.artifact_recorded(name, entry) for name, entry in entries.items()]
    told += commits.told
    return _Closing(session, COMPLETED, entries, commits.kept, [*told, *telling.phase_ended(phase, None)])


def _closed(desk: Desk, task: Task, closing: _Closing, findings: Findings) -> Ended:
    session = closing.session
    synced = None
    if desk.settings["workflow.sync_files_on_close"]:
        synced = syncing.sync(desk, with_artifacts(task, closing.artifacts), session)
        told = [telling.artifact_recorded(name, entry) for name, entry in synced.changed.items()]
        closing = closing._replace(
            artifacts={**closing.artifacts, **synced.changed},
            told=[*closing.told, *told, *syncing.told(session, synced)],
        )
    while not (done := _revised(desk, task, closing)):
        task = completing.still(desk, task.code, session)
    standing.forget(desk.place, task.code)
    return Ended(done, session.session_key, session.current_phase, closing.outcome, findings, synced)


def _revised(desk: Desk, task: Task, closing: _Closing) -> Task | None:
    session, key = closing.session, closing.session.session_key
    done = machine.ended(task, desk.now, closing.outcome == COMPLETED)
    done = with_artifacts(machine.added(done, "commits", *closing.commits), closing.artifacts)
    payload: dict[str, object] = {"session_key": key, "phase": session.current_phase, "outcome": closing.outcome}
    end: Told = ("orchestration.session.end", ("session", key), payload)
    told = [*closing.told, *telling.status_updated(task, done), end]
    row = TaskSession(key, task.code, session.started_at, machine.stamp(desk.now), closing.outcome)
    return done if desk.store.tasks.revise(task, done, desk.events(done, key, told), [row]) else None


def with_artifacts(task: Task, entries: Mapping[str, Metadata]) -> Task:
    if not entries:
        return task
    return task._replace(metadata={**task.metadata, "artifacts": {**task.metadata.get("artifacts", {}), **entries}})
