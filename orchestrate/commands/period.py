"""The days that a command means: one, or a period with both its ends."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import TypeVar

import click

from metrics.days import Window, window

Command = TypeVar("Command", bound=Callable[..., None])


class Day(click.ParamType[date]):
    name = "day"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        words = {"today": 0, "yesterday": 1}
        if isinstance(value, date):
            return value
        if value in words:
            return date.today() - timedelta(days=words[str(value)])
        try:
            day = date.fromisoformat(str(value))
        except ValueError:
            day = date.min
        if not 1970 <= day.year < 9999:
            self.fail(f"{value!r}: expected a day as 2026-11-21, or today, or yesterday", param, ctx)
        return day


def options(command: Command) -> Command:
    """--date, --since and --until, as `chosen` takes them."""
    for option in (
        click.option("--until", type=Day(), help="The last day of a period, included (default: today)."),
        click.option("--since", type=Day(), help="The first day of a period."),
        click.option("--date", "day", type=Day(), help="One local day: 2026-11-21, today (the default), yesterday."),
    ):
        command = option(command)
    return command


def chosen(day: date | None, since: date | None, until: date | None) -> Window:
    if day and (since or until):
        raise click.UsageError("--date is one day: give it, or --since and --until")
    last = day or until or date.today()
    first = day or since or last
    if first > last:
        raise click.UsageError(f"--since {first} is after --until {last}")
    return window(first, last)
