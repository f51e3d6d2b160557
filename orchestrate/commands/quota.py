"""The limits of the account: where they stand, and how well they were used."""

import time
from datetime import date, timedelta
from functools import cache

import click

from metrics import quota_readings, quota_report, quota_status
from metrics.quota_report import Limit, Report
from metrics.quota_status import Status, Window
from metrics.quota_tokens import Work
from orchestrate.commands import here
from state import quota

LEARN_DAYS = 14
TITLES = {"five_hour": "five-hour", "seven_day": "seven-day"}
NO_DATA = (
    "nobody has read the limits of this account: readings come from the status line "
    "(`orchestrate install --statusline`) and from the agents that orchestrate runs; with an API key there are none"
)


@click.group()
def command() -> None:
    """Look at the limits of your account: what is used, what is left unused, and what follows from it.

    \b
    Examples:
      $ orchestrate quota status
      $ orchestrate quota report --days 7
    """


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def status(as_json: bool, project_root: str | None) -> None:
    """Show what is used of each limit, as last read, and an estimate since then with its interval.

    What nobody knows is null, and never 0.

    \b
    Examples:
      $ orchestrate quota status
      $ orchestrate quota status --json
    """
    place = here.place(project_root)
    settings = here.settled(place).values
    now = time.time()
    since = now - LEARN_DAYS * 86_400

    @cache
    def served() -> Work:
        from metrics import quota_served  # sqlite3: ~6 ms that only an estimate owes

        return quota_served.gather(place, since, now)

    known = quota.read(place.user) if place.user else {}
    history = quota_readings.history(place.user, since) if place.user else {}
    limit, is_on = float(settings["quota.pressure"]), bool(settings["quota.step_down"])
    found = quota_status.build(known, history, served, limit, is_on, now)
    if as_json:
        here.emit(quota_status.as_json(found))
    else:
        click.echo("\n".join(_status_lines(found)))


@command.command()
@click.option("--days", type=click.IntRange(1, 366), default=7, show_default=True, help="So many local days, to today.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def report(days: int, as_json: bool, project_root: str | None) -> None:
    """Report by day how much of each limit was used, what expired unused, and how long work was under pressure.

    \b
    Examples:
      $ orchestrate quota report
      $ orchestrate quota report --days 30 --json
    """
    place = here.place(project_root)
    settings = here.settled(place).values
    today = date.today()
    history = quota_readings.history(place.user) if place.user else {}
    first = today - timedelta(days=days - 1)
    found = quota_report.build(history, first, today, float(settings["quota.pressure"]), time.time())
    if as_json:
        here.emit(quota_report.as_json(found))
    else:
        click.echo("\n".join(_report_lines(found)))


def _status_lines(found: Status) -> list[str]:
    if not found.has_data:
        return [NO_DATA, *_rule_lines(found)]
    return [line for window in found.windows for line in _window_lines(window, found.now)] + _rule_lines(found)


def _window_lines(window: Window, now: float) -> list[str]:
    head = f"{TITLES[window.name]:10}"
    guess = window.estimate
    reason = [] if window.unknown is None else [f"{'':10}no estimate: {window.unknown}"]
    if window.used is None or window.read_at is None:
        return [f"{head}unknown: {window.unknown}"]
    reset = "reset unknown" if window.resets_at is None else f"reset in {_span(window.resets_at - now)}"
    read = f"read {_span(now - window.read_at)} ago ({window.source})"
    about = [] if guess is None else [f"{'':10}now about {guess.used:.0f}% ({guess.low:.0f} to {guess.high:.0f})"]
    return [f"{head}{window.used:g}% used, {reset}, {read}", *about, *reason]


def _rule_lines(found: Status) -> list[str]:
    under = found.pressure
    name = "unknown" if under is None else f"{under[1]:.0%} of the {TITLES[under[0]]} limit"
    state = "off (quota.step_down: false)" if not found.is_on else "in force" if found.is_pressed else "on"
    return [f"pressure  {name}", f"step down {state}: {quota_status.rule(found.limit)}"]


def _report_lines(found: Report) -> list[str]:
    title = f"{found.first} to {found.last} ({found.zone})"
    if not found.has_data:
        return [f"no data for {title}: {NO_DATA}"]
    lines = [f"Use of the limits, {title}"]
    for name, limit in found.limits.items():
        lines += ["", *_limit_lines(name, limit)]
    return lines


def _limit_lines(name: str, limit: Limit) -> list[str]:
    rows = [("", "points", "resets", "utilisation", "expired", "peak", "pressed")]
    for day in [*(day for day in limit.days if day.points is not None), limit.total]:
        figures = (_figure(day.points), str(day.resets), _share(day.utilisation), _figure(day.waste))
        rows.append((day.date or "all", *figures, _percent(day.peak), _minutes(day.pressure_s)))
    table = [f"{label:12}" + "".join(f"{cell:>13}" for cell in cells) for label, *cells in rows]
    return [f"{TITLES[name]} (target: utilisation > {quota_report.TARGET:.0%})", *table]


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:g}%"


def _minutes(value: float | None) -> str:
    return "-" if value is None else _span(value)


def _span(seconds: float) -> str:
    minutes = round(max(seconds, 0.0) / 60)
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
