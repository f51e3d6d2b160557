import os
from pathlib import Path

import click

from orchestrate import layout
from orchestrate.commands import here
from state.errors import REFUSED, UserError
from state.paths import Place


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
    place = here.place(project_root)
    _refuse_while_runs_go_on(place)
    done = layout.initialise(place, os.environ)
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


def _refuse_while_runs_go_on(place: Place) -> None:
    """Their folder would be moved from under them, and finished steps be done again."""
    if place.initialised or not Path(place.state, "runs").is_dir():
        return
    from orchestrate.workflow import runs  # start-up cost

    going = [header.run for header in runs.listed(place) if not header.is_over]
    if going:
        raise UserError(
            f"{place.root}: runs of workflows go on: {', '.join(going)}: wait for their end, "
            "or `orchestrate workflow cancel RUN`",
            REFUSED,
        )
