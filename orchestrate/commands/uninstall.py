import os
from collections.abc import Iterator

import click

from orchestrate.commands import here
from orchestrate.commands.install import show
from orchestrate.install import carry_out, interpreter, plan, receipts, scopes, shipped, survey


@click.command()
@click.option("--scope", type=click.Choice(scopes.SCOPES), default="user", show_default=True, help="Whose settings.")
@click.option("--dry-run", is_flag=True, help="Print what would change as a diff; change nothing.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def command(scope: str, dry_run: bool, project_root: str | None) -> None:
    """Take the hooks out again: to the byte where nobody else has changed the file since.

    What was recorded in .orchestrator folders stays.

    \b
    Examples:
      $ orchestrate uninstall
      $ orchestrate uninstall --scope local --dry-run
    """
    place = here.place(project_root, may_be_gone=True)
    book = receipts.book(place.user)
    target = scopes.target(scope, place.root, os.environ)
    agents = shipped.folder(shipped.here().home) / "agents"
    if dry_run:
        planned = plan.uninstall(target, book, agents)
        show(planned.changes, planned.notes)
        return
    record = book.folder / interpreter.NAME
    with carry_out.alone(book, place, os.environ):
        was_there = scope == "plugin" and record.is_file()
        done = plan.uninstall(target, book, agents)
        is_plugged = scope != "plugin" and survey.is_plugged(survey.look(place.root, os.environ), os.environ)
        carry_out.uninstall(done, book, is_plugged)
    if done.changes:
        told = {"scope": scope, "files": [str(change.path) for change in done.changes]}
        here.leave(place, "orchestration.hooks.uninstalled", ("scope", scope), told, for_all=True)
    for change in done.changes:
        click.echo(f"{'removed' if change.after is None else 'restored'} {change.path}")
    if was_there and not record.exists():
        click.echo(f"removed {record}")
    elif not done.changes:
        click.echo(here.clean(f"nothing of ours in {target.settings or 'the plugin scope'}"))
    stays = f"{record} stays for the plugin: `orchestrate uninstall --scope plugin` removes it"
    kept = [stays] if is_plugged and record.exists() and not book.has_others(done.key) else []
    for note in (*done.notes, *kept, *_elsewhere(place.root, scope)):
        click.echo(here.clean(f"note: {note}"), err=True)


def _elsewhere(root: str, scope: str) -> Iterator[str]:
    """Who takes the hooks out of one file should know of the others."""
    for sighting in survey.look(root, os.environ):
        if sighting.commands and sighting.scope != scope and sighting.scope in scopes.SCOPES:
            yield f"hooks of ours are in {sighting.path} too: orchestrate uninstall --scope {sighting.scope}"
