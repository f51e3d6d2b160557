"""Runs of workflows: begun, watched, taken up again, listed, called off. The work itself is done by the runner."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from orchestrate.commands import here
from orchestrate.workflow import dag, following, inbox, launching, loading, progress, runs, telling, values
from orchestrate.workflow.progress import Board, Row
from orchestrate.workflow.runs import CANCELLED, FAILED, FINISHED, RUNNING, Header
from orchestrate.workflow.spec import Step, Value, Workflow
from state.errors import INTERRUPTED, OK, USAGE, UserError
from state.paths import Place

NAME = "orchestrate"
LISTED = 20
_MISSING = "the engine of workflows is not installed: pip install 'orchestrate[workflows]'"
as_json_option = click.option("--json", "as_json", is_flag=True, help="Print the events as lines of JSON.")
detach_option = click.option("--detach", is_flag=True, help="Only ask for it; the runner does the rest.")
progress_option = click.option(
    "--progress", "live", is_flag=True, help="Show how far it is also where stderr is no terminal."
)
project_root_option = click.option("--project-root", help="The project, if not that of the working directory.")


@click.command()
@click.argument("name", metavar="FILE")
@click.option("--var", "told", multiple=True, metavar="NAME=VALUE", help="The value of an input; VALUE may be @FILE.")
@click.option("--max-parallel", type=click.IntRange(1, 128), help="How many steps work at once (default: 8).")
@click.option("--dry-run", is_flag=True, help="Show what would be run, and in which order; run and record nothing.")
@progress_option
@detach_option
@as_json_option
@project_root_option
@click.pass_context
def run(
    ctx: click.Context,
    name: str,
    told: tuple[str, ...],
    max_parallel: int | None,
    dry_run: bool,
    live: bool,
    detach: bool,
    as_json: bool,
    project_root: str | None,
) -> None:
    """Run a workflow; what its last steps have made comes on stdout.

    The runner works on it, a process of its own: the run goes on when this command is interrupted or its terminal
    closed, and where it stood when the runner is killed or the machine has restarted.

    \b
    Examples:
      $ orchestrate workflow run research --var topic="quantum error correction"
      $ orchestrate workflow run research --var topic=@topic.txt --progress
      $ orchestrate workflow run research --var topic=x --dry-run
      $ orchestrate workflow run research --var topic=x --detach
    """
    ctx.exit(started(here.place(project_root), name, _told(told), max_parallel or 0, dry_run, live, detach, as_json))


def started(
    place: Place,
    name: str,
    told: dict[str, str],
    most: int = 0,
    dry_run: bool = False,
    live: bool = False,
    detach: bool = False,
    as_json: bool = False,
) -> int:
    workflow = loading.load(name, place)
    given = values.given(workflow, told)
    if dry_run:
        _plan(workflow, given, as_json)
        return OK
    _needs_engine()
    here.settled(place)
    header = launching.begin(place, workflow, given, here.environment(), most)
    return _watched(header, live, detach, as_json)


@click.command()
@click.argument("name", metavar="RUN")
@click.option("--from", "since", default="", metavar="STEP", help="This step again, and all that builds on it.")
@progress_option
@detach_option
@as_json_option
@project_root_option
@click.pass_context
def resume(
    ctx: click.Context, name: str, since: str, live: bool, detach: bool, as_json: bool, project_root: str | None
) -> None:
    """Take a run up again that failed, was cancelled or is stranded: what has finished stays.

    \b
    Examples:
      $ orchestrate workflow resume w-20261121-0740
      $ orchestrate workflow resume w-20261121-0740 --from analyze
    """
    _needs_engine()
    found = runs.find(here.place(project_root), name)
    if found.is_over and found.status == FINISHED and not since:
        raise UserError(f"{found.run}: has finished: name a step to begin again from, as --from STEP")
    ctx.exit(_watched(launching.again(found, here.environment(), since=since), live, detach, as_json))


@click.command()
@click.argument("name", metavar="RUN")
@click.argument("step")
@progress_option
@detach_option
@as_json_option
@project_root_option
@click.pass_context
def retry(
    ctx: click.Context, name: str, step: str, live: bool, detach: bool, as_json: bool, project_root: str | None
) -> None:
    """Run one STEP of a run again, and then what had not finished; all else stays.

    \b
    Examples:
      $ orchestrate workflow retry w-20261121-0740 analyze
    """
    _needs_engine()
    found = runs.find(here.place(project_root), name)
    ctx.exit(_watched(launching.again(found, here.environment(), alone=step), live, detach, as_json))


@click.command()
@click.argument("name", metavar="RUN")
@project_root_option
def cancel(name: str, project_root: str | None) -> None:
    """Call a run off: what works is ended within seconds, nothing further is begun.

    \b
    Examples:
      $ orchestrate workflow cancel w-20261121-0740
    """
    found = runs.find(here.place(project_root), name)
    if found.is_over:
        raise UserError(f"{found.run}: is over: {found.status}")
    _needs_engine()
    launching.cancel(found)
    here.leave(found.place, "orchestration.workflow.called_off", ("workflow", found.run), {"workflow": found.workflow})
    if found.is_stranded:
        click.echo(f"{found.run}: is stranded, and will not be taken up")
        return
    for _ in following.follow(found):
        continue
    over = runs.read(found.state, found.run) or found
    click.echo(f"{found.run}: {over.status}")


@click.command("runs")
@click.option("--limit", type=click.IntRange(min=1), default=LISTED, show_default=True, help="How many of the newest.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@project_root_option
def listed(limit: int, as_json: bool, project_root: str | None) -> None:
    """List the runs of this project, the newest first. One that waits for a runner gets one.

    \b
    Examples:
      $ orchestrate workflow runs
      $ orchestrate workflow runs --json --limit 5
    """
    place = here.place(project_root)
    found = runs.listed(place)[:limit]
    _see_to(place, found)
    if as_json:
        here.emit([_summary(header) for header in found])
        return
    if not found:
        click.echo("no runs: start one with `orchestrate workflow run FILE`", err=True)
    for header in found:
        click.echo(here.clean(_line(header)))


def show_run(place: Place, name: str, as_json: bool) -> None:
    """`orchestrate workflow show RUN`."""
    header = runs.find(place, name)
    _see_to(place, [header])
    board = progress.board(header)
    if as_json:
        here.emit(
            {**_summary(header), "steps": [_row_record(row) for row in board.rows.values()], "outputs": outputs(header)}
        )
        return
    click.echo(here.clean(_line(header)))
    for row in board.rows.values():
        click.echo(here.clean(f"  {_row_line(row)}"))
    if header.is_over and header.status != FINISHED:
        click.echo(f"go on with: orchestrate workflow resume {header.run}")


def _watched(header: Header, live: bool, detach: bool, as_json: bool) -> int:
    if detach:
        if as_json:
            here.emit(_summary(header))
        else:
            click.echo(header.run)
        return OK
    try:
        _watch(header, live, as_json)
    except KeyboardInterrupt:
        here.tell(f"{header.run} goes on without this command: `orchestrate workflow show {header.run}` shows it, "
                  f"`orchestrate workflow cancel {header.run}` ends it", NAME)  # fmt: skip
        return INTERRUPTED
    header = runs.read(header.state, header.run) or header
    _print_end(header, as_json)
    return header.exit_code if header.exit_code is not None else INTERRUPTED


def _watch(header: Header, live: bool, as_json: bool) -> None:
    if as_json:
        for event in following.follow(header):
            if event:
                click.echo(_compact(event))
        return
    board = Board(runs.workflow(header), progress.usual(header))
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        from orchestrate.workflow import live_view

        live_view.watch(header, board, following.follow(header))
        return
    here.tell(f"{header.run}: {header.workflow}, {header.steps} step{'' if header.steps == 1 else 's'}", NAME)
    said: dict[str, str] = {}
    for event in following.follow(header):
        row = board.take(event) if event else None
        if not event or not row or not _is_to_tell(header, event, row, live):
            continue
        line = _row_line(row, is_new=event["type"] == f"{telling.STEP}.started")
        if said.get(row.step) != line:
            click.echo(here.clean(line), err=True)
        said[row.step] = line


def _is_to_tell(header: Header, event: dict[str, Any], row: Row, live: bool) -> bool:  # Any: what JSON holds
    """What ended before the run was taken up again was told then."""
    if event["type"] == telling.PROGRESS:
        return live and row.status == RUNNING
    return bool(event.get("generation") == header.generation)


def _print_end(header: Header, as_json: bool) -> None:
    made = outputs(header)
    if as_json:
        click.echo(_compact({"type": "result", **_summary(header), "outputs": made}))
        return
    for name, value in made.items() if header.status == FINISHED else ():
        text = values.as_text(value)
        click.echo(f"{name}:\n{text}" if len(made) > 1 else text)
    if header.status == FAILED:
        here.tell(f"{header.run}: {header.detail}", NAME)
        here.tell(f"go on with: orchestrate workflow resume {header.run}", NAME)
    elif header.status == CANCELLED:
        here.tell(f"{header.run}: cancelled", NAME)


def outputs(header: Header) -> dict[str, Value]:
    """What the steps that nothing waits for have made, by the names of the outputs."""
    workflow = runs.workflow(header)
    waits = dag.needs(workflow.steps)
    awaited = {name for them in waits.values() for name in them}
    found: dict[str, Value] = {}
    for step in workflow.steps:
        if step.id in awaited and not _stands_before(step, workflow):
            continue
        value = _value(header, step)
        if value is not None:
            found[step.output or step.id] = value
    return found


def _stands_before(step: Step, workflow: Workflow) -> bool:
    """Only its fallback waits for it."""
    waiting = [one.id for one in workflow.steps if step.id in one.depends_on]
    return bool(step.fallback) and not waiting


def _value(header: Header, step: Step) -> Value:
    epoch = header.epochs.get(step.id, 1)
    if step.foreach:
        folder = Path(header.folder, runs.STEPS, step.id)
        numbers = sorted(int(one.name) for one in folder.glob("[0-9]*") if (one / str(epoch)).is_dir())
        made = [runs.kept(runs.unit_folder(header, f"{step.id}/{number}", epoch), 0) for number in numbers]
        return [one.value for one in made if one] or None
    kept = runs.kept(runs.unit_folder(header, step.id, epoch), 0)
    return kept.value if kept else None


def _see_to(place: Place, found: list[Header]) -> None:
    """What goes on needs a runner: it may have been killed, or the machine restarted."""
    user = launching.shared(place)
    if any(not one.is_over and not one.is_stranded for one in found) and not inbox.is_running(user):
        inbox.start(user)
        here.tell("no runner was at work: one has been started", NAME)


def _told(pairs: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, is_given, value = pair.partition("=")
        if not is_given or not name:
            raise UserError(f"--var {pair}: give NAME=VALUE", USAGE)
        found[name] = _read(value[1:]) if value.startswith("@") else value
    return found


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace")
    except OSError as error:
        raise UserError(f"--var @{path}: {(error.strerror or '').lower()}", USAGE) from None


def _plan(workflow: Workflow, given: dict[str, Value], as_json: bool) -> None:
    levels = dag.levels(workflow.steps)
    if as_json:
        here.emit(
            {"workflow": workflow.name, "inputs": given, "levels": levels, "needs_trust": list(workflow.needs_trust)}
        )
        return
    by_id = {step.id: step for step in workflow.steps}
    for number, level in enumerate(levels, 1):
        for name in level:
            click.echo(here.clean(f"{number}  {name}: {_what(by_id[name])}"))
    for wait in workflow.needs_trust:
        here.tell(wait, NAME)


def _what(step: Step) -> str:
    what = step.agent or " ".join(step.command) or step.gate or step.workflow or "the agent that the router chooses"
    each = step.foreach if isinstance(step.foreach, str) else ", ".join(step.foreach)
    extra = [f"when {step.when}" if step.when else "", f"for each of {each}" if each else ""]
    return ", ".join([what, *filter(None, extra)])


def _summary(header: Header) -> dict[str, Any]:  # Any: what JSON holds
    names = ("run", "workflow", "status", "exit_code", "detail", "started_at", "finished_at", "steps", "generation")
    told = {name: getattr(header, name) for name in names}
    return {**told, "status": "stranded" if header.is_stranded else header.status, "folder": header.folder}


def _line(header: Header) -> str:
    if header.is_stranded:
        why = f"stranded: begun by another version ({header.engine}): `orchestrate workflow resume {header.run}`"
    else:
        why = f"{header.status}{f': {header.detail}' if header.detail and header.status == FAILED else ''}"
    return f"{header.run}  {header.workflow}  {why}"


def _row_record(row: Row) -> dict[str, object]:
    names = ("step", "status", "agent", "model", "tokens", "detail")
    return {**{name: getattr(row, name) for name in names}, "took_s": round(row.elapsed_s(time.monotonic()), 3)}


def _row_line(row: Row, is_new: bool = False) -> str:
    return f"{row.step}: {', '.join(_words(row, is_new))}"


def _words(row: Row, is_new: bool) -> Iterator[str]:
    """`is_new`: as it was when it began, however long ago that was."""
    took_s = 0.0 if is_new else row.elapsed_s(time.monotonic())
    link = "for" if row.status == RUNNING else "after"
    yield f"{row.status} {link} {progress.clock(took_s)}" if took_s >= 1 else row.status
    yield from filter(None, (row.agent, row.model, f"{progress.short(row.tokens)} tokens" if row.tokens else ""))
    yield from filter(None, (row.detail, row.note))


def _compact(value: object) -> str:
    import orjson

    return orjson.dumps(value).decode()


def _needs_engine() -> None:
    from importlib.util import find_spec

    if find_spec("dbos") is None or find_spec("simpleeval") is None:
        raise UserError(_MISSING)


COMMANDS = (run, resume, retry, cancel, listed)
