"""The events of the project: listed, followed, told, archived."""

import os
import select
import sys
from collections.abc import Callable
from pathlib import Path

import click
import orjson

from orchestrate.commands import events_sinks, here
from orchestrate.commands.moment import Age, At, Moment
from orchestrate.commands.reading import read_logs
from orchestrate.commands.typed import Code
from orchestrate.memory import events
from state.errors import NOT_FOUND, UserError
from state.paths import Place
from state.store import FILE, Store, open_store, open_user_store
from state.store.search_records import Filter, Numbered

SHOWN = 120  # characters of a payload in a line
DEFAULT_AGE = "90d"
project_root = click.option("--project-root", help="The project, if not that of the working directory.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class Entity(click.ParamType[tuple[str, str | None]]):
    name = "entity"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str | None]:
        kind, colon, key = str(value).partition(":")
        if not kind:
            self.fail(f"{value!r}: expected a kind, or a kind and an id, as task or task:TSK-001", param, ctx)
        return kind, key if colon else None


def filters(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--task", type=Code(), help="Of this task."),
        click.option("--session", help="Of this session."),
        click.option("--entity", type=Entity(), metavar="TYPE[:ID]", help="About these, as task or task:TSK-001."),
        click.option("--type", "kind", help="Of this type; a star at its end stands for the rest."),
    ):
        command = option(command)
    return command


@click.group()
def command() -> None:
    """List and follow what was told, tell something yourself, put what is old away.

    \b
    Examples:
      $ orchestrate events list --limit 20
      $ orchestrate events follow --task TSK-001
      $ orchestrate events emit execute.step_complete --task TSK-001 --payload '{"step": 3}'
      $ orchestrate events archive --older-than 90d --dry-run
    """


command.add_command(events_sinks.command)


