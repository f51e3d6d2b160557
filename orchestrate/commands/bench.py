"""Measure on the user's own machine."""

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrate.commands import here
from state.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrate.measure.overhead import Overhead
    from orchestrate.measure.replay import Replay

TIERS = ("haiku", "sonnet", "opus")
FORMS = {
    "bundle": "the hot modules come from the bundle that `orchestrate install` made",
    "modules": "there is no bundle of these sources: `orchestrate install` makes one",
}


@click.group()
def command() -> None:
    """Measure what the router costs here, how well it decides, and what it would have saved.

    \b
    Examples:
      $ orchestrate bench overhead
      $ orchestrate bench routing prompts.jsonl
      $ orchestrate bench replay session.jsonl
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


@command.command()
@click.argument("transcripts", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--main", type=click.Choice(TIERS), help="The user's own model (default: the first in the transcript).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def replay(transcripts: tuple[Path, ...], main: str | None, as_json: bool) -> None:
    """Replay transcripts of the client: what never switching the main thread's model, always following the router and
    our own rule would have cost.

    The prompts and the tokens are those of the transcript; what is read from and written to the prompt caches is
    worked out for each rule. Nothing is sent anywhere.

    \b
    Examples:
      $ orchestrate bench replay session.jsonl
      $ orchestrate bench replay ~/.claude/projects/*/*.jsonl --main opus --json
    """
    found = _replayed(transcripts, main)
    if as_json:
        here.emit([_as_json(one) for one in found])
    else:
        _show_replays(found)


@command.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--weak", metavar="MODEL", help="Of rows with `scores`: the model that is the weak one.")
@click.option("--strong", metavar="MODEL", help="Of rows with `scores`: the model that is the strong one.")
@click.option("--baselines/--no-baselines", default=True, show_default=True, help="What the router has to beat.")
@click.option("--peer", type=click.Path(path_type=Path), help="A checkout of 0xrdan/claude-router; its rules are run.")
@click.option("--svg", type=click.Path(path_type=Path), help="Write the cost-quality curves as a picture.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def routing(
    files: tuple[Path, ...],
    weak: str | None,
    strong: str | None,
    baselines: bool,
    peer: Path | None,
    svg: Path | None,
    as_json: bool,
) -> None:
    """Score the router on labelled prompts: lines of {prompt, tier} or of {prompt, weak, strong} in JSONL files.

    Right, too weak and too dear decisions, their cost at 1:3:5, calibration, APGR and CPT as RouteLLM measures them,
    robustness and latency, by group, beside baselines. Prompts are never shown, and nothing is sent anywhere.

    \b
    Examples:
      $ orchestrate bench routing prompts.jsonl
      $ orchestrate bench routing prompts.jsonl pairs.jsonl --svg curve.svg --json
      $ orchestrate bench routing scores.jsonl --weak mistral-7b --strong llama-70b --no-baselines
    """
    from orchestrate.measure import routing_answers, routing_report, routing_rows, routing_svg, routing_text

    if (weak is None) != (strong is None):
        raise click.UsageError("--weak and --strong go together")
    models = routing_rows.Models(weak, strong) if weak and strong else None
    data = [routing_rows.read(path, models) for path in files]
    found = []
    for one in data:
        if sys.stderr.isatty():
            here.tell(f"{one.name}: {len(one.asked)} rows")
        found.append(routing_report.evaluate(one, baselines, peer))
    if svg:
        _written(svg, routing_svg.picture(found))
    if as_json:
        here.emit(
            {"weights": routing_answers.weights_print(), "files": [routing_report.document(one) for one in found]}
        )
        return
    for report in found:
        for line in routing_text.lines(report):
            click.echo(line)
        click.echo()
    click.echo(f"weights {routing_answers.weights_print()}")


def _written(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}: name a file for the picture that can be written") from error


def _replayed(transcripts: "Sequence[Path]", main: str | None) -> "list[Replay]":
    """What cannot be replayed is told and left out, unless it is all there is."""
    from orchestrate.measure.replay import replay as run

    found = []
    for path in transcripts:
        try:
            found.append(run(path, main))
        except UserError as error:
            if len(transcripts) == 1:
                raise
            here.tell(str(error))
    if not found:
        raise UserError("none of these transcripts can be replayed: name some of the client (*.jsonl)")
    return found


def _as_json(one: "Replay") -> dict[str, object]:
    return {
        **one._asdict(),
        "rules": {name: played._asdict() for name, played in one.rules.items()},
        "net_usd": one.net_usd,
        "cache_loss_usd": one.cache_loss_usd,
    }


def _show_replays(found: "Sequence[Replay]") -> None:
    from orchestrate.measure.replay import FOLLOW, NEVER, OURS

    shown = (NEVER, FOLLOW, OURS)
    width = max(len(one.name) for one in found)
    click.echo(f"{'':{width}}  main    turns  steps   never $  follow $    ours $  switches  served {'/'.join(shown)}")
    for one in found:
        costs = "  ".join(f"{one.rules[name].usd:8.4f}" for name in shown)
        served = " / ".join(_share(one.rules[name].served_share) for name in shown)
        counts = f"{one.main:6}  {one.turns:5}  {one.steps:5}"
        click.echo(f"{one.name:{width}}  {counts}  {costs}  {one.rules[OURS].switches:8}  {served}")
    never, net = sum(one.rules[NEVER].usd for one in found), sum(one.net_usd for one in found)
    gross, loss = sum(one.gross_usd for one in found), sum(one.cache_loss_usd for one in found)
    click.echo(
        f"\nAgainst never switching (${never:.4f}) ours saves ${net:.4f}:"
        f" ${gross:.4f} by cheaper models, less ${loss:.4f} of lost cache."
    )


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


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
