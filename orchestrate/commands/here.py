"""What every command asks first: which project, and how to print."""

import os
from pathlib import Path

import click

from state.paths import Place, locate


def place(project_root: str | None = None) -> Place:
    """The project of the working directory, or of --project-root."""
    env = dict(os.environ)
    if project_root:
        env["ORCHESTRATOR_ROOT"] = str(Path(project_root).resolve())
    return locate(working_directory(), env)


def working_directory() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return "/"


def emit(value: object) -> None:
    """One JSON document on stdout."""
    import orjson

    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def plain(value: object) -> str:
    """A value as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)
