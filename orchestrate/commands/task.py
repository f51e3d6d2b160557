"""Tasks: what is to be done, by a code of the user's own."""

from collections.abc import Callable
from typing import Any, TypedDict, Unpack

import click

from orchestrate.commands import desks, here, typed
from orchestrate.phases import fields, machine, tasks
from state.errors import USAGE, UserError
from state.store.task_records import PRIORITIES, TASK_STATUSES, Task

project_root = click.option("--project-root", help="The project, if not that of the working directory.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
Decorated = Callable[..., Any]  # Any: as click has it


class Given(TypedDict):
    """What `_described` lets one say."""

    description: str | None
    sprint: str | None
    priority: str | None
    kind: str | None
    criteria: tuple[str, ...]
    tags: tuple[str, ...]
    effort: str | None
    pairs: tuple[str, ...]


def _described(function: Decorated) -> Decorated:
    """The options that say what a task is."""
    for option in (
        click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="More metadata; JSON or text."),
        click.option("--effort", metavar="TEXT", help="The estimated effort, as 3h or 5 points."),
        click.option("--tag", "tags", multiple=True, help="A tag (repeatable)."),
        click.option("--acceptance", "criteria", multiple=True, help="A criterion for its acceptance (repeatable)."),
        click.option("--type", "kind", metavar="TYPE", help="Its type: one with a variant takes those phases alone."),
        click.option("--priority", type=click.Choice(PRIORITIES), help="From P0, the most urgent, to P3."),
        click.option("--sprint", type=typed.Code(), help="The code of its sprint."),
        click.option("--description", metavar="TEXT|@FILE|-", help="The text, a file's, or that of stdin."),
    ):
        function = option(function)
    return function


@click.group()
def command() -> None:
    """Create tasks, change them and look at them. CODE is yours, as TSK-001, and case-sensitive.

    \b
    Examples:
      $ orchestrate task create TSK-001 --title "Log in by key" --acceptance "a key logs in"
      $ orchestrate task list --status in_progress
      $ orchestrate task show TSK-001 --json
    """


@command.command()
@click.argument("code", type=typed.Code())
@click.option("--title", required=True, help="What it is about, in a few words.")
@_described
@as_json
@project_root
def create(code: str, title: str, as_json: bool, project_root: str | None, **given: Unpack[Given]) -> None:
    """Create a task. Its first phase asks for a description and for criteria of acceptance.

    \b
    Examples:
      $ orchestrate task create TSK-001 --title "Log in by key"
      $ orchestrate task create TSK-002 --title "Fix the clock" --type bug_fix --priority P0 --sprint SPR-001
      $ orchestrate task create TSK-003 --title "Audit" --description @audit.txt --tag security --set owner=mia
    """
    columns, metadata = _taken(given)
    new = Task(code, fields.titled(title), "", None, "pending", "P2", metadata, "", "")
    with desks.opened(project_root) as desk:
        task = tasks.create(desk, new._replace(**columns))
    _say(task, as_json, f"{code}: created")


@command.command()
@click.argument("code", type=typed.Code())
@click.option("--title", help="Another title.")
@_described
@click.option("--no-sprint", is_flag=True, help="Take it out of its sprint.")
@click.option("--unset", multiple=True, metavar="KEY", help="Take this key out of its metadata (repeatable).")
@as_json
@project_root
def edit(
    code: str,
    title: str | None,
    no_sprint: bool,
    unset: tuple[str, ...],
    as_json: bool,
    project_root: str | None,
    **given: Unpack[Given],
) -> None:
    """Change what is said of a task; criteria and tags replace those it has.

    \b
    Examples:
      $ orchestrate task edit TSK-001 --priority P1 --tag login --tag security
      $ orchestrate task edit TSK-001 --description "By key, not by password" --unset owner
      $ orchestrate task edit TSK-001 --no-sprint
    """
    if no_sprint and given["sprint"]:
        raise click.UsageError("--sprint and --no-sprint: give one of them")
    columns, metadata = _taken(given)
    columns |= {"title": fields.titled(title)} if title is not None else {}
    columns |= {"sprint": None} if no_sprint else {}
    if not columns and not metadata and not unset:
        raise click.UsageError("nothing to change: give an option")
    with desks.opened(project_root) as desk:
        before = desk.store.tasks.one(code)
        task = tasks.edit(desk, code, tasks.Change(columns, metadata, unset))
    _say(task, as_json, f"{code}: {'changed' if task != before else 'was so already'}")


@command.command("list")
@click.option("--sprint", type=typed.Code(), help="Those of this sprint.")
@click.option("--status", type=click.Choice(TASK_STATUSES), help="Those of this status.")
@as_json
@project_root
def list_tasks(sprint: str | None, status: str | None, as_json: bool, project_root: str | None) -> None:
    """List the tasks, the most urgent first.

    \b
    Examples:
      $ orchestrate task list
      $ orchestrate task list --sprint SPR-001 --status blocked --json
    """
    with desks.opened(project_root) as desk:
        found = desk.store.tasks.listed(sprint, status)
    if as_json:
        here.emit([record(task) for task in found])
        return
    for task in found:
        click.echo(f"{task.code}  {task.priority}  {task.status:11}  {_phase(task):8}  {here.clean(task.title)}")
    if not found:
        click.echo("no tasks", err=True)


