"""Bugs: logged once however often they show, listed, resolved."""

import sys

import click

from orchestrate.commands import bug_ask, bug_task, here, typed
from orchestrate.memory import bug_near, bug_rehash, bug_render, bugs
from state.store import open_store
from state.store.bug_records import Logged

LINE_MOST = 2**31 - 1
project_root = click.option("--project-root", help="The project, if not that of the working directory.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def command() -> None:
    """Log bugs as they are met; the same bug is one record, however often and by whomever it is logged.

    HASH is a bug's hash or its unique beginning.

    \b
    Examples:
      $ orchestrate bug log "Undefined variable: foo" --task-code TSK-001 --file app/Test.php --line 42
      $ orchestrate bug list --open
      $ orchestrate bug show 0acc79b3
    """


@command.command()
@click.argument("error")
@click.option("--task-code", "--task", "task", type=typed.Code(), help="The task in which it was met.")
@click.option("--file", help="The file it was met in.")
@click.option("--line", type=click.IntRange(0, LINE_MOST), help="The line of the file.")
@click.option("--stack-trace", default="", metavar="TEXT|@FILE|-", help="The stack: itself, from a file or from stdin.")
@click.option("--context", "pairs", multiple=True, metavar="KEY=VALUE", help="What else is known of it (repeatable).")
@click.option("--action", type=click.Choice(bugs.ACTIONS), help="What to do now; without it a terminal is asked.")
@click.option(
    "--related/--unrelated", default=None, help="Whether it belongs to the task (default: the task that met it first)."
)
@as_json
@project_root
def log(
    error: str,
    task: str | None,
    file: str | None,
    line: int | None,
    stack_trace: str,
    pairs: tuple[str, ...],
    action: str | None,
    related: bool | None,
    as_json: bool,
    project_root: str | None,
) -> None:
    """Log a bug, then choose what to do about it: fix_now, log_and_continue, provide_context or log_only.

    It is logged before anybody is asked. Without a terminal nobody is, and it is log_and_continue.

    \b
    Examples:
      $ orchestrate bug log "Undefined variable: foo" --task-code TSK-001 --file app/Test.php --line 42
      $ orchestrate bug log "Connection refused" --stack-trace @trace.txt --context host=db1 --action log_only
      $ pytest 2>&1 | orchestrate bug log "tests are red" --stack-trace - --action fix_now
    """
    place = here.place(project_root)
    stack = typed.text(stack_trace, "--stack-trace") if stack_trace else ""
    report = bugs.Report(error, task, file, line, stack, bugs.given(pairs))
    teller = here.teller(place)
    with open_store(place) as store:
        met = bug_task.of(store, task)
        report = report._replace(session=bug_task.session_of(met))
        logged = bugs.log(store, place, teller, report, here.working_directory())
        near = bugs.near(store, place, logged.bug) if logged.is_new else []
    if not as_json:
        _say(logged, near, task if met is None else None)
    if met and report.session:
        bug_task.run_hooks(met, project_root)
    chosen, more = (action, {}) if action else bug_ask.choose(bugs.choices(logged, task, related))
    with open_store(place) as store:
        bug = bugs.act(store, teller, logged.bug, chosen, more, report)
    if as_json:
        told = {"is_new": logged.is_new, "is_reopened": logged.is_reopened, "action": chosen}
        here.emit({**bugs.record(bug), **told, "near": [_near(one) for one in near]})
    else:
        click.echo(bug_ask.AFTER[chosen].format(where=here.clean(bug_render.where(bug)), bug=bug_render.short(bug)))


@command.command("list")
@click.option("--task", type=typed.Code(), help="Those that this task met.")
@click.option("--duplicates", is_flag=True, help="Those seen more than once.")
@click.option("--open", "is_open", is_flag=True, help="Those that are not resolved.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="How many at the most.")
@click.option("--markdown", is_flag=True, help="Print a page such as BUGS.md.")
@as_json
@project_root
def list_bugs(
    task: str | None,
    duplicates: bool,
    is_open: bool,
    limit: int,
    markdown: bool,
    as_json: bool,
    project_root: str | None,
) -> None:
    """List bugs, the one seen last first.

    \b
    Examples:
      $ orchestrate bug list --task TSK-001
      $ orchestrate bug list --duplicates --json
      $ orchestrate bug list --task TSK-001 --markdown > BUGS.md
    """
    with open_store(here.place(project_root)) as store:
        found = store.bugs.listed(task, 2 if duplicates else 1, is_open, limit)
    if len(found) == limit:
        click.echo(f"the last {limit} are shown: --limit shows more", err=True)
    if as_json:
        here.emit([bugs.record(bug) for bug in found])
    elif markdown:
        click.echo(bug_render.markdown(found, task, here.clean))
    else:
        for bug in found:
            click.echo(bug_render.line(bug, here.clean))
        if not found:
            click.echo("no bugs", err=True)


@command.command()
@click.argument("bug_hash", metavar="HASH")
@as_json
@project_root
def show(bug_hash: str, as_json: bool, project_root: str | None) -> None:
    """Show one bug whole, and those that may be the same.

    \b
    Examples:
      $ orchestrate bug show 0acc79b3
      $ orchestrate bug show 0acc79b3 --json
    """
    place = here.place(project_root)
    with open_store(place) as store:
        bug = store.bugs.named(bug_hash)
        if as_json:
            here.emit(bugs.record(bug))
            return
        near = bugs.near(store, place, bug)
        lines = bug_render.details(bug, store.bugs.tasks(bug.bug_hash), here.clean)
    for line in [*lines, *bug_render.near(near, here.clean)]:
        click.echo(line)


@command.command()
@click.argument("bug_hash", metavar="HASH")
@click.option("--note", help="What resolved it.")
@as_json
@project_root
def resolve(bug_hash: str, note: str | None, as_json: bool, project_root: str | None) -> None:
    """Say that a bug is resolved. When it shows again it is open again, and `bug log` says so.

    \b
    Examples:
      $ orchestrate bug resolve 0acc79b3 --note "fixed in 1612471"
    """
    place = here.place(project_root)
    with open_store(place) as store:
        bug = store.bugs.named(bug_hash)
        is_new = bugs.resolve(store, here.teller(place), bug, note)
        bug = store.bugs.one(bug.bug_hash)
    if as_json:
        here.emit(bugs.record(bug))
    else:
        click.echo(f"{bug_render.short(bug)}: {'resolved' if is_new else f'was resolved at {bug.resolved_at}'}")


@command.command()
@as_json
@project_root
def stats(as_json: bool, project_root: str | None) -> None:
    """Count bugs by type.

    \b
    Examples:
      $ orchestrate bug stats
      $ orchestrate bug stats --json
    """
    with open_store(here.place(project_root)) as store:
        counts = store.bugs.counts()
    names = ("bugs", "occurrences", "open", "duplicates")
    whole = {name: sum(getattr(count, name) for count in counts) for name in names}
    if as_json:
        by_type = {count.error_type: {name: getattr(count, name) for name in names} for count in counts}
        here.emit({**whole, "by_type": by_type})
        return
    rows = [("all", *whole.values()), *counts]
    for error_type, total, occurrences, still_open, duplicates in rows:
        click.echo(
            f"{error_type:<10}  {total:>5} bugs  {occurrences:>6} occurrences  {still_open:>5} open  "
            f"{duplicates:>5} seen more than once"
        )


@command.command()
@click.option("--dry-run", is_flag=True, help="Tell what would change and change nothing.")
@as_json
@project_root
def rehash(dry_run: bool, as_json: bool, project_root: str | None) -> None:
    """Make every hash anew by the rules of this version; records that now agree become one, their counts summed.

    \b
    Examples:
      $ orchestrate bug rehash --dry-run
      $ orchestrate bug rehash
    """
    place = here.place(project_root)
    with open_store(place) as store:
        merges = bug_rehash.rehash(store, place, here.teller(place), dry_run)
    if as_json:
        changes = [{"was": list(one.was), **bugs.record(one.bug)} for one in merges]
        here.emit({"dry_run": dry_run, "changes": changes})
        return
    for one in merges:
        was = ", ".join(bug_hash[: bug_render.HASH_SHOWN] for bug_hash in one.was)
        click.echo(f"{was} -> {bug_render.short(one.bug)}: {one.bug.error_type}, {one.bug.occurrence_count} times")
    click.echo(f"{'would change' if dry_run else 'changed'} {len(merges)} bugs", err=True)


def _say(logged: Logged, near: list[bug_near.Near], lacking: str | None) -> None:
    click.echo(bug_render.logged(logged))
    for line in bug_render.near(near, here.clean):
        click.echo(line)
    if lacking:
        click.echo(f"{lacking}: no such task: the bug names it all the same", err=True)
    if sys.stdout:
        sys.stdout.flush()


def _near(one: bug_near.Near) -> dict[str, object]:
    return {"bug_hash": one.bug.bug_hash, "score": one.score, "error_message": one.bug.error_message}
