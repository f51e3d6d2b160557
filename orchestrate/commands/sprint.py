"""Sprints: tasks under one heading."""

import click

from orchestrate.commands import desks, here, typed
from orchestrate.commands.task import record as task_record
from orchestrate.phases import fields, sprints
from state.store.task_records import SPRINT_STATUSES, Sprint

project_root = click.option("--project-root", help="The project, if not that of the working directory.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
pairs = click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Metadata; JSON or text (repeatable).")


@click.group()
def command() -> None:
    """Create sprints, change them and look at them. CODE is yours, as SPR-001, and case-sensitive.

    \b
    Examples:
      $ orchestrate sprint create SPR-001 --title "Keys instead of passwords"
      $ orchestrate sprint add-task SPR-001 TSK-001 TSK-002
      $ orchestrate sprint show SPR-001
    """


@command.command()
@click.argument("code", type=typed.Code())
@click.option("--title", required=True, help="What it is about, in a few words.")
@click.option("--status", type=click.Choice(SPRINT_STATUSES), default="planning", show_default=True)
@pairs
@as_json
@project_root
def create(code: str, title: str, status: str, pairs: tuple[str, ...], as_json: bool, project_root: str | None) -> None:
    """Create a sprint.

    \b
    Examples:
      $ orchestrate sprint create SPR-001 --title "Keys instead of passwords"
      $ orchestrate sprint create SPR-002 --title "Clean up" --status active --set goal="no warnings"
    """
    new = Sprint(code, fields.titled(title), status, fields.pairs(pairs), "", "")
    with desks.opened(project_root) as desk:
        sprint = sprints.create(desk, new)
    _say(sprint, as_json, f"{code}: created")


@command.command()
@click.argument("code", type=typed.Code())
@click.option("--title", help="Another title.")
@click.option("--status", type=click.Choice(SPRINT_STATUSES), help="Another status.")
@pairs
@click.option("--unset", multiple=True, metavar="KEY", help="Take this key out of its metadata (repeatable).")
@as_json
@project_root
def edit(
    code: str,
    title: str | None,
    status: str | None,
    pairs: tuple[str, ...],
    unset: tuple[str, ...],
    as_json: bool,
    project_root: str | None,
) -> None:
    """Change a sprint.

    \b
    Examples:
      $ orchestrate sprint edit SPR-001 --status active
      $ orchestrate sprint edit SPR-001 --title "Keys first" --unset goal
    """
    columns = {"title": fields.titled(title)} if title is not None else {}
    columns |= {"status": status} if status else {}
    if not columns and not pairs and not unset:
        raise click.UsageError("nothing to change: give an option")
    with desks.opened(project_root) as desk:
        before = desk.store.sprints.one(code)
        sprint = sprints.edit(desk, code, columns, fields.pairs(pairs), unset)
    _say(sprint, as_json, f"{code}: {'changed' if sprint != before else 'was so already'}")


@command.command("list")
@click.option("--status", type=click.Choice(SPRINT_STATUSES), help="Those of this status.")
@as_json
@project_root
def list_sprints(status: str | None, as_json: bool, project_root: str | None) -> None:
    """List the sprints, the newest first.

    \b
    Examples:
      $ orchestrate sprint list
      $ orchestrate sprint list --status active --json
    """
    with desks.opened(project_root) as desk:
        found = desk.store.sprints.listed(status)
    if as_json:
        here.emit([_record(sprint) for sprint in found])
        return
    for sprint in found:
        click.echo(f"{sprint.code}  {sprint.status:9}  {here.clean(sprint.title)}")
    if not found:
        click.echo("no sprints", err=True)


@command.command()
@click.argument("code", type=typed.Code())
@as_json
@project_root
def show(code: str, as_json: bool, project_root: str | None) -> None:
    """Show a sprint and its tasks.

    \b
    Examples:
      $ orchestrate sprint show SPR-001
      $ orchestrate sprint show SPR-001 --json
    """
    with desks.opened(project_root) as desk:
        sprint = desk.store.sprints.one(code)
        found = desk.store.tasks.listed(sprint=code)
    if as_json:
        here.emit({**_record(sprint), "tasks": [task_record(task) for task in found]})
        return
    done = sum(task.status == "completed" for task in found)
    click.echo(f"{code}  {sprint.status}  {here.clean(sprint.title)}  {done} of {len(found)} tasks completed")
    for task in found:
        click.echo(f"  {task.code}  {task.priority}  {task.status:11}  {here.clean(task.title)}")


@command.command("add-task")
@click.argument("code", type=typed.Code())
@click.argument("tasks", nargs=-1, required=True, type=typed.Code())
@as_json
@project_root
def add_task(code: str, tasks: tuple[str, ...], as_json: bool, project_root: str | None) -> None:
    """Put tasks into a sprint, out of the one they are in.

    \b
    Examples:
      $ orchestrate sprint add-task SPR-001 TSK-001
      $ orchestrate sprint add-task SPR-001 TSK-002 TSK-003 --json
    """
    with desks.opened(project_root) as desk:
        added = sprints.add_tasks(desk, code, tasks)
    if as_json:
        here.emit({"sprint_code": code, "added": added})
        return
    for task in tasks:
        click.echo(f"{task}: {'now' if task in added else 'was already'} in {code}")


def _record(sprint: Sprint) -> dict[str, object]:
    return {
        "sprint_code": sprint.code,
        "title": sprint.title,
        "status": sprint.status,
        "metadata": sprint.metadata,
        "created_at": sprint.created_at,
        "updated_at": sprint.updated_at,
    }


def _say(sprint: Sprint, as_json: bool, line: str) -> None:
    if as_json:
        here.emit(_record(sprint))
    else:
        click.echo(line)
