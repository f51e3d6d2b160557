"""Which model was asked for, which the client made of it, and which served."""

from datetime import date, datetime

import click

from metrics import ledger_view
from metrics.days import Window, window
from metrics.ledger import build
from metrics.ledger_join import Row
from metrics.ledger_rules import MISMATCH
from metrics.metrics_collector import read
from orchestrate.commands import here, period
from state.errors import NOT_FOUND, UserError
from state.store import Store, open_store


@click.command()
@period.options
@click.option("--mismatch", "mismatches", is_flag=True, help="List only what was not served as asked.")
@click.option("--prompt", "prompt_id", metavar="ID", help="One prompt, whatever its day.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def ledger(
    day: date | None,
    since: date | None,
    until: date | None,
    mismatches: bool,
    prompt_id: str | None,
    as_json: bool,
    project_root: str | None,
) -> None:
    """List the model that was asked for, the one that the client resolved and the one that served, by prompt and agent.

    \b
    Examples:
      $ orchestrate metrics ledger
      $ orchestrate metrics ledger --date yesterday --mismatch
      $ orchestrate metrics ledger --since 2026-11-01 --until 2026-11-21 --json
      $ orchestrate metrics ledger --prompt 9cb158ba-4e0e-4d2e-9c21-b931a26e7113
    """
    if prompt_id and (day or since or until):
        raise click.UsageError("--prompt tells its own day: give it without --date, --since and --until")
    place = here.place(project_root)
    with open_store(place) as store:
        _, taken = read(place, store)
        span = _day_of(store, prompt_id) if prompt_id else period.chosen(day, since, until)
        counted = [row for row in build(store, span) if prompt_id in (None, row.prompt_id)]
    if taken.unreadable:
        here.tell(f"could not open {taken.unreadable} transcripts: check their owner and permissions")
    shown = [row for row in counted if row.verdict == MISMATCH or not mismatches]
    _show(span, counted, shown, as_json)


def _show(span: Window, counted: list[Row], shown: list[Row], as_json: bool) -> None:
    if as_json:
        here.emit(ledger_view.as_json(span, counted, shown))
    else:
        click.echo(ledger_view.text(span, counted, shown))


def _day_of(store: Store, prompt_id: str) -> Window:
    at = store.time_of_prompt(prompt_id)
    if at is None:
        raise UserError(f"{prompt_id}: no such prompt here, see `orchestrate metrics ledger`", NOT_FOUND)
    day = datetime.fromisoformat(at).astimezone().date()
    return window(day, day)
