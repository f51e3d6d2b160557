"""The session of a task: its start, its end, and its files."""

import sys

import click

from orchestrate.commands import desks, here, typed
from orchestrate.phases import ending, starting, syncing
from state.errors import FAILED

project_root = click.option("--project-root", help="The project, if not that of the working directory.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command()
@click.argument("task", type=typed.Code())
@click.option("--restart", is_flag=True, help="Begin again with the first phase, under the same key.")
@click.option("--new", "is_new", is_flag=True, help="Begin again under another key; an active session is ended.")
@as_json
@project_root
def start(task: str, restart: bool, is_new: bool, as_json: bool, project_root: str | None) -> None:
    """Start the session of a task with its first phase, or go on with the one that is active.

    \b
    Examples:
      $ orchestrate session start TSK-001
      $ orchestrate session start TSK-001 --new --json
    """
    if restart and is_new:
        raise click.UsageError("--restart and --new: give one of them")
    how = starting.RESTART if restart else starting.NEW if is_new else ""
    with desks.opened(project_root) as desk:
        begun = starting.start(desk, task, how)
    if as_json:
        shown = {**begun.session.as_metadata(), **begun.guidance._asdict()}
        here.emit({"task_code": task, "resuming": begun.resuming, **shown})
        return
    click.echo(f"{begun.session.session_key}\nresuming: {'true' if begun.resuming else 'false'}")
    for line in begun.guidance.lines():
        click.echo(here.clean(line))


@click.command()
@click.argument("task", type=typed.Code())
@click.option("--force", is_flag=True, help="End it before its last phase; the task is not completed by that.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@project_root
def end(task: str, force: bool, yes: bool, as_json: bool, project_root: str | None) -> None:
    """End the session of a task, from its last phase: the task is completed by that.

    \b
    Examples:
      $ orchestrate session end TSK-001
      $ orchestrate session end TSK-001 --force --yes
    """
    with desks.opened(project_root) as desk:
        if force:
            _warn(ending.unfinished(desk, task), task, yes or as_json)
        done = ending.end(desk, task, force)
    if as_json:
        here.emit(_record(done))
    else:
        for line in done.findings.lines():
            click.echo(here.clean(line))
        if done.outcome:
            click.echo(f"{done.session_key}: {done.outcome}; {task} is {done.task.status}")
        if done.synced and done.synced.names:
            here.tell(here.clean(f"{', '.join(done.synced.names)} kept in {done.synced.folder}"))
    if not done.outcome:
        click.get_current_context().exit(FAILED)


@click.command("sync-files")
@click.argument("task", type=typed.Code())
@as_json
@project_root
def sync_files(task: str, as_json: bool, project_root: str | None) -> None:
    """Copy the recorded artifacts of a task's last session to the folder of the session.

    \b
    Examples:
      $ orchestrate session sync-files TSK-001
      $ orchestrate session sync-files TSK-001 --json
    """
    with desks.opened(project_root) as desk:
        synced = syncing.by_hand(desk, task)
    unchanged = [name for name in synced.names if name not in synced.copied]
    if as_json:
        here.emit({"task_code": task, "folder": synced.folder, "files": synced.names, "unchanged": unchanged})
        return
    for name in synced.names:
        click.echo(here.clean(f"{synced.folder}/{name}"))
    if unchanged:
        here.tell(f"unchanged: {', '.join(unchanged)}")
    if not synced.names:
        click.echo("no artifacts are on record", err=True)


def _warn(phase: str, task: str, is_sure: bool) -> None:
    """`phase`: the one in whose middle it is ended; empty where nothing is cut short."""
    if not phase:
        return
    here.tell(f"{task}: is in the middle of {phase}: the session ends, the task stays open")
    if not is_sure and sys.stdin is not None and sys.stdin.isatty():
        click.confirm("end it?", abort=True, err=True)


def _record(done: ending.Ended) -> dict[str, object]:
    return {
        "task_code": done.task.code,
        "session_key": done.session_key,
        "phase": done.phase,
        "outcome": done.outcome or None,
        "status": done.task.status,
        "failures": done.findings.failures,
        "warnings": done.findings.warnings,
        "files": done.synced.names if done.synced else [],
    }
