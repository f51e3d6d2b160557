"""`route TEXT` decides; the commands below it look back and learn."""

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

import click

from orchestrate.commands import here
from orchestrate.request import memory, own_rules, stepped
from routing import routing_core
from routing.own_rules import over
from state.paths import Place, exists
from state.snapshot import Value

if TYPE_CHECKING:
    from orchestrate.agents.judge import Verdict

TIERS = ("haiku", "sonnet", "opus")
HELP = "Show this message and exit."
COMMANDS = {
    "explain": "orchestrate.commands.route_explain",
    "learn": "orchestrate.commands.route_learn",
    "rules": "orchestrate.commands.route_rules",
    "shadow": "orchestrate.commands.route_shadow",
}


def _help(ctx: click.Context, _option: click.Parameter, is_asked: bool) -> None:
    """The same page, whether TEXT stands before --help or not."""
    if is_asked and ctx.parent and not ctx.resilient_parsing:
        click.echo(ctx.parent.get_help())
        ctx.exit()


@click.command("", add_help_option=False)
@click.argument("text")
@click.option("--main-tier", type=click.Choice(TIERS), help="What the main thread runs on.")
@click.option("--explain", is_flag=True, help="Show the features that spoke.")
@click.option("--judge", "with_judge", is_flag=True, help="Ask a small model, which decides where the router abstains.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("-h", "--help", is_flag=True, is_eager=True, expose_value=False, callback=_help, help=HELP)
def decide(text: str, main_tier: str | None, explain: bool, with_judge: bool, as_json: bool) -> None:
    prompt = sys.stdin.buffer.read().decode("utf-8", "replace") if text == "-" else text
    place = here.place()
    situation = routing_core.Situation(main_tier=main_tier)
    correction = memory.correction(place)
    decision = routing_core.decide(prompt, situation, correction)
    if not decision.override and exists(memory.steps(place)):
        decision = stepped.over(memory.steps(place), prompt, situation, correction, decision)
    _tell_if_ignored(place)
    settings = here.settled(place).values
    verdict = _verdict(place, settings, prompt) if with_judge else None
    if verdict and decision.abstained:
        decision = _applied(verdict, prompt, situation, decision)
    own = own_rules.known(place, here.working_directory())
    ruled = over(decision, prompt, situation, own) if own else None
    decision = ruled or decision
    agent = (ruled.agents if ruled else {}).get(decision.tier) or settings[f"agents.{decision.tier}"]
    values: dict[str, object] = {**decision.as_dict(), "agent": agent, **({"rules": ruled.rules} if ruled else {})}
    if verdict:
        values["judged"] = {**verdict.told(), **({"reason": verdict.reason} if verdict.reason else {})}
    if as_json:
        here.emit(values if explain else {name: value for name, value in values.items() if name != "features"})
        return
    how = f"{decision.decision}, {decision.action}, confidence {decision.confidence:.2f}"
    click.echo(f"{agent}  ({how})  {decision.reason}")
    if explain:
        for name, weight in decision.features:
            click.echo(f"  {weight:+.2f}  {name}")
    if verdict:
        click.echo(_told(verdict))


def _verdict(place: Place, settings: Mapping[str, Value], prompt: str) -> "Verdict":
    from orchestrate.agents import ask, judge  # 60 ms that a decision without it does not owe

    return judge.verdict(ask.Asker(place, dict(os.environ), settings), prompt)


def _applied(
    verdict: "Verdict", prompt: str, situation: routing_core.Situation, decision: routing_core.Decision
) -> routing_core.Decision:
    from orchestrate.agents import judge

    return judge.applied(verdict, prompt, situation, decision)


def _told(verdict: "Verdict") -> str:
    if verdict.failed:
        return f"judge: failed: {verdict.failed}"
    how = "kept from before" if verdict.is_kept else f"{verdict.model}, {verdict.took_ms / 1000:.1f} s"
    return f"judge: {verdict.tier} ({how})" + (f": {verdict.reason}" if verdict.reason else "")


def _tell_if_ignored(place: Place) -> None:
    """A correction of the user's that counts for nothing."""
    if place.user and exists(f"{place.user}/{memory.CORRECTION}") and memory.correction(place) is None:
        here.tell("your correction is ignored: see `orchestrate route learn --show`")


class Route(click.Group):
    """What follows `route` is the text to decide for, unless the first word is the name of a command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in (*COMMANDS, *self.get_help_option_names(ctx)):
            args = ["", *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return decide
        command: click.Command = import_module(COMMANDS[cmd_name]).command
        return command

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return ["TEXT [OPTIONS] | COMMAND"]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        decide.format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


@click.command(cls=Route, context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Decide for TEXT (`-` reads stdin) without recording anything.

    A TEXT that is the one word learn, explain, rules or shadow is given after two dashes: route -- learn

    \b
    Examples:
      $ orchestrate route "Fix typo in README.md"
      $ orchestrate route "Why do these two threads deadlock?" --explain
      $ orchestrate route "Make the importer better" --judge
      $ echo "Add a retry to the uploader and test it" | orchestrate route - --json
      $ orchestrate route learn --dry-run
    """
