"""A timer that starts the night, and one that goes on with sessions: put in place, shown, removed."""

import os
import time as clock
from collections.abc import Mapping
from datetime import time

import click

from orchestrate.commands import here
from state.errors import NOT_FOUND, UserError
from state.paths import Place

EVERY_MIN = 10
_KINDS = ("systemd", "launchd", "cron")
_NO_HOME = "no writable home folder: a timer is of a user, and is kept there"


class TimeOfDay(click.ParamType[time]):
    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> time:
        from orchestrate.overnight import window

        try:
            return window.clock(str(value))
        except ValueError as error:
            self.fail(f"{value!r}: {error}", param, ctx)


@click.command("install-timer")
@click.option("--at", type=TimeOfDay(), help="When it begins each day, local time (default: overnight.start).")
@click.option("--until", type=TimeOfDay(), help="When the night ends (default: overnight.until, as it is by then).")
@click.option("--resume", "is_resume", is_flag=True, help="The timer of `overnight resume run` instead, day and night.")
@click.option("--every", type=click.IntRange(1, 59), help=f"With --resume: minutes between two looks ({EVERY_MIN}).")
@click.option("--systemd", is_flag=True, help="A timer of your systemd.")
@click.option("--launchd", is_flag=True, help="An agent of your launchd.")
@click.option("--cron", is_flag=True, help="A line of your crontab.")
@click.option("--print", "is_print", is_flag=True, help="Show what would be written, and write nothing.")
@click.option("--remove", "is_remove", is_flag=True, help="Take the timer out again.")
def install_timer(
    at: time | None,
    until: time | None,
    is_resume: bool,
    every: int | None,
    is_print: bool,
    is_remove: bool,
    **kinds: bool,
) -> None:
    """Install a timer of your own that runs the night: by systemd, launchd or cron, whichever this machine has.

    It has the interpreter and the PATH of now, and CLAUDE_OVERNIGHT=1. It holds no API key. A night that was missed
    because the machine was off begins late, or not at all once it is over.

    \b
    Examples:
      $ orchestrate overnight install-timer --at 23:00 --until 06:00
      $ orchestrate overnight install-timer --systemd --print
      $ orchestrate overnight install-timer --resume --every 10
      $ orchestrate overnight install-timer --remove
    """
    from orchestrate.overnight import timer_book, timers

    _check_usage(at, until, is_resume, every, is_print, is_remove)
    kind = _one_of(kinds)
    place = here.place()
    if place.user is None:
        raise UserError(_NO_HOME)
    name = timers.RESUME if is_resume else timers.NIGHT
    if is_remove:
        _remove(name, place.user)
        here.leave(place, "orchestration.timer.removed", ("timer", name), {}, for_all=True)
        return
    if is_resume:
        timer = timers.resume(os.environ, place.user, every or EVERY_MIN)
    else:
        timer = timers.night(os.environ, place.user, at or _start(place), f"{until:%H:%M}" if until else None)
    chosen = kind or timer_book.usual(os.environ)
    if is_print:
        click.echo(timer_book.shown(chosen, timer, os.environ))
        return
    hint = timer_book.install(chosen, timer, os.environ, place.user)
    when = f"each day at {timer.at:%H:%M}" if timer.at else f"every {timer.every_min} minutes"
    here.leave(place, "orchestration.timer.installed", ("timer", name), {"when": when, "by": chosen}, for_all=True)
    click.echo(f"{name}: {when}, by {chosen}")
    for line in [hint, *_unpassed()]:
        if line:
            here.tell(line)


@click.command()
@click.option("--at", type=TimeOfDay(), required=True, help="When the night begins.")
@click.option("--until", type=TimeOfDay(), help="When it ends (default: overnight.until).")
@click.pass_context
def timed(ctx: click.Context, at: time, until: time | None) -> None:
    """Run the night if it is night now: what the timer calls, also late, when the machine has slept.

    \b
    Examples:
      $ orchestrate overnight timed --at 23:00 --until 06:00
    """
    from orchestrate.commands import overnight_run
    from orchestrate.overnight import limits

    ends = f"{until:%H:%M}" if until else None
    night = limits.night(here.settled(limits.users(here.place())).values, ends)._replace(start=at)
    now = clock.time()
    if now < night.span(now).begins - 60:  # a timer may be a moment early
        click.echo(f"it is not between {night.start:%H:%M} and {night.until:%H:%M}: nothing is begun", err=True)
        return
    ctx.invoke(overnight_run.run, until=ends, max_concurrent=None, dry_run=False)


def _check_usage(
    at: time | None, until: time | None, is_resume: bool, every: int | None, is_print: bool, is_remove: bool
) -> None:
    if is_resume and (at or until):
        raise click.UsageError("--resume has no --at and no --until: it looks day and night, see resume.quiet_hours")
    if every and not is_resume:
        raise click.UsageError("--every goes with --resume")
    if is_print and is_remove:
        raise click.UsageError("--print and --remove: give one of them")


def _one_of(kinds: Mapping[str, bool]) -> str | None:
    given = [name for name in _KINDS if kinds[name]]
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(f'--{name}' for name in given)}: give one of them")
    return given[0] if given else None


def _start(place: Place) -> time:
    from orchestrate.overnight import limits

    return limits.night(here.settled(limits.users(place)).values).start


def _remove(name: str, user: str) -> None:
    from orchestrate.overnight import timer_book

    left = timer_book.remove(name, os.environ, user)
    if left is None:
        raise UserError(f"{name}: no such timer was installed here", NOT_FOUND)
    click.echo(f"{name}: removed")
    for path in left:
        here.tell(f"{path}: was changed since it was written, and stays: remove it yourself")


def _unpassed() -> list[str]:
    if not os.environ.get("ANTHROPIC_API_KEY"):
        return []
    return ["ANTHROPIC_API_KEY is not written into a timer: the client needs a login, or apiKeyHelper in its settings"]