@command.command()
@click.argument("code", type=typed.Code())
@as_json
@project_root
def show(code: str, as_json: bool, project_root: str | None) -> None:
    """Show a task: its session, artifacts, commits, and all else that is kept with it.

    \b
    Examples:
      $ orchestrate task show TSK-001
      $ orchestrate task show TSK-001 --json
    """
    with desks.opened(project_root) as desk:
        task = desk.store.tasks.one(code)
    if as_json:
        here.emit(record(task))
        return
    for line in _lines(task):
        click.echo(line)


@command.command()
@click.argument("code", type=typed.Code())
@click.argument("status", type=click.Choice(TASK_STATUSES))
@click.option("--reason", default="", help="Why; kept with the event.")
@as_json
@project_root
def status(code: str, status: str, reason: str, as_json: bool, project_root: str | None) -> None:
    """Give a task another status. The end of its session completes it by itself.

    \b
    Examples:
      $ orchestrate task status TSK-001 blocked --reason "waits for the key server"
      $ orchestrate task status TSK-001 in_progress
    """
    with desks.opened(project_root) as desk:
        task = tasks.set_status(desk, code, status, fields.sound("--reason", reason))
    _say(task, as_json, f"{code}: {task.status}")


@command.group()
def artifact() -> None:
    """Files that belong to a task.

    \b
    Examples:
      $ orchestrate task artifact add TSK-001 docs/PLAN.md
    """


@artifact.command()
@click.argument("code", type=typed.Code())
@click.argument("path")
@click.option("--name", help="The artifact that it is, if its name is another.")
@as_json
@project_root
def add(code: str, path: str, name: str | None, as_json: bool, project_root: str | None) -> None:
    """Put a file of the project on record as an artifact, with its sha256; it then counts wherever it lies.

    \b
    Examples:
      $ orchestrate task artifact add TSK-001 docs/PLAN.md
      $ orchestrate task artifact add TSK-001 notes/plan-for-login.md --name PLAN.md
    """
    if name is not None and not fields.is_artifact(name):
        raise UserError(f"--name {name}: is no file's name", USAGE)
    with desks.opened(project_root) as desk:
        found = tasks.add_artifact(desk, code, fields.sound("PATH", path), name)
    if as_json:
        here.emit({"task_code": code, "name": found.name, **found.entry, "changed": found.is_changed})
        return
    file = here.clean(f"{found.entry['path']} {found.entry['sha256']}")
    click.echo(f"{code}: {here.clean(found.name)}: {file}{'' if found.is_changed else ' (unchanged)'}")


def record(task: Task) -> dict[str, object]:
    """As --json prints it; the session apart, where document 001 has it in the metadata too."""
    return {
        "task_code": task.code,
        "title": task.title,
        "description": task.description,
        "type": machine.kind_of(task),
        "sprint_code": task.sprint,
        "status": task.status,
        "priority": task.priority,
        "session": task.metadata.get("session"),
        "metadata": task.metadata,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
    }


def _taken(given: Given) -> tuple[dict[str, Any], dict[str, object]]:  # Any: of each column's kind
    """Columns and metadata as the options say them."""
    columns: dict[str, Any] = {"sprint": given["sprint"], "priority": given["priority"]}  # Any: as above
    columns = {name: value for name, value in columns.items() if value is not None}
    if given["description"] is not None:
        text = typed.text(given["description"], "--description")
        columns["description"] = fields.sound("--description", text)
    metadata = fields.pairs(given["pairs"])
    for key, texts in (("acceptance_criteria", given["criteria"]), ("tags", given["tags"])):
        if texts:
            metadata[key] = [fields.sound(key, text) for text in texts]
    if given["effort"] is not None:
        metadata["estimated_effort"] = fields.sound("--effort", given["effort"])
    if given["kind"] is not None:
        metadata["type"] = fields.kind(given["kind"])
    return columns, metadata


def _say(task: Task, as_json: bool, line: str) -> None:
    if as_json:
        here.emit(record(task))
    else:
        click.echo(line)


def _phase(task: Task) -> str:
    session = machine.session_of(task)
    return session.current_phase if session and session.active else "-"


def _lines(task: Task) -> list[str]:
    session = machine.session_of(task)
    told: dict[str, object] = {
        "task": task.code,
        "title": task.title,
        "description": task.description,
        "type": machine.kind_of(task),
        "sprint": task.sprint,
        "status": task.status,
        "priority": task.priority,
        "session": f"{session.session_key} ({'active' if session.active else 'ended'})" if session else None,
        "phase": _phase(task),
        "completed": ", ".join(entry["phase"] for entry in session.phase_history) if session else "",
    }
    lines = [f"{name}: {here.clean(str(value)) if value else '-'}" for name, value in told.items()]
    for name, entry in task.metadata.get("artifacts", {}).items():
        lines.append(here.clean(f"artifact: {name} {entry['path']} {entry['sha256']}"))
    for commit in task.metadata.get("commits", []):
        lines.append(here.clean(f"commit: {commit['short_hash']} {commit['message']} ({commit['phase'] or '-'})"))
    pull_request = task.metadata.get("pull_request")
    if pull_request:
        lines.append(f"pull request: {here.clean(pull_request['url'])}")
    known = {"session", "artifacts", "commits", "pull_request", "type"}
    rest = {key: value for key, value in task.metadata.items() if key not in known}
    return [*lines, *(f"{here.clean(key)}: {_plain(value)}" for key, value in rest.items())]


def _plain(value: object) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return here.clean("; ".join(value)) or "-"
    return here.clean(value if isinstance(value, str) else " ".join(here.pretty(value).split()))
