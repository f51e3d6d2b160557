"""A session's state file: look at it, check it, mend it; and the store, moved to another database."""

import sys
from pathlib import Path

import click
import orjson

from orchestrate.commands import here, state_move, which
from state import files, session_file, session_merge, session_schema, sessions
from state.errors import NOT_FOUND, UserError
from state.paths import session_dir

project_root = click.option("--project-root", help="The project, if not that of the working directory.")


@click.group()
def command() -> None:
    """Show, check and mend what is kept of a session, and move the project's store.

    SESSION is an id or its unique beginning; left out, it is ORCHESTRATOR_SESSION or the current one.

    \b
    Examples:
      $ orchestrate state show
      $ orchestrate state validate --file state.json
      $ orchestrate state move --to postgresql://me@db.example.org/tools --dry-run
    """


command.add_command(state_move.move)


@command.command()
@click.argument("session", required=False)
@click.option("--json", "as_json", is_flag=True, help="JSON, which is what it prints anyway.")
@project_root
def show(session: str | None, as_json: bool, project_root: str | None) -> None:
    """Print the state as JSON, brought up to date with the session's log.

    \b
    Examples:
      $ orchestrate state show
      $ orchestrate state show 20260213-143000
    """
    place = here.place(project_root)
    here.emit(_public(session_file.load(place, which.session(place, session))))


@command.command()
@click.argument("session", required=False)
@click.option("--file", "path", help="Check this file instead (- is stdin).")
@project_root
def validate(session: str | None, path: str | None, project_root: str | None) -> None:
    """Check the file as it is, and name each field that is wrong; exit 1 if there is one.

    \b
    Examples:
      $ orchestrate state validate
      $ orchestrate state validate --file state.json
    """
    place = here.place(project_root)
    path = path or f"{session_dir(place, which.session(place, session))}/state.json"
    raw = sys.stdin.buffer.read() if path == "-" else files.read(path)
    if raw is None:
        raise UserError(f"{path}: there is no such file", NOT_FOUND)
    try:
        problems = session_schema.problems(orjson.loads(raw))
    except orjson.JSONDecodeError as error:
        problems = [f"line {error.lineno}: not valid JSON: {error.msg}"]
    if problems:
        raise UserError("\n".join(f"{path}: {problem}" for problem in problems))
    click.echo(f"{path}: valid")


@command.command()
def schema() -> None:
    """Print the JSON Schema of a session's state.

    \b
    Examples:
      $ orchestrate state schema
    """
    here.emit(session_schema.schema())


@command.command()
@click.argument("one")
@click.argument("other")
@click.option("--output", help="Write to this file instead of stdout.")
@project_root
def merge(one: str, other: str, output: str | None, project_root: str | None) -> None:
    """Print the states of two sessions as one: histories united, the newer context.

    \b
    Examples:
      $ orchestrate state merge 9e401858 24cfa321
      $ orchestrate state merge 9e401858 24cfa321 --output merged.json
    """
    place = here.place(project_root)
    first, second = (session_file.load(place, sessions.find(place, name)) for name in (one, other))
    merged = session_merge.merge(first, second)
    if output:
        path = str(Path(output).absolute())
        files.replace(path, orjson.dumps(merged, option=orjson.OPT_INDENT_2))
        told = {"sessions": [first["session_id"], second["session_id"]], "file": path}
        here.leave(place, "orchestration.state.merged", ("session", merged["session_id"]), told)
    else:
        here.emit(merged)


@command.command()
@click.argument("session", required=False)
@click.option("--backup", type=click.IntRange(1, 3), default=1, help="Which backup: 1 is the newest (the default).")
@click.option("--from-log", is_flag=True, help="No backup: make it from the log alone.")
@project_root
def restore(session: str | None, backup: int, from_log: bool, project_root: str | None) -> None:
    """Put a backup in place, bring it up to date from the log, and keep the file there was beside it.

    \b
    Examples:
      $ orchestrate state restore
      $ orchestrate state restore 9e401858 --backup 2
      $ orchestrate state restore 9e401858 --from-log
    """
    place = here.place(project_root)
    name = which.session(place, session)
    state = session_file.restore(place, name, None if from_log else backup)
    source = "the log" if from_log else f"backup {backup}"
    told = {"from": source, "requests": len(state["routing_history"])}
    here.leave(place, "orchestration.state.restored", ("session", name), told)
    click.echo(f"{name}: restored from {source}: {len(state['routing_history'])} requests")


def _public(state: session_schema.SessionState) -> dict[str, object]:
    return {key: value for key, value in state.items() if key != "fold"}
