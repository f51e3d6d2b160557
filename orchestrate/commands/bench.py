"""Measure on the user's own machine."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrate.commands import here

if TYPE_CHECKING:
    from orchestrate.measure.overhead import Overhead

FORMS = {
    "bundle": "the hot modules come from the bundle that `orchestrate install` made",
    "modules": "there is no bundle of these sources: `orchestrate install` makes one",
}


@click.group()
def command() -> None:
    """Measure what the router costs here.

    \b
    Examples:
      $ orchestrate bench overhead
    """


@command.command()
@click.option("--rounds", type=click.IntRange(min=1), default=25, show_default=True, help="How often each case runs.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def overhead(context: click.Context, rounds: int, as_json: bool) -> None:
    """Time every hook as Claude Code starts it, against a Python that does nothing and the budget of 500 ms.

    All cases run in turn within each round, in a throwaway home and project. Ratios of processor time hold on a busy
    machine, times do not. Exit code 1 when the hooks of one prompt take 500 ms or more.

    \b
    Examples:
      $ orchestrate bench overhead
      $ orchestrate bench overhead --rounds 100 --json
    """
    from orchestrate.measure.overhead import measure  # statistics and random: a tenth of a second of imports

    with tempfile.TemporaryDirectory(prefix="orchestrate-bench-") as folder:
        found = measure(Path(folder), rounds)
    if as_json:
        here.emit(_document(found))
    else:
        _show(found)
    if not found.is_within_budget:
        context.exit(1)


def _document(found: "Overhead") -> dict[str, object]:
    from orchestrate import payloads
    from orchestrate.measure import overhead

    return {
        "form": found.form,
        "rounds": found.rounds,
        "rows": [row._asdict() for row in found.rows],
        "one_prompt": {
            "hooks": list(payloads.ONE_PROMPT),
            "mean_ms": round(found.one_prompt_ms, 2),
            "budget_ms": overhead.BUDGET_MS,
            "is_within_budget": found.is_within_budget,
        },
    }


def _show(found: "Overhead") -> None:
    from orchestrate import payloads
    from orchestrate.measure import overhead

    budget = overhead.BUDGET_MS
    width = max(len(row.name) for row in found.rows)
    click.echo(f"{'':{width}}  cpu ms  wall ms     p95  x floor  of {budget} ms")
    for row in found.rows:
        times = f"{row.cpu_ms:6.1f}  {row.wall_ms:7.1f}  {row.wall_p95_ms:6.1f}  {row.floor_ratio:7.2f}"
        click.echo(f"{row.name:{width}}  {times}  {row.wall_ms / budget:9.1%}")
    click.echo(
        f"\nAll {len(payloads.ONE_PROMPT)} hooks of one prompt with one agent: {found.one_prompt_ms:.0f} ms on average,"
        f" {found.one_prompt_ms / budget:.1%} of {budget} ms."
    )
    click.echo(f"{found.rounds} rounds; {FORMS[found.form]}.")
