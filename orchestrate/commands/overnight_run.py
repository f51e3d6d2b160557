"""The night itself, and its report in the morning."""

import os
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrate.commands import here
from orchestrate.commands.period import Day
from state.errors import REFUSED, UserError
from state.paths import Place
from state.snapshot import Value

if TYPE_CHECKING:
    from orchestrate.overnight.limits import Limits
    from orchestrate.overnight.report_records import Known, Told
    from orchestrate.overnight.window import Night, Span
    from state.store import Store

NAME = "overnight"
MOST_EVENTS = 100_000


class TimeOfDay(click.ParamType[str]):
    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from orchestrate.overnight import window

        try:
            window.clock(str(value))
        except ValueError as error:
            self.fail(f"{value!r}: {error}", param, ctx)
        return str(value)


@click.command()
@click.option("--until", type=TimeOfDay(), help="When it ends, local time (default: overnight.until).")
@click.option("--max-concurrent", type=click.IntRange(1, 16), help="Jobs at the same time (overnight.max_concurrent).")
@click.option("--dry-run", is_flag=True, help="Show what would be begun, and in which order; begin and record nothing.")
@click.pass_context
def run(ctx: click.Context, until: str | None, max_concurrent: int | None, dry_run: bool) -> None:
    """Run the jobs of the night, from now until it ends: each in a worktree and on a branch of its own.

    One night at a time on a machine: exits with 75 where another is at work, with 130 when it is interrupted, with 1
    where no job could run at all. What was cut off goes on with the next night.

    \b
    Examples:
      $ orchestrate overnight run --dry-run
      $ orchestrate overnight run --until 06:00 --max-concurrent 2
    """
    place = _home()
    if dry_run:
        _show_plan(place, until, max_concurrent)
        return
    os.environ["CLAUDE_OVERNIGHT"] = "1"
    settings = here.settled(place).values
    _refuse(place, settings)
    when, limits = _when(settings, until), _limits(settings, max_concurrent)
    ctx.exit(_run(place, when, limits))


