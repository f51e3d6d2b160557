"""Why a prompt went where it went."""

import click

from orchestrate.commands import here
from orchestrate.learning import explanation, told


@click.command()
@click.argument("prompt_id")
@click.option("--text", "with_text", is_flag=True, help="Show the prompt too, as the client's transcript has it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def command(prompt_id: str, with_text: bool, as_json: bool, project_root: str | None) -> None:
    """Show the decision recorded for PROMPT_ID (or its unique beginning), who served, and what was said of it.

    \b
    Examples:
      $ orchestrate route explain 9cb158ba
      $ orchestrate route explain 9cb158ba --text
      $ orchestrate route explain 9cb158ba-4e0e-4d2e-9c21-b931a26e7113 --json
    """
    found = explanation.of(here.place(project_root), prompt_id, with_text)
    if as_json:
        here.emit(found)
    else:
        click.echo("\n".join(told.explanation(found)))
