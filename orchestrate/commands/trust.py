"""Let a repository's own settings take effect where they need their user's word."""

import os

import click

from orchestrate.commands import here
from orchestrate.workflow import loading, places
from state import compiled, settings, trust, workflow_folder, workflow_programs
from state.errors import UserError
from state.paths import Place
from state.settings_reference import shown
from state.snapshot import WORKFLOWS


@click.command()
@click.option("--list", "listed", is_flag=True, help="Show which repositories are trusted.")
@click.option("--revoke", is_flag=True, help="Take the trust of this repository back.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def command(listed: bool, revoke: bool, as_json: bool, project_root: str | None) -> None:
    """Trust this repository's own settings, as they are now.

    Until then a repository cannot name programs or agents, raise the enforcement, ask for orchestration mode, keep the
    text of prompts, send events anywhere or switch on what you switched off. When its settings change, they have to be
    trusted again.

    \b
    Examples:
      $ orchestrate trust
      $ orchestrate trust --list
      $ orchestrate trust --revoke
    """
    if listed and revoke:
        raise click.UsageError("--list and --revoke: give one of them")
    place = here.place(project_root, may_be_gone=listed or revoke)
    if listed:
        _list(trust.trusted(place), as_json)
        return
    timeout_s = compiled.lock_timeout_s(place)
    if revoke:
        known = trust.revoke(place, timeout_s)
        if known:
            here.leave(place, "orchestration.trust.revoked", ("project", place.project), {"root": place.root}, True)
        click.echo(f"{place.root}: {'no longer trusted' if known else 'was not trusted'}")
        if not (known or os.path.isdir(place.root)):  # noqa: PTH112  as in here.place, whose reason holds here too
            return
    elif not trust.is_repositorys_own(place):
        raise UserError(f"{place.root}: has no settings of its own: what you set here is yours and needs no trust")
    else:
        loaded = settings.load(place, {})
        commands = _commands(place)
        granted = (place.root, loaded.digest, workflow_folder.digest(place.state))
        stood = [(entry.root, entry.sha256, entry.workflows) for entry in trust.trusted(place)]
        trust.grant(place, loaded.digest, timeout_s, granted[2])
        if granted not in stood:
            told = {"root": place.root, "keys": sorted(loaded.ignored), "programs": len(commands)}
            here.leave(place, "orchestration.trust.granted", ("project", place.project), told, True)
        click.echo(f"{place.root}: trusted until its settings change")
        for key, value in loaded.ignored.items():
            click.echo(f"  {key}: {shown(value)} takes effect")
        for key, program in workflow_programs.named(place.state):
            words = program.replace("\0", " ")
            click.echo(here.clean(f"  {WORKFLOWS[0]}: {key}: {words} is run"))
        for line in commands:
            click.echo(here.clean(f"  {line}"))
    compiled.compile(place)


def _commands(place: Place) -> list[str]:
    """What the project's workflows may run; one that is not right runs nothing."""
    found = [one for one in places.named(place) if one.source == places.PROJECT]
    read = [(one, loading.read(one.path, place).workflow) for one in found]
    return [f"workflow {one.name}: {line}" for one, workflow in read if workflow for line in workflow.programs()]


def _list(entries: list[trust.Trusted], as_json: bool) -> None:
    if as_json:
        here.emit([entry._asdict() for entry in entries])
        return
    for entry in entries:
        click.echo(f"{entry.root} (since {entry.at})")
    if not entries:
        click.echo("no repository is trusted", err=True)
