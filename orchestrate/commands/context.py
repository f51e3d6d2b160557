import os
import sys
import time

import click

from orchestrate.commands import here
from orchestrate.request import context
from state.paths import Place
from state.snapshot import Value


@click.command()
@click.option("--project-root", help="The project, if not that of the working directory.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(project_root: str | None, as_json: bool) -> None:
    """Show where the router believes to be: interactive, batch, overnight or API, and by which signals.

    \b
    Examples:
      $ orchestrate context
      $ orchestrate context --json
    """
    place = here.place(project_root)
    found = detected(here.settled(place).values, place)
    values = {"context": found.kind, **found.signals()}
    if as_json:
        here.emit(values)
        return
    for name, value in values.items():
        click.echo(f"{name}: {here.plain(value)}")


def detected(settings: dict[str, Value], place: Place) -> context.Context:
    hour = time.localtime().tm_hour
    return context.detect(dict(os.environ), settings, hour, context.has_workflow(place), presumed=sys.stdin.isatty())
