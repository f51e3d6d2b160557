"""Try out, on past prompts and spare quota, whether a cheaper tier does as well."""

import time

import click

from orchestrate.commands import here
from orchestrate.request import memory
from orchestrate.shadow import session, steps
from orchestrate.shadow.session import Row
from state.paths import Place

PROJECT = click.option("--project-root", help="The project, if not that of the working directory.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def command() -> None:
    """Try out whether a cheaper tier does a class of your work as well, and let it step down only if so.

    A class is a tier and a kind of work, as sonnet/test. Nothing is tried out unless you call `run`.

    \b
    Examples:
      $ orchestrate config set shadow.check "pytest -q"
      $ orchestrate route shadow status
      $ orchestrate route shadow run --pairs 10
      $ orchestrate route shadow apply sonnet/test
      $ orchestrate route shadow forget sonnet/test
    """


@command.command()
@click.argument("name", metavar="[CLASS]", required=False)
@click.option("--pairs", "most", type=click.IntRange(1, 50), default=5, show_default=True, help="The most to try out.")
@click.option("--seed", type=int, help="Draw the same sample and the same orders again.")
@JSON
@PROJECT
def run(name: str | None, most: int, seed: int | None, as_json: bool, project_root: str | None) -> None:
    """Give past prompts of CLASS to its tier and to the one below, each in a working copy of its own.

    Both are tested by `shadow.check` and compared by a judge who does not know whose work is whose. It stops when less
    than `shadow.spare` of a limit is left to it, or `shadow.max_budget_usd` is spent. Your working tree, branches and
    index are not touched.

    \b
    Examples:
      $ orchestrate route shadow run
      $ orchestrate route shadow run sonnet/test --pairs 10
    """
    place = here.place(project_root)
    settings = here.settled(place).values
    done = session.run(place, here.environment(), settings, name, most, seed, here.tell)
    good = sum(line.get("as_good") is True for line in done.lines)
    void = sum(bool(line.get("void")) for line in done.lines)
    if done.group and done.lines:
        pairs = {"pairs": len(done.lines), "as_good": good, "void": void, "ended": done.why}
        here.leave(place, "orchestration.shadow.tried", ("class", done.group.name), pairs)
    if as_json:
        here.emit({"class": done.group.name if done.group else None, "pairs": done.lines, "ended": done.why})
        return
    title = f"{done.group.name}: " if done.group else ""
    click.echo(f"{title}{len(done.lines)} pairs, {good} as good, {void} void; ended: {done.why}")


@command.command()
@JSON
@PROJECT
def status(as_json: bool, project_root: str | None) -> None:
    """Show what is known of each class, and which have stepped down.

    \b
    Examples:
      $ orchestrate route shadow status
      $ orchestrate route shadow status --json
    """
    place = here.place(project_root)
    found = session.rows(place)
    if as_json:
        here.emit([_record(row) for row in found])
        return
    for row in found:
        click.echo(_line(row))
    if not found:
        click.echo("no prompts of this project can be tried out yet", err=True)
    _tell_if_ignored(place)


@command.command()
@click.argument("name", metavar="CLASS")
@JSON
@PROJECT
def apply(name: str, as_json: bool, project_root: str | None) -> None:
    """Let CLASS step down in this project, if the pairs that were tried out say so. Ends with 4 if they do not.

    \b
    Examples:
      $ orchestrate route shadow apply sonnet/test
    """
    place = here.place(project_root)
    row = session.apply(place, name, time.time())
    here.leave(
        place, "orchestration.shadow.applied", ("class", name), {"below": row.group.below, "why": row.standing.why}
    )
    if as_json:
        here.emit(_record(row))
    else:
        click.echo(f"{name} steps down to {row.group.below} from now on: {row.standing.why}")


@command.command()
@click.argument("name", metavar="[CLASS]", required=False)
@click.option("--pairs", "with_pairs", is_flag=True, help="Remove what was tried out too.")
@JSON
@PROJECT
def forget(name: str | None, with_pairs: bool, as_json: bool, project_root: str | None) -> None:
    """Take the step of CLASS back, or of all classes of this project.

    \b
    Examples:
      $ orchestrate route shadow forget sonnet/test
      $ orchestrate route shadow forget --pairs
    """
    place = here.place(project_root)
    back, removed = session.forget(place, name, with_pairs, time.time())
    if back or removed:
        here.leave(place, "orchestration.shadow.forgotten", ("class", name or ""), {"back": back, "pairs": removed})
    if as_json:
        here.emit({"back": back, "pairs_removed": removed})
    else:
        click.echo(f"{', '.join(back) or 'no class'} back up; {removed} pairs removed")


def _line(row: Row) -> str:
    found = row.standing
    state = "stepped down" if row.is_down else found.outcome
    counts = f"{found.pairs} pairs, {found.as_good} as good ({found.lower:.0%} to {found.upper:.0%})"
    more = f"{found.regressions} broke the tests, {found.hits} of {found.controls} controls, {row.void} void"
    return f"{row.group.name}: {state}: {found.why}; {counts}; {more}; {row.left} prompts left"


def _record(row: Row) -> dict[str, object]:
    told = {"class": row.group.name, "below": row.group.below, "stepped_down": row.is_down}
    return {**told, **row.standing._asdict(), "void": row.void, "left": row.left}


def _tell_if_ignored(place: Place) -> None:
    if steps.is_ignored(place, memory.correction(place)):
        here.tell("the steps of this project are ignored: they were let for other weights or another correction")
