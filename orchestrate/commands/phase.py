"""Phases of a task's session: where it is, what is missing, on to the next."""

import sys

import click

from orchestrate.commands import desks, here, typed
from orchestrate.phases import completing, fields, guidance, machine
from orchestrate.phases.completing import Completed, Wish
from orchestrate.phases.workflow import Phase
from state.errors import FAILED
from state.store.task_records import Task

project_root = click.option("--project-root", help="The project, if not that of the working directory.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def command() -> None:
    """Go from phase to phase of a task's session, as workflow.yaml has them.

    \b
    Examples:
      $ orchestrate phase show TSK-001
      $ orchestrate phase complete TSK-001
      $ orchestrate phase list
    """


@command.command("complete")
@click.argument("task", type=typed.Code())
@click.option("--override", is_flag=True, help="Complete it although something is missing; that is kept with the task.")
@click.option("--reason", default="", help="Why it is overridden.")
@click.option("--expect", metavar="PHASE", help="Do it only if the task is in this phase.")
@click.option("--to", metavar="PHASE", help="Go on with this phase instead of the next.")
@click.option("--approve", is_flag=True, help="The user approves what this phase has to have approved.")
@as_json
@project_root
def complete(
    task: str,
    override: bool,
    reason: str,
    expect: str | None,
    to: str | None,
    approve: bool,
    as_json: bool,
    project_root: str | None,
) -> None:
    """Complete the phase that a task is in, if all that it asks for is there, and tell what comes next.

    A required file counts where it was put on record, in the session's folder, or in the project if it is not older
    than the session. Exit 1 when something is missing.

    \b
    Examples:
      $ orchestrate phase complete TSK-001
      $ orchestrate phase complete TSK-001 --expect review --approve
      $ orchestrate phase complete TSK-001 --override --reason "planned on paper"
    """
    if reason and not override:
        raise click.UsageError("--reason: goes with --override")
    wish = Wish(override, fields.sound("--reason", reason), expect, to)
    with desks.opened(project_root) as desk:
        if approve:
            completing.approve(desk, task, expect)
        done = completing.complete(desk, task, wish)
        if not done.is_done and _is_approved_now(done, as_json):
            completing.approve(desk, task, done.phase)
            done = completing.complete(desk, task, wish)
    if as_json:
        here.emit(_record(done))
    else:
        _tell(done)
    if not done.is_done:
        click.get_current_context().exit(FAILED)


@command.command("approve")
@click.argument("task", type=typed.Code())
@click.option("--expect", metavar="PHASE", help="Do it only if the task is in this phase.")
@project_root
def approve(task: str, expect: str | None, project_root: str | None) -> None:
    """Approve the phase that a task is in, where it has to be approved; it is completed by `phase complete`.

    \b
    Examples:
      $ orchestrate phase approve TSK-001
      $ orchestrate phase approve TSK-001 --expect review
    """
    with desks.opened(project_root) as desk:
        approved = completing.approve(desk, task, expect)
    click.echo(f"{task}: {machine.active(approved).current_phase} is approved")


@command.command("show")
@click.argument("task", type=typed.Code())
@as_json
@project_root
def show(task: str, as_json: bool, project_root: str | None) -> None:
    """Show the phase that a task is in: its goal, what it asks for, and what of it is missing. Runs no tests.

    \b
    Examples:
      $ orchestrate phase show TSK-001
      $ orchestrate phase show TSK-001 --json
    """
    with desks.opened(project_root) as desk:
        found = desk.store.tasks.one(task)
        session = machine.active(found)
        phase = desk.workflow.phase(session.current_phase)
        shown = guidance.of(desk.workflow, found, phase)
        findings = completing.look(desk, found, session, phase, with_tests=False)
    if as_json:
        history = session.as_metadata()["phase_history"]
        missing = {"failures": findings.failures, "warnings": findings.warnings}
        here.emit({"session_key": session.session_key, **shown._asdict(), **missing, "phase_history": history})
        return
    click.echo(f"{task}: {session.session_key}")
    _print([*shown.lines(), *findings.lines()])


@command.command("list")
@click.argument("task", required=False, type=typed.Code())
@as_json
@project_root
def list_phases(task: str | None, as_json: bool, project_root: str | None) -> None:
    """List the phases of the workflow, or those of a task and which it has completed.

    \b
    Examples:
      $ orchestrate phase list
      $ orchestrate phase list TSK-001 --json
    """
    with desks.opened(project_root) as desk:
        found = desk.store.tasks.one(task) if task else None
        phases = desk.workflow.of_type(machine.kind_of(found)) if found else desk.workflow.phases
        rows = [{**_row(phase), **_state(found, phase)} for phase in phases]
        source = desk.workflow.path
    if as_json:
        here.emit({"workflow": source, "phases": rows})
        return
    for row in rows:
        mark = {"completed": "✓", "current": "→"}.get(str(row.get("state")), " ")
        click.echo(f"{mark} {row['phase']:10}  {here.clean(str(row['goal']))}")
    click.echo(f"from {here.clean(source)}", err=True)


def _row(phase: Phase) -> dict[str, object]:
    return {
        "phase": phase.name,
        "order": phase.order,
        "goal": phase.goal,
        "description": phase.description,
        "required_artifacts": list(phase.required),
        "optional_artifacts": list(phase.optional),
        "validation": {name: value for name, value in phase.validation._asdict().items() if value},
        "events": list(phase.events),
        "hooks": phase.hooks,
        "next_step": phase.next_step,
    }


def _state(task: Task | None, phase: Phase) -> dict[str, object]:
    session = machine.session_of(task) if task else None
    if session is None:
        return {}
    done = {entry["phase"]: entry["completed_at"] for entry in session.phase_history}
    if phase.name in done:
        return {"state": "completed", "completed_at": done[phase.name]}
    return {"state": "current" if session.active and session.current_phase == phase.name else "to come"}


def _is_approved_now(done: Completed, as_json: bool) -> bool:
    """Asks the user where nothing but their word is missing, and there is one to ask."""
    if as_json or not done.findings.lacks_approval or len(done.findings.failures) > 1 or not _is_tty():
        return False
    return click.confirm(f"approve the {done.phase} of {done.task.code}?", err=True)


def _is_tty() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def _tell(done: Completed) -> None:
    if done.made:
        here.tell(f"made {here.clean(done.made)}")
    _print(done.findings.lines())
    for note in done.findings.notes:
        here.tell(here.clean(note))
    for commit in done.commits:
        here.tell(here.clean(f"captured {commit['short_hash']} {commit['message']} ({commit['phase']})"))
    if not done.is_done or done.coming is None:
        return
    _print([_outcome(done), *done.next_step.splitlines()])
    _print(done.coming.lines())


def _outcome(done: Completed) -> str:
    if done.is_back:
        return f"← {done.phase} left"
    return f"✓ {done.phase} {'overridden' if done.is_overridden else 'completed'}"


def _print(lines: list[str]) -> None:
    for line in lines:
        click.echo(here.clean(line))


def _record(done: Completed) -> dict[str, object]:
    return {
        "task_code": done.task.code,
        "session_key": done.session_key,
        "phase": done.phase,
        "completed": done.is_done and not done.is_back,
        "overridden": done.is_overridden,
        "failures": done.findings.failures,
        "warnings": done.findings.warnings,
        "artifacts": [artifact.path for artifact in done.findings.artifacts],
        "commits": done.commits,
        "made": done.made,
        "next": done.coming._asdict() if done.coming else None,
        "next_step": done.next_step,
    }
