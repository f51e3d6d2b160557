import sys

import click

from orchestrate.commands import here
from routing import routing_core

TIERS = ("haiku", "sonnet", "opus")


@click.command()
@click.argument("text")
@click.option("--main-tier", type=click.Choice(TIERS), help="What the main thread runs on.")
@click.option("--explain", is_flag=True, help="Show the features that spoke.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(text: str, main_tier: str | None, explain: bool, as_json: bool) -> None:
    """Decide for TEXT (`-` reads stdin) without recording anything.

    \b
    Examples:
      $ orchestrate route "Fix typo in README.md"
      $ orchestrate route "Why do these two threads deadlock?" --explain
      $ echo "Add a retry to the uploader and test it" | orchestrate route - --json
    """
    prompt = sys.stdin.buffer.read().decode("utf-8", "replace") if text == "-" else text
    decision = routing_core.decide(prompt, routing_core.Situation(main_tier=main_tier))
    agent = here.settled(here.place()).values[f"agents.{decision.tier}"]
    values = {**decision.as_dict(), "agent": agent}
    if as_json:
        here.emit(values if explain else {name: value for name, value in values.items() if name != "features"})
        return
    how = f"{decision.decision}, {decision.action}, confidence {decision.confidence:.2f}"
    click.echo(f"{agent}  ({how})  {decision.reason}")
    if explain:
        for name, weight in decision.features:
            click.echo(f"  {weight:+.2f}  {name}")
