"""Settings: which hold and why, and how to change them."""

import os
import shlex

import click

from orchestrate.commands import here
from orchestrate.overnight import limits
from state import compiled, config_keys, settings, settings_model, settings_reference
from state.errors import FAILED, UserError

project_root = click.option("--project-root", help="The project, if not that of the working directory.")
_OF_THE_USER = dict.fromkeys(limits.KEYS, "the night")
everywhere = click.option("--global", "everywhere", is_flag=True, help="In your own file, for every project.")


@click.group()
def command() -> None:
    """Show and change settings.

    \b
    Examples:
      $ orchestrate config show --effective
      $ orchestrate config set rollout.stage batch
    """


@command.command()
@click.option("--effective", is_flag=True, help="Every key, those that have their default too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@project_root
def show(effective: bool, as_json: bool, project_root: str | None) -> None:
    """Print each setting and where it comes from: default, global, repo or env.

    \b
    Examples:
      $ orchestrate config show
      $ orchestrate config show --effective
      $ orchestrate config show --effective --json
    """
    place = here.place(project_root)
    loaded = settings.load(place, os.environ)
    _tell(loaded.warnings)
    values = loaded.settings.flat()
    keys = [key for key in values if effective or loaded.origins[key] != "default"]
    if as_json:
        here.emit({key: {"value": settings_reference.public(values[key]), "from": loaded.origins[key]} for key in keys})
        return
    for key in keys:
        click.echo(f"{key}: {settings_reference.shown(values[key])} (from: {loaded.origins[key]})")
    if not keys:
        click.echo("nothing is set: every key has its default (--effective lists them)", err=True)


@command.command("get")
@click.argument("key")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@project_root
def get_value(key: str, as_json: bool, project_root: str | None) -> None:
    """Print the value that holds.

    \b
    Examples:
      $ orchestrate config get rollout.stage
      $ orchestrate config get enabled --json
    """
    if key not in settings_model.KEYS:
        raise UserError(settings_model.unknown(key))
    loaded = settings.load(here.place(project_root), os.environ)
    _tell(loaded.warnings)
    value = settings_reference.public(loaded.settings.flat()[key])
    if as_json:
        here.emit({"key": key, "value": value, "from": loaded.origins[key]})
    else:
        click.echo(value if isinstance(value, str) else settings_reference.shown(value))


@command.command("set")
@click.argument("key")
@click.argument("value")
@everywhere
@project_root
def set_value(key: str, value: str, everywhere: bool, project_root: str | None) -> None:
    """Set KEY, dotted as in rollout.stage; comments of the file stay.

    \b
    Examples:
      $ orchestrate config set rollout.stage batch
      $ orchestrate config set record_prompts text --global
    """
    place = here.place(project_root)
    stood = config_keys.stands(place, key, _scope(everywhere))
    stored = config_keys.set_key(place, key, value, _scope(everywhere))
    if stored != stood:
        told = {"key": key, "value": settings_reference.public(stored), "scope": _scope(everywhere)}
        here.leave(place, "orchestration.setting.set", ("setting", key), told, everywhere)
    click.echo(f"{key}: {settings_reference.shown(stored)}")
    _tell(compiled.warnings(place))
    _tell_what_overrules(key, stored, project_root)
    if not everywhere:
        _tell_who_reads(key, settings_reference.shown(stored))


@command.command()
@click.argument("key")
@everywhere
@project_root
def unset(key: str, everywhere: bool, project_root: str | None) -> None:
    """Remove KEY from the file, a misspelt one too.

    \b
    Examples:
      $ orchestrate config unset rollout.stage
      $ orchestrate config unset record_prompts --global
    """
    place = here.place(project_root)
    config_keys.unset_key(place, key, _scope(everywhere))
    told = {"key": key, "scope": _scope(everywhere)}
    here.leave(place, "orchestration.setting.unset", ("setting", key), told, everywhere)


@command.command()
def schema() -> None:
    """Print the JSON Schema of config.yaml and config.json.

    \b
    Examples:
      $ orchestrate config schema > config.schema.json
    """
    here.emit(settings_reference.schema())


@command.command()
def reference() -> None:
    """Print every key with its values, default, variable and meaning, as a Markdown table.

    \b
    Examples:
      $ orchestrate config reference
    """
    click.echo(settings_reference.table(), nl=False)


@command.command("compile", hidden=True)
@project_root
def compile_settings(project_root: str | None) -> None:
    """Compile the settings for the hooks.

    \b
    Examples:
      $ orchestrate config compile
    """
    problem = compiled.compile(here.place(project_root, may_be_gone=True))
    if problem:
        raise UserError(f"{problem}\n(the hooks keep the last good settings)", FAILED)


def _scope(everywhere: bool) -> str:
    return "global" if everywhere else "repo"


def _tell(lines: list[str]) -> None:
    for line in lines:
        click.echo(f"orchestrate: {line}", err=True)


def _tell_who_reads(key: str, value: str) -> None:
    """What would change nothing, and look as if it had."""
    reader = _OF_THE_USER.get(key)
    if reader:
        command = shlex.join(["orchestrate", "config", "set", key, value, "--global"])
        _tell([f"{key}: {reader} goes by your own settings, and by no project's: `{command}`"])


def _tell_what_overrules(key: str, stored: object, project_root: str | None) -> None:
    loaded = settings.load(here.place(project_root), os.environ)
    value = loaded.settings.flat()[key]
    if value != stored:
        shown = settings_reference.shown(value)
        click.echo(f"orchestrate: {key} stays {shown} here (from: {loaded.origins[key]})", err=True)