@click.command()
@click.option("--night", "evening", type=Day(), help="The day on whose evening it began (default: the last night).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def report(evening: date | None, as_json: bool) -> None:
    """Tell what became of the night: what is shipped and verified, what is done but unverified, what is not done and
    why, which decisions are yours, and what was used of the limits.

    Shipped is what was committed on the job's branch and passed its checks there. Each line names its events.

    \b
    Examples:
      $ orchestrate overnight report
      $ orchestrate overnight report --night yesterday --json
    """
    from orchestrate.overnight import report as reports
    from orchestrate.overnight import report_text

    place = _home()
    settings = here.settled(place).values
    built = reports.build(_known(place, settings, evening))
    if as_json:
        here.emit(reports.as_json(built))
        return
    for line in report_text.lines(built):
        click.echo(here.clean(line) if line else "")


def _home() -> Place:
    from orchestrate.overnight import limits

    return limits.users(here.place())


def _refuse(place: Place, settings: Mapping[str, Value]) -> None:
    """What no job could do anything about."""
    from orchestrate.request import context, mode

    env = dict(os.environ)
    found = context.detect(env, dict(settings), time.localtime().tm_hour, False, presumed=False)
    chosen = mode.select(found, dict(settings), env, mode.ORCHESTRATION, called=True)
    if chosen.refused:
        raise UserError(f"a night runs agents, but {chosen.reason}", REFUSED)


def _run(place: Place, when: "Night", limits: "Limits") -> int:
    from orchestrate.agents.stop import Stop, on_signals
    from orchestrate.overnight import alone, resuming_run
    from orchestrate.overnight.loop import Loop, Setting
    from state.store import open_user_store

    with alone.alone(place.state), open_user_store(place) as store, closing(Stop()) as stop, on_signals(stop):
        now = time.time()
        setting = Setting(place.state, here.environment(), when.from_now(now), _from_now(when, now), limits, _say)
        with resuming_run.beside(place, os.environ, _say, stop):
            return Loop(setting, store, stop).run()


def _say(line: str) -> None:
    here.tell(here.clean(line), NAME)


def _when(settings: Mapping[str, Value], until: str | None) -> "Night":
    from orchestrate.overnight import limits

    return limits.night(settings, until)


def _limits(settings: Mapping[str, Value], most: int | None) -> "Limits":
    from orchestrate.overnight import limits

    found = limits.of(settings)
    return found if most is None else found._replace(max_concurrent=most)


def _show_plan(place: Place, until: str | None, most: int | None) -> None:
    """Nothing is written: not the lock, nor a store where there is none."""
    from orchestrate.overnight import plan, shown, spending, window
    from orchestrate.overnight.chronicle import Chronicle
    from state import quota
    from state.store import FILE, open_user_store

    settings = here.settled(place).values
    if not Path(place.state, FILE).exists():
        click.echo("nothing is queued", err=True)
        return
    now = time.time()
    night, allowed = _when(settings, until), _limits(settings, most)
    when = _from_now(night, now)
    with open_user_store(place) as store:
        jobs = store.nights.jobs()
        told = Chronicle(store, night.span(now).evening).last(spending.KEY)
    readings = window.readings(quota.read(place.state), {}, now)
    rows = plan.plan(jobs, readings, when, allowed, now, told=told)
    for line in shown.plan_lines(rows, readings, when.span(now), allowed, True, here.clean):
        click.echo(line)


def _from_now(when: "Night", now: float) -> "Night":
    """As `plan` takes it: a night that has begun this minute."""
    from datetime import datetime

    return when._replace(start=datetime.fromtimestamp(now, when.zone).time().replace(second=0, microsecond=0))


def _known(place: Place, settings: Mapping[str, Value], evening: date | None) -> "Known":
    from metrics import quota_readings
    from orchestrate.overnight import alone
    from orchestrate.overnight.report_records import Known
    from state.store import open_user_store

    now = time.time()
    with open_user_store(place) as store:
        span = _span(store, _when(settings, None), evening, now)
        told, jobs = _told(store, span.evening), {job.id: job for job in store.nights.jobs()}
        added = _added(store)
    history = quota_readings.history(place.state, span.begins - 86_400)
    floor = _limits(settings, None).floor_percent
    return Known(span, told, jobs, lambda owner: not alone.is_dead(owner), history, floor, now, added)


def _added(store: "Store") -> dict[str, str]:
    from orchestrate.overnight import chronicle
    from state.store.search_records import Filter

    found = store.listing.newest(Filter(type=f"{chronicle.PREFIX}added"), MOST_EVENTS)
    return {each.event.entity_id: each.event.id for each in found}


def _span(store: "Store", when: "Night", evening: date | None, now: float) -> "Span":
    """Of the night that is meant: that one, or the one that goes on, or the last."""
    if evening is not None:
        return _of(store, when, evening)
    coming = when.span(now)
    if coming.begins <= now or _told(store, coming.evening):
        return _of(store, when, coming.evening)
    return _of(store, when, coming.evening - timedelta(days=1))


def _of(store: "Store", when: "Night", evening: date) -> "Span":
    """As it was told; one that nobody has told of is as the settings have it now."""
    from datetime import datetime

    from orchestrate.overnight import chronicle, window

    began = next((one for one in _told(store, evening) if one.verb == chronicle.BEGAN), None)
    if began is not None:
        return window.Span(float(began.payload["begins"]), float(began.payload["ends"]), evening)
    return when.span(datetime.combine(evening, when.start, when.zone).timestamp())


def _told(store: "Store", evening: date) -> "list[Told]":
    from orchestrate.overnight import chronicle, report
    from state.store.search_records import Filter

    found = store.listing.newest(Filter(session=chronicle.session(evening), prefix=chronicle.PREFIX), MOST_EVENTS)
    return [report.opened(each.event) for each in found]
