"""Workflows as files: whether they are right, what they look like, which there are."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from orchestrate.agents import definitions
from orchestrate.commands import here, workflow_run
from orchestrate.workflow import dag, graph, loading, places, runs, values
from orchestrate.workflow.loading import Found
from orchestrate.workflow.spec import Input, Workflow
from state import files
from state.errors import FAILED
from state.paths import Place
from state.reading import Problem

WIDTH = 80  # of what is no terminal
as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
project_root_option = click.option("--project-root", help="The project, if not that of the working directory.")


@click.group()
def command() -> None:
    """Check, show and list workflows: chains of agents, commands and gates in YAML or JSON.

    FILE is a path, or the name of a file in .orchestrator/workflows or ~/.orchestrator/workflows.

    \b
    Examples:
      $ orchestrate workflow validate research
      $ orchestrate workflow show research --graph
      $ orchestrate workflow list
    """


@command.command()
@click.argument("names", metavar="FILE...", nargs=-1, required=True)
@click.option("--strict", is_flag=True, help="Warnings fail as well.")
@as_json_option
@project_root_option
@click.pass_context
def validate(ctx: click.Context, names: tuple[str, ...], strict: bool, as_json: bool, project_root: str | None) -> None:
    """Check workflows: every mistake with its file, line and step. Ends with 1 when there is one.

    \b
    Examples:
      $ orchestrate workflow validate research
      $ orchestrate workflow validate flows/a.yaml flows/b.json --strict
      $ orchestrate workflow validate research --json
    """
    place = here.place(project_root)
    agents = set(definitions.known(place, os.environ))
    read = [(path, loading.read(path, place, agents)) for path in (places.find(place, name) for name in names)]
    if as_json:
        here.emit([_record(path, found, strict) for path, found in read])
    else:
        for path, found in read:
            for line in _told(path, found):
                click.echo(here.clean(line))
    ctx.exit(0 if all(_is_good(found, strict) for _, found in read) else FAILED)


@command.command()
@click.argument("name", metavar="FILE")
@click.option("--graph", "as_graph", is_flag=True, help="Draw what waits for what.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write the drawing into this file, as SVG.")
@as_json_option
@project_root_option
def show(name: str, as_graph: bool, output: str | None, as_json: bool, project_root: str | None) -> None:
    """Show a workflow: its inputs and steps, or the graph of them; or, by its id, how far a run is.

    \b
    Examples:
      $ orchestrate workflow show research
      $ orchestrate workflow show w-20261121-0740
      $ orchestrate workflow show research --graph
      $ orchestrate workflow show research --graph -o research.svg
    """
    if output and not as_graph:
        raise click.UsageError("-o: there is a drawing with --graph alone")
    place = here.place(project_root)
    if name.startswith(runs.PREFIX):
        workflow_run.show_run(place, name, as_json)
        return
    workflow = loading.load(name, place)
    if output:
        from orchestrate.workflow import picture

        files.replace(str(Path(output).absolute()), picture.svg(workflow).encode())
        return
    if as_json:
        here.emit({**workflow.as_dict(), "levels": dag.levels(workflow.steps)})
        return
    lines = graph.text(workflow, _width()) if as_graph else list(_described(workflow))
    for line in lines:
        click.echo(here.clean(line if _has_lines() else graph.plain(line)))


@command.command("list")
@as_json_option
@project_root_option
def list_workflows(as_json: bool, project_root: str | None) -> None:
    """List the workflows of the project and your own.

    \b
    Examples:
      $ orchestrate workflow list
      $ orchestrate workflow list --json
    """
    place = here.place(project_root)
    rows = list(_rows(place))
    if as_json:
        here.emit(rows)
        return
    if not rows:
        folders = " or ".join(folder for _, folder in places.roots(place))
        click.echo(f"no workflows: put a .yaml file into {folders}", err=True)
        return
    widths = {key: max(len(str(row[key])) for row in rows) for key in ("name", "source", "steps")}
    for row in rows:
        cells = [f"{row[key]!s:{width}}" for key, width in widths.items()]
        click.echo(here.clean("  ".join([*cells, "valid" if row["valid"] else f"not valid: {row['problem']}"])))


for one in workflow_run.COMMANDS:
    command.add_command(one)


def _rows(place: Place) -> Iterator[dict[str, object]]:
    agents = set(definitions.known(place, os.environ))
    for one in places.named(place):
        found = loading.read(one.path, place, agents)
        steps = len(found.workflow.steps) if found.workflow else "-"
        yield {
            **one._asdict(),
            "steps": steps,
            "valid": not found.errors,
            "problem": _shown(found.errors[0]) if found.errors else None,
            "needs_trust": bool(found.workflow and found.workflow.needs_trust),
        }


def _is_good(found: Found, strict: bool) -> bool:
    return not found.errors and not (strict and (found.warnings or (found.workflow and found.workflow.needs_trust)))


def _told(path: str, found: Found) -> Iterator[str]:
    yield from (_shown(error) for error in found.errors)
    yield from (_shown(warning._replace(key=f"warning: {warning.key}")) for warning in found.warnings)
    if found.workflow is None:
        many = len(found.errors)
        yield f"{_relative(path)}: not valid: {many} {'mistakes' if many > 1 else 'mistake'}"
        return
    yield from (f"warning: {_relative(wait)}" for wait in found.workflow.needs_trust)
    levels = len(dag.levels(found.workflow.steps))
    counts = f"{_count(len(found.workflow.steps), 'step')} in {_count(levels, 'level')}"
    yield f"{_relative(path)}: valid: {found.workflow.name}, {counts}{_inputs(found.workflow)}"


def _record(path: str, found: Found, strict: bool) -> dict[str, object]:
    workflow = found.workflow
    return {
        "file": path,
        "valid": _is_good(found, strict),
        "name": workflow.name if workflow else None,
        "steps": len(workflow.steps) if workflow else None,
        "inputs": [one.name for one in workflow.inputs] if workflow else None,
        "needs_trust": list(workflow.needs_trust) if workflow else [],
        "errors": [_problem(error) for error in found.errors],
        "warnings": [_problem(warning) for warning in found.warnings],
    }


def _problem(problem: Problem) -> dict[str, object]:
    first, _, rest = problem.key.partition(".")
    step, _, key = rest.partition(".") if first == "steps" else ("", "", problem.key)
    told = {"file": problem.path, "line": problem.line, "step": step or None, "key": key or None}
    return {**told, "message": problem.message}


def _inputs(workflow: Workflow) -> str:
    needed = [one.name for one in workflow.inputs if one.required]
    return f"; needs {', '.join(needed)}" if needed else ""


def _described(workflow: Workflow) -> Iterator[str]:
    yield f"{workflow.name}{f': {workflow.description}' if workflow.description else ''}"
    yield from (f"input {_input(one)}" for one in workflow.inputs)
    ids = min(32, max(len(step.id) for step in workflow.steps))
    for step in workflow.steps:
        after = f"  after {', '.join(step.depends_on)}" if step.depends_on else ""
        made = f"  → {{{step.output}}}" if step.output else ""
        yield f"  {step.id:{ids}}  {graph.what(step)}{after}{made}"
    yield from (_relative(wait) for wait in workflow.needs_trust)


def _input(one: Input) -> str:
    default = "" if one.required else f" = {values.as_text(one.default)}"
    return f"{one.name}{default}{f': {one.description}' if one.description else ''}"


def _shown(problem: Problem) -> str:
    return _relative(str(problem))


def _relative(line: str) -> str:
    """A path below the working directory as one would type it."""
    return line.removeprefix(f"{here.working_directory().rstrip('/')}/")


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _width() -> int:
    return shutil.get_terminal_size((WIDTH, 24)).columns if sys.stdout.isatty() else WIDTH


def _has_lines() -> bool:
    """Whether the output can hold the characters of a drawing."""
    try:
        "├●".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
