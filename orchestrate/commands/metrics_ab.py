"""The arms of an experiment side by side."""

import time
from datetime import date, timedelta

import click

from metrics.days import Window, window
from orchestrate.commands import here, period
from state.store import open_store


@click.command()
@click.option(
    "--days", type=click.IntRange(1, 366), default=30, show_default=True, help="So many local days, to today."
)
@click.option("--date", "day", type=period.Day(), help="One local day instead: 2026-11-21, today, yesterday.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def ab(days: int, day: date | None, as_json: bool, project_root: str | None) -> None:
    """Compare the arms that sessions were assigned to: each figure with a 95% interval, and beside its target.

    `orchestrate config set ab.enabled true` assigns every session that begins from then on to one of `ab.arms`.

    \b
    Examples:
      $ orchestrate metrics ab
      $ orchestrate metrics ab --days 7
      $ orchestrate metrics ab --date yesterday --json
    """
    from metrics import ab as arms
    from metrics import ab_quota, ab_render, quota_readings
    from metrics.metrics_collector import read

    place = here.place(project_root)
    span = _span(days, day)
    history = quota_readings.history(place.user) if place.user else {}
    with open_store(place) as store:
        read(place, store)
        price = ab_quota.price(place, history, span)
        found = arms.build(store, span, price, ab_quota.utilisation(history, span, time.time()))
    if as_json:
        here.emit(ab_render.as_json(found))
    else:
        click.echo(ab_render.text(found))


def _span(days: int, day: date | None) -> Window:
    today = date.today()
    return window(day, day) if day else window(today - timedelta(days=days - 1), today)
