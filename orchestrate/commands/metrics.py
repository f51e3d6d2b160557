"""What really ran, by day: the report of compliance, overhead and failures, and forgetting old facts."""

import os
import re
from datetime import UTC, date, datetime, timedelta

import click

from metrics import render
from metrics.cleanup import clean
from metrics.days import Window, stamp
from metrics.ingest import Ingested, ingest
from metrics.metrics_collector import collect
from orchestrate.commands import here, metrics_ab, metrics_ledger, period
from routing import economics
from state.paths import Place
from state.store import open_store

FORMS = {"text": render.text, "csv": render.as_csv, "md": render.markdown}


class Age(click.ParamType[int]):
    name = "age"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"(\d{1,5})([dw]?)", str(value))
        if not found:
            self.fail(f"{value!r}: expected days or weeks as 90d, 12w", param, ctx)
        return int(found[1]) * (7 if found[2] == "w" else 1)


@click.group()
def command() -> None:
    """Report what was decided, what really ran and what it cost.

    \b
    Examples:
      $ orchestrate metrics report
      $ orchestrate metrics ledger --mismatch
      $ orchestrate metrics ab --days 30
      $ orchestrate metrics cleanup --dry-run
    """


command.add_command(metrics_ledger.ledger)
command.add_command(metrics_ab.ab)


@command.command()
@period.options
@click.option("--by-mode", "groups", flag_value="mode", multiple=True, help="Split by mode (the default).")
@click.option("--by-agent", "groups", flag_value="agent", multiple=True, help="Split by the agent decided on.")
@click.option("--by-rung", "groups", flag_value="rung", multiple=True, help="Split by the mechanism that was used.")
@click.option("--by-context", "groups", flag_value="context", multiple=True, help="Split by context.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "csv", "md"]), default="text", help="How to print it."
)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def report(
    day: date | None,
    since: date | None,
    until: date | None,
    groups: tuple[str, ...],
    form: str,
    project_root: str | None,
) -> None:
    """Report compliance, overhead and failures of a day or of a period, each against its target.

    \b
    Examples:
      $ orchestrate metrics report
      $ orchestrate metrics report --date yesterday --by-agent
      $ orchestrate metrics report --since 2026-11-01 --until 2026-11-21 --format csv
    """
    span = period.chosen(day, since, until)
    found, ingested = collect(here.place(project_root), span, groups or ("mode",), economics.rate)
    _tell(ingested)
    _tell_archived(here.place(project_root), span)
    if form == "json":
        here.emit(render.as_json(found))
    else:
        click.echo(FORMS[form](found))


@command.command()
@click.option("--older-than", type=Age(), help="An age as 90d or 12w (default: metrics.retention_days).")
@click.option("--dry-run", is_flag=True, help="Tell what would be removed and remove nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def cleanup(older_than: int | None, dry_run: bool, as_json: bool, project_root: str | None) -> None:
    """Remove old facts, and the logs of sessions that told nothing since; never those of the current session.

    \b
    Examples:
      $ orchestrate metrics cleanup --dry-run
      $ orchestrate metrics cleanup --older-than 30d
    """
    place = here.place(project_root)
    days = _retention_days(place) if older_than is None else older_than
    cutoff = stamp(datetime.now(UTC) - timedelta(days=days))
    with open_store(place) as store:
        _tell(ingest(place, store))
        removed = clean(place, store, cutoff, dry_run)
    if not dry_run and (any(removed.facts) or removed.logs):
        told = {"before": cutoff, **removed.facts._asdict(), "logs": len(removed.logs)}
        here.leave(place, "orchestration.metrics.cleaned", ("metrics", cutoff), told)
    if as_json:
        here.emit({"before": cutoff, "dry_run": dry_run, **removed.facts._asdict(), "logs": removed.logs})
        return
    verb = "would remove" if dry_run else "removed"
    facts, logs = removed
    click.echo(
        f"{verb} {facts.events} events, {facts.hook_errors} hook errors, {facts.served} served messages, "
        f"{facts.work} items of work and {len(logs)} logs older than {days} days"
    )


def _tell_archived(place: Place, span: Window) -> None:
    """What was put away is not counted."""
    with open_store(place) as store:
        kept = [one for one in store.archives.listed() if one.first_ts < span.end and one.last_ts >= span.start]
    if kept:
        events = sum(one.events for one in kept)
        files = f"{len(kept)} files, {events} events"
        click.echo(f"events of this time are archived ({files}) and not counted here", err=True)


def _retention_days(place: Place) -> int:
    from state import settings  # pydantic: 100 ms that a report does not owe

    return settings.load(place, os.environ).settings.metrics.retention_days


def _tell(ingested: Ingested) -> None:
    if ingested.unreadable:
        click.echo(f"could not open {ingested.unreadable} logs: check their owner and permissions", err=True)
