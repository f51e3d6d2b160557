import os

import click

from orchestrate import layout
from orchestrate.commands import here


@click.command()
@click.option("--project-root", help="The project, if not that of the working directory.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(project_root: str | None, as_json: bool) -> None:
    """Keep this project's state in its own .orchestrator folder, which git does not see.

    What was recorded before, in your home folder, moves along. Running it again changes nothing.

    \b
    Examples:
      $ orchestrate init
      $ orchestrate init --project-root . --json
    """
    done = layout.initialise(here.place(project_root), os.environ)
    if done.created or done.adopted.sessions or done.adopted.kept_aside:
        told = {"created": done.created, "sessions": done.adopted.sessions, "kept_aside": len(done.adopted.kept_aside)}
        here.leave(done.place, "orchestration.project.initialised", ("project", done.place.project), told)
    if as_json:
        here.emit({"state": done.place.state, "created": done.created, **done.adopted._asdict()})
        return
    click.echo(f"{done.place.state}: {'ready' if done.created else 'was there already'}")
    if done.adopted.sessions:
        click.echo(f"moved {done.adopted.sessions} sessions here from your home folder", err=True)
    for path in done.adopted.kept_aside:
        click.echo(f"kept beside the project's own: {path}", err=True)
