"""The rules of one's own that hooks go by, and where each came from."""

from collections.abc import Iterable

import click

from orchestrate.commands import here
from state import compiled, compiled_rules
from state.errors import FAILED, UserError
from state.routing_file import Rule, where

_SAYS = {
    "raise": "raises to {}",
    "lower": "lowers to {}",
    "at_least": "at least {}",
    "at_most": "at most {}",
    "tier": "{}",
    "guest": "at least {}, below your own ceilings (this repository is not trusted)",
}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def command(as_json: bool, project_root: str | None) -> None:
    """Check routing.yaml and show the rules that hold, strongest first.

    Ends with 1 when a file is in error; what is shown then are the last good rules.

    \b
    Examples:
      $ orchestrate route rules
      $ orchestrate route rules --json
    """
    place = here.place(project_root)
    problem = compiled.compile(place)
    rules = compiled_rules.told(place)
    if as_json:
        here.emit([_record(rule) for rule in rules])
    else:
        for rule in rules:
            click.echo(f"{rule.name}: {_effect(rule)}  [{_when(rule)}]  ({rule.origin}, {where(rule)})")
    for line in compiled.warnings(place):
        here.tell(line)
    if problem:
        raise UserError(f"{problem}\n(the hooks keep the last good rules)", FAILED)
    if not rules:
        click.echo("no rules of your own: they stand in .orchestrator/routing.yaml", err=True)


def _record(rule: Rule) -> dict[str, object]:
    return {
        "name": rule.name,
        "effect": rule.says,
        "agents": rule.agents,
        "paths": rule.globs,
        "words": rule.words,
        "why": rule.why,
        "from": rule.origin,
        "file": rule.path,
        "line": rule.line,
    }


def _effect(rule: Rule) -> str:
    told = [_SAYS[key].format(tier) for key, tier in rule.says.items()]
    told += [f"{tier} by {agent}" for tier, agent in rule.agents.items()]
    return ", ".join(told) + (f" ({rule.why})" if rule.why else "")


def _when(rule: Rule) -> str:
    return "always" if rule.is_always else ", ".join([*rule.globs, *_quoted(rule.words)])


def _quoted(words: Iterable[str]) -> list[str]:
    return [f'"{word}"' for word in words]
