"""The project's store, moved to another database."""

import os
from collections.abc import Mapping

import click

from orchestrate.commands import here
from state.paths import Place

TIMEOUT_S = 5.0  # a writer that takes longer is at work: it is told, not waited for


@click.command()
@click.option("--to", "to", required=True, help="postgresql://user@host/database, or sqlite.")
@click.option("--replace", is_flag=True, help="Drop what the target holds of this project.")
@click.option("--dry-run", is_flag=True, help="Tell what would be copied and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def move(to: str, replace: bool, dry_run: bool, as_json: bool, project_root: str | None) -> None:
    """Copy the whole store to PostgreSQL, or back to SQLite; verify every row; then use it from there.

    Where the store is now nothing is changed. Ended at any moment, the same command begins anew.

    \b
    Examples:
      $ orchestrate state move --to postgresql://me@db.example.org/tools --dry-run
      $ orchestrate state move --to postgresql://me@db.example.org/tools
      $ orchestrate state move --to sqlite
    """
    from state.store import opening, switching  # pydantic and a driver that no other command of `state` owes

    place = here.place(project_root)
    switching.check(place, os.environ)
    there = "" if to == "sqlite" else to
    now = opening.url(place)
    if there == now:
        _finish(place, there)
        here.tell(f"{opening.shown(place, now)}: the store is there already")
    moved = _counted(place, now, there) if dry_run or there == now else _move(place, now, there, replace)
    if as_json:
        answer = {"from": opening.shown(place, now), "to": opening.shown(place, there), "dry_run": dry_run}
        here.emit({**answer, "tables": moved})
        return
    if there == now:
        return
    verb = "would copy" if dry_run else "copied and verified"
    click.echo(f"{verb} {sum(moved.values())} rows of {len(moved)} tables from {opening.shown(place, now)}")
    for table, rows in moved.items():
        click.echo(f"  {table}: {rows}")
    if not dry_run:
        click.echo(f"store.url is set in {place.state}: the store is {opening.shown(place, there)} from now on")
        click.echo(f"{opening.shown(place, now)} is as it was, and no longer used")


def _move(place: Place, now: str, there: str, replace: bool) -> Mapping[str, int]:
    from state.store import moving, opening, switching

    source = opening.tables(place, now, TIMEOUT_S)
    try:
        target = opening.tables(place, there, TIMEOUT_S)
        try:
            copied = moving.move(source, target, replace, lambda: switching.use(place, there), here.tell)
        finally:
            target.close()
    finally:
        source.close()
    rows = {table: found.rows for table, found in copied.items()}
    _tell(place, {"from": opening.shown(place, now), "to": opening.shown(place, there), "rows": sum(rows.values())})
    return rows


def _tell(place: Place, moved: dict[str, object]) -> None:
    from state.store import open_store

    with open_store(place) as store:
        store.emit([here.teller(place).event("orchestration.store.moved", ("store", str(moved["to"])), moved)])


def _counted(place: Place, now: str, there: str) -> Mapping[str, int]:
    from state.store import moving, opening

    opening.probe(place, there)
    tables = opening.tables(place, now, TIMEOUT_S)
    try:
        return moving.counts(tables)
    finally:
        tables.close()


def _finish(place: Place, there: str) -> None:
    """A move that was ended behind the switch left its mark."""
    from state.store import opening

    tables = opening.tables(place, there, TIMEOUT_S)
    try:
        tables.unmark()
    finally:
        tables.close()
