"""The task that met a bug: the session it is worked on in, and what its phase has done about every bug."""

from orchestrate.commands import desks
from orchestrate.phases import hooks, machine
from state.errors import UserError
from state.store import Store
from state.store.task_records import Task

WHEN = "on_bug_found"


def of(store: Store, code: str | None) -> Task | None:
    return None if code is None else store.tasks.find(code)


def session_of(task: Task | None) -> str | None:
    return None if task is None else machine.key_of(task)


def run_hooks(task: Task, project_root: str | None) -> None:
    """Those of the phase that the task is in. The bug is logged already, whatever comes of them."""
    with desks.opened(project_root) as desk:
        try:
            phase = desk.workflow.phase(machine.active(task).current_phase)
        except UserError as error:  # a phase that the workflow does not name any more
            desk.warn(f"{WHEN}: {error}")
            return
        found = hooks.commits(desk, task, phase, WHEN)
        told = desk.events(task, machine.key_of(task), found.told)
        for commit in found.kept:  # the first brings what is told of all
            desk.store.tasks.add_commit(task.code, commit, told)
            told = []
        desk.store.emit(told)
