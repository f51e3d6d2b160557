import os

import click

from orchestrate.agents import definitions
from orchestrate.agents.definitions import Definition
from orchestrate.commands import here, request

SHOWN = 72  # characters of a description in a list
project_root = click.option("--project-root", help="The project, if not that of the working directory.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def command() -> None:
    """List, show and run agents: the project's, yours, those that come with this package, and the client's own.

    \b
    Examples:
      $ orchestrate agents list
      $ orchestrate agents show haiku-general
      $ orchestrate agents run opus-general "Review the last commit"
    """


@command.command("list")
@as_json
@project_root
def list_agents(as_json: bool, project_root: str | None) -> None:
    """List the agents by name; of those with the same name the one that the client would take.

    \b
    Examples:
      $ orchestrate agents list
      $ orchestrate agents list --json
    """
    found = list(definitions.known(here.place(project_root), os.environ).values())
    if as_json:
        here.emit([_told(agent, ("name", "model", "source", "description", "path")) for agent in found])
        return
    widths = [max(len(word) for word in column) for column in zip(*map(_words, found), strict=True)]
    for agent in found:
        words = [word.ljust(width) for word, width in zip(_words(agent), widths, strict=True)]
        click.echo("  ".join([*words, _first_line(agent.description)]))


@command.command()
@click.argument("name")
@as_json
@project_root
def show(name: str, as_json: bool, project_root: str | None) -> None:
    """Show one agent: its model, its tools, where it is defined, and its prompt.

    \b
    Examples:
      $ orchestrate agents show haiku-general
      $ orchestrate agents show haiku-general --json
    """
    agent = definitions.find(here.place(project_root), os.environ, name)
    told = _told(agent, Definition._fields)
    if as_json:
        here.emit(told)
        return
    prompt = told.pop("prompt")
    for key, value in told.items():
        click.echo(f"{key}: {', '.join(value) or 'none' if isinstance(value, list) else here.plain(value or None)}")
    if prompt:  # what the client's own agents are told, only the client knows
        click.echo(f"\n{prompt}")


RUN_HELP = """Have the agent NAME answer one REQUEST: the same as `orchestrate-request --agent NAME`.

\b
Examples:
  $ orchestrate agents run opus-general "Review the last commit"
  $ orchestrate agents run haiku-general "Fix typo in README.md" --json
  $ orchestrate agents run sonnet-general "Mend the failing test" --check "pytest -q"
  $ echo "Fix typo in README.md" | orchestrate agents run haiku-general --interactive
"""
command.add_command(
    click.Command(
        "run",
        callback=request.command.callback,
        params=[
            click.Argument(["agent"], metavar="NAME"),
            *(parameter for parameter in request.command.params if parameter.name != "agent"),
        ],
        help=RUN_HELP,
    )
)


def _told(agent: Definition, keys: tuple[str, ...]) -> dict[str, object]:
    values = agent._asdict()
    return {key: values[key] for key in keys}


def _words(agent: Definition) -> tuple[str, str, str]:
    return agent.name, agent.model or "-", agent.source


def _first_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"
