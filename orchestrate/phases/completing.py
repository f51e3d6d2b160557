"""Completing a phase: what it asks for is checked, what its hooks say is done, and the next one begins."""

from typing import NamedTuple

from orchestrate.phases import (
    artifacts,
    changes_file,
    checks,
    guidance,
    hooks,
    machine,
    standing,
    telling,
    tests_run,
)
from orchestrate.phases.checks import Findings
from orchestrate.phases.desk import Desk, Told
from orchestrate.phases.guidance import Guidance
from orchestrate.phases.machine import Session
from orchestrate.phases.workflow import Phase
from state.errors import FAILED, UserError
from state.paths import session_dir
from state.store.task_records import Metadata, Task


class Wish(NamedTuple):
    is_override: bool = False
    reason: str = ""
    expect: str | None = None
    to: str | None = None


class Completed(NamedTuple):
    task: Task
    session_key: str
    phase: str  # the one that was to be completed
    findings: Findings
    is_done: bool
    is_overridden: bool
    made: str | None  # the file that was made for it
    commits: list[Metadata]
    coming: Guidance | None
    next_step: str
    is_back: bool = False


def complete(desk: Desk, code: str, wish: Wish) -> Completed:
    task = desk.store.tasks.one(code)
    session = machine.active(task)
    phase = desk.workflow.phase(session.current_phase)
    _require(desk, task, phase, wish)
    target = machine.target(desk.workflow, task, wish.to, bool(desk.settings["workflow.allow_phase_skip"]))
    is_back = target.order < phase.order
    made = None if is_back else changes_file.provide(desk, task, session, phase)
    findings = checks.nothing() if is_back else look(desk, task, session, phase)
    if findings.failures and not wish.is_override:
        desk.store.emit(desk.events(task, session.session_key, telling.checked(phase, findings)))
        return Completed(task, session.session_key, phase.name, findings, False, False, made, [], None, "")
    step = _Step(phase, target, findings, wish)
    return _advance(desk, task, session, step)._replace(made=made, is_back=is_back)


def look(desk: Desk, task: Task, session: Session, phase: Phase, with_tests: bool = True) -> Findings:
    """What the phase asks for, and what of it is there."""

    def run_tests() -> tests_run.Finished | None:
        if not with_tests:
            return None
        from orchestrate.phases import trusted  # noqa: PLC0415  start-up cost

        trusted.require(desk.place, desk.workflow, phase)
        log = f"{session_dir(desk.place, session.session_key)}/tests-{phase.name}.log"
        return tests_run.run(phase.validation.check_tests_passed, desk.site.top, log)

    needs_artifacts = bool(desk.settings["workflow.require_artifact_validation"])
    return checks.check(desk.site, task, session, phase, needs_artifacts, run_tests)


def approve(desk: Desk, code: str, expect: str | None = None) -> Task:
    """The user's word for the phase that the task is in."""
    while True:
        before = desk.store.tasks.one(code)
        session = machine.active(before)
        _require_expected(before, expect)
        if not desk.workflow.phase(session.current_phase).validation.require_user_approval:
            raise UserError(f"{code}: {session.current_phase} asks for no approval", FAILED)
        if machine.is_approved(before):
            return before
        after = machine.approved(before, desk.teller.actor, desk.now)
        payload: dict[str, object] = {"phase": session.current_phase, "approved_by": desk.teller.actor}
        told: Told = ("orchestration.phase.approved", ("phase", session.current_phase), payload)
        if desk.store.tasks.revise(before, after, desk.events(after, session.session_key, [told])):
            return after


class _Step(NamedTuple):
    phase: Phase
    target: Phase
    findings: Findings
    wish: Wish

    @property
    def is_back(self) -> bool:
        return self.target.order < self.phase.order


