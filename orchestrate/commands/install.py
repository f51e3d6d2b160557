import difflib
import json
import os

import click

from orchestrate import bundle
from orchestrate.commands import here
from orchestrate.install import carry_out, plan, receipts, scopes, shipped, status_line, survey
from orchestrate.install.plan import Change, Install
from orchestrate.install.scopes import Target
from orchestrate.install.survey import Sighting
from state.errors import UserError


@click.command()
@click.option("--scope", type=click.Choice(scopes.SCOPES), default="user", show_default=True, help="Whose settings.")
@click.option(
    "--statusline/--no-statusline",
    "has_line",
    default=None,
    help="Put our status line after your own, or take it out again (default: leave it as it is).",
)
@click.option("--print", "only_print", is_flag=True, help="Print the hooks for a settings.json; change nothing.")
@click.option("--dry-run", is_flag=True, help="Print what would change as a diff; change nothing.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def command(scope: str, has_line: bool | None, only_print: bool, dry_run: bool, project_root: str | None) -> None:
    """Connect the router to Claude Code: its hooks, its three agents, and the interpreter that runs them.

    \b
    user     your settings, for all your projects
    local    this project, for you alone (.claude/settings.local.json)
    project  this project, for everybody (.claude/settings.json)
    plugin   no settings: only what the plugin's own hooks need

    \b
    Examples:
      $ orchestrate install
      $ orchestrate install --scope local --dry-run
      $ orchestrate install --statusline
      $ orchestrate install --print
    """
    runs = shipped.here()
    place = here.place(project_root)
    hooks = shipped.groups(runs, bool(here.settled(place).values["bugs.offer"]))
    if only_print:
        line = {status_line.KEY: status_line.snippet(runs)} if has_line else {}
        snippet = {"hooks": {event: [group] for event, group in hooks.items()}, **line}
        click.echo(json.dumps(snippet, indent=2, ensure_ascii=False))
        return
    book = receipts.book(place.user)
    target = scopes.target(scope, place.root, os.environ)
    if has_line and target.settings is None:
        raise UserError("--statusline: a plugin brings none: add what `orchestrate install --statusline --print` says")
    seen = survey.look(place.root, os.environ)
    refuse_doubles(target, seen)
    agents = shipped.folder(runs.home) / "agents"
    if dry_run:
        planned = plan.install(target, book, hooks, agents, has_line)
        show(planned.changes, planned.notes)
        return
    with carry_out.alone(book, place, os.environ):
        done = plan.install(target, book, hooks, agents, has_line)
        carry_out.install(done, book, runs)
    bundle.build(runs.home)
    if done.changes or target.settings is None:
        told = {"scope": scope, "files": [str(change.path) for change in done.changes], "statusline": has_line}
        here.leave(place, "orchestration.hooks.installed", ("scope", scope), told, for_all=True)
    tell(target, done, seen)


def refuse_doubles(target: Target, seen: list[Sighting]) -> None:
    """The client runs equal command lines once, but the plugin's are not equal to those in the settings."""
    for sighting in seen:
        if target.settings is not None and sighting.plugin is not None:
            raise UserError(
                f"{sighting.path}: enables the plugin {sighting.plugin}, and every hook would run twice: "
                f"use --scope plugin, or `claude plugin uninstall {sighting.plugin}` first"
            )
        if target.settings is None and sighting.commands:
            raise UserError(
                f"{sighting.path}: has the hooks already, and with the plugin every hook would run twice: "
                f"`orchestrate uninstall --scope {sighting.scope}` first"
            )


def tell(target: Target, done: Install, seen: list[Sighting]) -> None:
    for change in done.changes:
        click.echo(f"{'wrote' if change.before is None else 'changed'} {change.path}")
    if target.settings is None:
        click.echo("recorded the interpreter that the plugin's hooks start")
    elif not done.changes:
        click.echo(f"{target.settings}: the hooks are there already")
    for note in [*done.notes, *_warnings(target, seen)]:
        click.echo(here.clean(f"note: {note}"), err=True)
    click.echo("start a new session of Claude Code to use them; `orchestrate hooks status` and `hooks test` check them")


def show(changes: list[Change], notes: list[str]) -> None:
    for change in changes:
        before, after = (_lines(data) for data in (change.before, change.after))
        click.echo("".join(difflib.unified_diff(before, after, *_names(change))), nl=False)
    for note in notes:
        click.echo(f"note: {note}", err=True)
    if not changes:
        click.echo("nothing would change", err=True)


def _warnings(target: Target, seen: list[Sighting]) -> list[str]:
    found = []
    if target.scope == "project":
        found.append(
            f"{target.settings} is shared, and the hooks in it name paths of this machine: "
            "elsewhere they stay silent; `--scope local` keeps them to yourself"
        )
    for sighting in seen:
        found += [
            f"{name} is set in {sighting.path}: the client will not run these hooks" for name in sighting.switches
        ]
    return found


def _names(change: Change) -> tuple[str, str]:
    path = str(change.path)
    return ("/dev/null" if change.before is None else path, "/dev/null" if change.after is None else path)


def _lines(data: bytes | None) -> list[str]:
    lines = (data or b"").decode("utf-8", "replace").splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n\\ No newline at end of file\n"
    return lines
