import os

import click

from orchestrate.commands import here
from orchestrate.commands.install import show
from orchestrate.install import carry_out, plan, receipts, scopes, shipped


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
    place = here.place(project_root)
    book = receipts.book(place.user)
    target = scopes.target(scope, place.root, os.environ)
    agents = shipped.folder(shipped.here().home) / "agents"
    if dry_run:
        planned = plan.uninstall(target, book, agents)
        show(planned.changes, planned.notes)
        return
    with carry_out.alone(book, place, os.environ):
        done = plan.uninstall(target, book, agents)
        carry_out.uninstall(done, book)
    if done.changes:
        told = {"scope": scope, "files": [str(change.path) for change in done.changes]}
        here.leave(place, "orchestration.hooks.uninstalled", ("scope", scope), told, for_all=True)
    for change in done.changes:
        click.echo(f"{'removed' if change.after is None else 'restored'} {change.path}")
    if not done.changes:
        click.echo(f"nothing of ours in {target.settings or 'the plugin scope'}")
    for note in done.notes:
        click.echo(f"note: {note}", err=True)
