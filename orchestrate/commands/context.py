import os
import sys
import time

import click

from orchestrate.commands import here
from orchestrate.request import context
from state import snapshot
from state.paths import Place


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
    found = detected(here.place(project_root))
    values = {"context": found.kind, **found.signals()}
    if as_json:
        here.emit(values)
        return
    for name, value in values.items():
        click.echo(f"{name}: {here.plain(value)}")


def detected(place: Place) -> context.Context:
    env = dict(os.environ)
    settings = snapshot.read(place, env).values
    hour = time.localtime().tm_hour
    return context.detect(env, settings, hour, context.has_workflow(place), presumed=sys.stdin.isatty())
