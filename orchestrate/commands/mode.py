import os

import click

from orchestrate.commands import here
from orchestrate.commands.context import detected
from orchestrate.request import mode
from state import config_keys

WORDS = ("directive", "orchestration", "auto")


@click.group(invoke_without_command=True)
@click.option("--explain", is_flag=True, help="Say why, with every signal.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--project-root", help="The project, if not that of the working directory.")
@click.pass_context
def command(ctx: click.Context, explain: bool, as_json: bool, project_root: str | None) -> None:
    """Show the mode a prompt would get here and now, or set the preference.

    \b
    Examples:
      $ orchestrate mode
      $ orchestrate mode --explain --json
      $ orchestrate mode set directive
      $ orchestrate mode set auto --global
    """
    if ctx.invoked_subcommand:
        return
    place = here.place(project_root)
    settings = here.settled(place).values
    found = detected(settings, place)
    chosen = mode.select(found, settings, dict(os.environ))
    values = {
        "mode": chosen.mode,
        "reason": chosen.reason,
        "source": chosen.source,
        "enforcement": chosen.ceiling,
        "signals": {"context": found.kind, **found.signals()},
    }
    if as_json:
        here.emit(values if explain else {"mode": chosen.mode, "reason": chosen.reason})
        return
    click.echo(chosen.mode if not explain else f"{chosen.mode}: {chosen.reason}")
    if explain:
        for name, value in {"context": found.kind, **found.signals()}.items():
            click.echo(f"  {name}: {here.plain(value)}")


@command.command("set")
@click.argument("word", type=click.Choice(WORDS))
@click.option("--global", "everywhere", is_flag=True, help="For every project of this user.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def set_mode(word: str, everywhere: bool, project_root: str | None) -> None:
    """Prefer a mode; `auto` leaves it to the context.

    \b
    Examples:
      $ orchestrate mode set directive
      $ orchestrate mode set auto --global
    """
    scope = "global" if everywhere else "repo"
    place = here.place(project_root)
    stood = config_keys.stands(place, "mode", scope)
    config_keys.set_key(place, "mode", word, scope)
    if word != stood:
        told = {"key": "mode", "value": word, "scope": scope}
        here.leave(place, "orchestration.setting.set", ("setting", "mode"), told, everywhere)
    click.echo(f"mode: {word} ({'every project' if everywhere else 'this project'}, from the next prompt on)")