def _require(desk: Desk, task: Task, phase: Phase, wish: Wish) -> None:
    _require_expected(task, wish.expect)
    if wish.is_override and not desk.settings["workflow.allow_user_override"]:
        raise UserError(f"{task.code}: --override: workflow.allow_user_override is off: give {phase.name} what it asks")


def _require_expected(task: Task, expect: str | None) -> None:
    current = machine.active(task).current_phase
    if expect not in (None, current):
        raise UserError(f"{task.code}: is in {current}, not in {expect}: nothing was done", FAILED)


def _advance(desk: Desk, task: Task, session: Session, step: _Step) -> Completed:
    ending = hooks.NOTHING if step.is_back else hooks.commits(desk, task, step.phase, "on_end")
    starting = hooks.commits(desk, machine.added(task, "commits", *ending.kept), step.target, "on_start")
    entries = _entries(desk, session, step)
    coming = guidance.of(desk.workflow, task, step.target)
    told = _told(desk, task, step, entries, ending, starting, coming)
    commits = [*ending.kept, *starting.kept]
    while True:
        after = _after(desk, task, step, entries, commits)
        if desk.store.tasks.revise(task, after, desk.events(after, session.session_key, told)):
            break
        task = still(desk, task.code, session)
    standing.write(desk.site, after, desk.workflow, desk.client)
    said = guidance.next_step(desk.workflow, step.phase, coming)
    return Completed(
        after,
        session.session_key,
        step.phase.name,
        step.findings,
        True,
        step.wish.is_override,
        None,
        commits,
        coming,
        said,
    )


def still(desk: Desk, code: str, session: Session) -> Task:
    """The task as another process has changed it, if it is where it was."""
    found = desk.store.tasks.one(code)
    now = machine.session_of(found)
    if now != session:
        where = now.current_phase if now and now.active else "no phase"
        raise UserError(f"{code}: another process came first, it is in {where} now: nothing was done", FAILED)
    return found


def _after(desk: Desk, task: Task, step: _Step, entries: dict[str, Metadata], commits: list[Metadata]) -> Task:
    moved = machine.moved(task, step.target, desk.workflow, desk.now)
    moved = machine.added(moved, "commits", *commits)
    if entries:
        kept = {**moved.metadata.get("artifacts", {}), **entries}
        moved = moved._replace(metadata={**moved.metadata, "artifacts": kept})
    if not step.wish.is_override:
        return moved
    override = {
        "phase": step.phase.name,
        "reason": step.wish.reason,
        "failures": step.findings.failures,
        "at": machine.stamp(desk.now),
        "actor": desk.teller.actor,
    }
    return machine.added(moved, "phase_overrides", override)


def _entries(desk: Desk, session: Session, step: _Step) -> dict[str, Metadata]:
    key = session.session_key
    return {
        artifact.name: artifacts.recorded(artifact, step.phase.name, key, desk.now)
        for artifact in step.findings.artifacts
    }


def _told(
    desk: Desk,
    task: Task,
    step: _Step,
    entries: dict[str, Metadata],
    ending: hooks.Captured,
    starting: hooks.Captured,
    coming: Guidance,
) -> list[Told]:
    if step.is_back:
        payload: dict[str, object] = {"phase": step.phase.name, "to": step.target.name}
        told: list[Told] = [("orchestration.phase.back", ("phase", step.phase.name), payload)]
    else:
        told = telling.checked(step.phase, step.findings)
    if step.wish.is_override:
        told.append(telling.overridden(step.phase, step.wish.reason, step.findings))
    told += [telling.artifact_recorded(name, entry) for name, entry in entries.items()]
    told += ending.told
    if not step.is_back:
        told += telling.phase_ended(step.phase, step.target.name, _skipped(desk, task, step))
    return [*told, *telling.phase_started(step.target, coming), *starting.told]


def _skipped(desk: Desk, task: Task, step: _Step) -> list[str]:
    phases = desk.workflow.of_type(machine.kind_of(task))
    return [one.name for one in phases if step.phase.order < one.order < step.target.order]
