"""What runs at the same time."""

import click

from orchestrate.commands import here
from orchestrate.workflow import dag, loading


@click.group()
def command() -> None:
    """Plan what can run at the same time.

    \b
    Examples:
      $ orchestrate wave plan research
    """


@command.command()
@click.argument("name", metavar="FILE")
@click.option("--max-parallel", type=click.IntRange(1), help="How many steps may run at once.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def plan(name: str, max_parallel: int | None, as_json: bool, project_root: str | None) -> None:
    """Show the waves of a workflow: each holds the steps that wait for nothing but the waves before it.

    \b
    Examples:
      $ orchestrate wave plan research
      $ orchestrate wave plan research --max-parallel 2 --json
    """
    workflow = loading.load(name, here.place(project_root))
    waves = dag.waves(workflow.steps, max_parallel)
    if as_json:
        here.emit([{"wave": number, "steps": wave} for number, wave in enumerate(waves, 1)])
        return
    width = len(str(len(waves)))
    for number, wave in enumerate(waves, 1):
        click.echo(f"wave {number:>{width}}: {', '.join(wave)}")