@command.command("list")
@filters
@click.option("--since", type=Moment(), help="Nothing older: 7d, 12h, 2026-11-21.")
@click.option("--until", type=Moment(), help="Nothing from then on.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="The newest of them.")
@click.option("--id", "ids", multiple=True, metavar="ID", help="This one, of the project or of your nights.")
@as_json
@project_root
def list_events(
    kind: str | None,
    entity: tuple[str, str | None] | None,
    session: str | None,
    task: str | None,
    since: At | None,
    until: At | None,
    limit: int,
    ids: tuple[str, ...],
    as_json: bool,
    project_root: str | None,
) -> None:
    """List the newest events, the oldest of them first. With --id exits with 3 where there is none of it.

    \b
    Examples:
      $ orchestrate events list
      $ orchestrate events list --type "orchestration.phase.*" --since 7d
      $ orchestrate events list --entity task:TSK-001 --json
    """
    place = here.place(project_root)
    wanted = _filter(kind, entity, session, task, since, until)
    with open_store(place) as store:
        read_logs(place, store)
        found = _named(place, store, ids) if ids else store.listing.newest(wanted, limit)
    if as_json:
        here.emit([events.as_json(entry) for entry in found])
        return
    for entry in found:
        click.echo(_line(entry))
    if not found:
        click.echo("no events", err=True)


@command.command()
@filters
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object on each line.")
@project_root
def follow(
    kind: str | None,
    entity: tuple[str, str | None] | None,
    session: str | None,
    task: str | None,
    as_json: bool,
    project_root: str | None,
) -> None:
    """Print events as they come, until it is interrupted.

    \b
    Examples:
      $ orchestrate events follow --help
      $ orchestrate events follow --type "orchestration.phase.*" --json
    """
    place = here.place(project_root)
    wanted = _filter(kind, entity, session, task, None, None)
    shown = _json_line if as_json else _line
    with open_store(place) as store:
        read_logs(place, store)
        after = store.newest_seq()
        click.echo("following: new events appear here, Ctrl-C ends it", err=True)
        for entry in events.follow(store, wanted, after, lambda: read_logs(place, store), _is_read):
            if not _print(shown(entry)):
                return


@command.command()
@click.argument("kind", metavar="TYPE")
@click.option("--payload", default="{}", metavar="JSON", help="What there is to say of it: a JSON object.")
@click.option(
    "--entity", type=Entity(), metavar="TYPE[:ID]", help="What it is about (default: the task, or the session)."
)
@click.option("--task", type=Code(), help="The task that it belongs to.")
@click.option("--session", help="The session that it belongs to (default: the current one).")
@as_json
@project_root
def emit(
    kind: str,
    payload: str,
    entity: tuple[str, str | None] | None,
    task: str | None,
    session: str | None,
    as_json: bool,
    project_root: str | None,
) -> None:
    """Tell an event of your own; TYPE is kept as it is written. Prints its id.

    \b
    Examples:
      $ orchestrate events emit deploy.started --payload '{"to": "staging"}'
      $ orchestrate events emit execute.step_complete --task TSK-001 --payload '{"step": 3}'
    """
    place = here.place(project_root)
    about = (entity[0], entity[1] or "") if entity else None
    with open_store(place) as store:
        event = events.told(store, here.teller(place), kind, payload, about, task, session)
        seq = store.newest_seq()
    if as_json:
        here.emit(events.as_json(Numbered(seq, event)))
    else:
        click.echo(event.id)


@command.command()
@click.option("--older-than", "before", type=Age(), default=DEFAULT_AGE, help=f"An age (default: {DEFAULT_AGE}).")
@click.option("--dry-run", is_flag=True, help="Tell what would be archived and archive nothing.")
@as_json
@project_root
def archive(before: str, dry_run: bool, as_json: bool, project_root: str | None) -> None:
    """Put old events away: out of the store, into compressed files that `search --archived` still looks into.

    \b
    Examples:
      $ orchestrate events archive --dry-run
      $ orchestrate events archive --older-than 90d
    """
    from orchestrate.memory import archive as archiving
    from orchestrate.memory.archive_file import FOLDER
    from state import compiled

    place = here.place(project_root)
    with open_store(place) as store:
        read_logs(place, store)
        if dry_run:
            done = archiving.dry(store, before)
        else:
            done = archiving.archive(place, store, before, compiled.lock_timeout_s(place), _tell_step)
            if done.events:
                payload = {"before": done.before, "events": done.events, "files": done.files}
                told = here.teller(place).event("orchestration.events.archived", ("archive", done.before), payload)
                store.emit([told])
    if as_json:
        here.emit(done._asdict())
        return
    verb = "would archive" if dry_run else "archived"
    click.echo(f"{verb} {done.events} events older than {done.before}")
    for name in done.files:
        click.echo(f"  {place.state}/{FOLDER}/{name}")


def _named(place: Place, store: Store, ids: tuple[str, ...]) -> list[Numbered]:
    """Of the project, or of the user, in whose store the nights are told."""
    found = [entry for name in ids if (entry := store.listing.one(name))]
    missing = set(ids) - {entry.event.id for entry in found}
    if missing and place.user and Path(place.user, FILE).exists():
        with open_user_store(place) as users:
            found += [entry for name in ids if name in missing and (entry := users.listing.one(name))]
    unknown = set(ids) - {entry.event.id for entry in found}
    if unknown:
        where = "in this project or of your nights"
        raise UserError(f"{', '.join(sorted(unknown))}: no such event {where}: name its --project-root", NOT_FOUND)
    return found


def _tell_step(step: str) -> None:
    if step.endswith("archived"):
        click.echo(step, err=True)


def _filter(
    kind: str | None,
    entity: tuple[str, str | None] | None,
    session: str | None,
    task: str | None,
    since: At | None,
    until: At | None,
) -> Filter:
    is_prefix = bool(kind) and str(kind).endswith("*")
    return Filter(
        type=None if is_prefix else kind,
        prefix=str(kind)[:-1] if is_prefix else None,
        entity_type=entity[0] if entity else None,
        entity_id=entity[1] if entity else None,
        session=session,
        task=task,
        **{name: at.ts for name, at in (("since", since), ("until", until)) if at},
    )


def _line(entry: Numbered) -> str:
    event = entry.event
    about = f"{event.entity_type} {event.entity_id}".strip()
    task = f" [{event.task}]" if event.task else ""
    payload = event.payload if len(event.payload) <= SHOWN else event.payload[: SHOWN - 1] + "…"
    return here.clean(f"{entry.seq:>6}  {event.ts}  {event.type}  {about}{task}  {event.actor}  {payload}")


def _json_line(entry: Numbered) -> str:
    return orjson.dumps(events.as_json(entry)).decode()


def _print(line: str) -> bool:
    """Whether somebody reads it: `| head` leaves early."""
    try:
        click.echo(line)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True


def _is_read() -> bool:
    """False once the reader of a pipe is gone, also while there is nothing to print."""
    if not hasattr(select, "poll"):
        return True
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return not any(state & (select.POLLERR | select.POLLHUP | select.POLLNVAL) for _, state in poll.poll(0))
