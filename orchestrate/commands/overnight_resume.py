"""Sessions that go on by themselves after a limit: which may, how they stand, and going on with them."""

import os
import select
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING

import click

from orchestrate.commands import here
from orchestrate.overnight.resuming import Row
from state import sessions
from state.errors import NOT_FOUND, USAGE, UserError
from state.paths import Place
from state.store import open_user_store
from state.store.resume_records import Opted

if TYPE_CHECKING:
    from orchestrate.agents.stop import Stop
    from orchestrate.overnight.resuming_run import Report, Resumer

LATELY_S = 2 * 86_400.0  # how long ago a session of this project was used that is listed unasked
LISTED_MOST = 50
LOOK_S = 0.2  # between two looks at those that go on
session_id = click.argument("session", required=False)
project_root = click.option("--project-root", help="The project, if not that of the working directory.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def resume() -> None:
    """Let sessions that a limit has stopped go on by themselves once it is reset: those that you say, no others.

    A session goes on once after each limit, when no client is open on it, outside of resume.quiet_hours, and while
    resume.max_points (with an API key resume.max_usd) is not used up. `overnight run` does this beside its jobs, and
    `overnight install-timer --resume` does it at any hour. `orchestrate config set --global resume.enabled false`
    stops all.

    \b
    Examples:
      $ orchestrate overnight resume on
      $ orchestrate overnight resume list
      $ orchestrate overnight resume run --once
      $ orchestrate overnight resume off
    """


@resume.command()
@session_id
@project_root
def on(session: str | None, project_root: str | None) -> None:
    """Let SESSION go on by itself after a limit: without one, the session that this is called from, or the last one.

    \b
    Examples:
      $ orchestrate overnight resume on
      $ orchestrate overnight resume on 4f0813b4
    """
    place = here.place(project_root)
    name = sessions.find(place, session or _current(place))
    _opt(place, name, place.root, True)
    click.echo(f"{name}: goes on by itself after a limit")
    row = next((row for row in _standing(place) if row.session == name), None)
    if row and row.verdict == "skip":
        here.tell(f"{name}: not now: {row.reason}")


@resume.command()
@session_id
@click.option("--all", "is_all", is_flag=True, help="Every session of every project.")
@project_root
def off(session: str | None, is_all: bool, project_root: str | None) -> None:
    """Let SESSION wait for you after a limit. One that has just been begun goes on to its end.

    \b
    Examples:
      $ orchestrate overnight resume off
      $ orchestrate overnight resume off --all
    """
    if is_all and session:
        raise UserError("SESSION and --all: give one of them", USAGE)
    place = here.place(project_root)
    opted = _opted(place)
    chosen = [one for one in opted if one.is_on] if is_all else [_one(opted, session or _current(place))]
    for one in chosen:
        _opt(place, one.session, one.root, False)
        click.echo(f"{one.session}: waits for you after a limit")


@resume.command("list")
@as_json
@project_root
def list_sessions(as_json: bool, project_root: str | None) -> None:
    """List the sessions that may go on, of all projects, and those of this one that a limit has stopped lately.

    Each is about to `resume`, or has to `wait`, or is left alone (`skip`), or has no limit in its way (`idle`).

    \b
    Examples:
      $ orchestrate overnight resume list
      $ orchestrate overnight resume list --json
    """
    place = here.place(project_root)
    rows = [*_standing(place), *_stopped(place)]
    _show(rows, as_json)
    if not rows and not as_json:
        click.echo("no session was told to go on by itself: `orchestrate overnight resume on`", err=True)


@resume.command()
@click.option("--once", is_flag=True, help="Only those that may go on now; do not wait for resets.")
@click.option("--dry-run", is_flag=True, help="Say which would go on now, and start nothing.")
@as_json
@project_root
def run(once: bool, dry_run: bool, as_json: bool, project_root: str | None) -> None:
    """Go on with the sessions whose limit is over, and wait for those that have a reset to come.

    Ends when there is nothing to wait for, or with Ctrl-C. Several of it, and `overnight run`, may run at the same
    time: each limit is dealt with once.

    \b
    Examples:
      $ orchestrate overnight resume run
      $ orchestrate overnight resume run --once
      $ orchestrate overnight resume run --dry-run --json
    """
    place = here.place(project_root)
    if dry_run:
        rows = [row for row in _standing(place) if row.verdict == "resume"]
        _show(rows, as_json)
        return
    reports = _run(place, once)
    if as_json:
        here.emit([{**_record(report.row), **report.gone._asdict()} for report in reports])


def _run(place: Place, once: bool) -> "list[Report]":
    from orchestrate.agents.stop import Stop, on_signals
    from orchestrate.overnight.resuming_run import Resumer

    resumer = Resumer(place, os.environ, here.tell)
    with closing(Stop()) as stop, on_signals(stop):
        wait_s = resumer.step(time.time())
        while not once and wait_s is not None and stop.why is None:
            _pause(resumer, stop, wait_s)
            wait_s = resumer.step(time.time())
        while resumer.sessions and stop.why is None:
            select.select([stop], [], [], LOOK_S)
        resumer.close()
    return resumer.reports


def _pause(resumer: "Resumer", stop: "Stop", wait_s: float) -> None:
    """Until one that goes on has ended, if that comes first."""
    until, going = time.monotonic() + wait_s, resumer.sessions
    while stop.why is None and (left_s := until - time.monotonic()) > 0 and resumer.sessions == going:
        select.select([stop], [], [], min(left_s, LOOK_S) if going else left_s)


def _standing(place: Place) -> tuple[Row, ...]:
    from orchestrate.overnight import resuming_run

    return resuming_run.standing(place, os.environ, time.time())


def _stopped(place: Place) -> list[Row]:
    """Sessions of this project that nobody has said anything of, and that a limit has stopped."""
    from orchestrate.overnight import resuming_run

    known = {one.session for one in _opted(place)}
    now = time.time()
    lately = [name for name in _lately(place, now) if name not in known]
    found = [resuming_run.found_of(Opted(name, place.root, False, now), [], os.environ) for name in lately]
    rows = resuming_run.decided(place, [one for one in found if one.watched.limit], now)
    return [row._replace(reason=f"`orchestrate overnight resume on {row.session}` lets it go on") for row in rows]


def _lately(place: Place, now: float) -> list[str]:
    from state import session_folders

    used = {name: session_folders.last_used(place, name) for name in sessions.known(place)}
    names = [name for name in sorted(used, key=lambda name: used[name]) if used[name] > now - LATELY_S]
    return names[-LISTED_MOST:]


def _current(place: Place) -> str:
    """The session of the client that this is called from comes before the one that began last."""
    env = dict(os.environ)
    found = sessions.choose(place, env.get("ORCHESTRATOR_SESSION") or env.get("CLAUDE_CODE_SESSION_ID"), env)
    if found is None:
        raise UserError("no session has been recorded here: name one (`orchestrate session list`)", NOT_FOUND)
    return found


def _opted(place: Place) -> list[Opted]:
    with open_user_store(place) as store:
        return store.resumes.opted()


def _one(opted: list[Opted], name: str) -> Opted:
    found = [one for one in opted if one.session == name] or [one for one in opted if one.session.startswith(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"session {name!r}: {len(found)} sessions begin so: give more of the id", NOT_FOUND)
    raise UserError(f"session {name!r}: was never told to go on: see `orchestrate overnight resume list`", NOT_FOUND)


def _opt(place: Place, name: str, root: str, is_on: bool) -> None:
    from state import journal
    from state.paths import locate

    now = time.time()
    with open_user_store(place) as store:
        store.resumes.opt(name, root, is_on, now)
    told = here.teller(place)
    own = locate(root, {**os.environ, "ORCHESTRATOR_ROOT": root})
    kind = f"orchestration.resume.{'on' if is_on else 'off'}"
    event = journal.event(own, kind, name, None, ("session", name), {}, now, told.actor, told.correlation)
    journal.record(own, event)


def _record(row: Row) -> dict[str, object]:
    return {**row._asdict(), "limit": row.limit._asdict() if row.limit else None}


def _show(rows: Sequence[Row], as_json: bool) -> None:
    if as_json:
        here.emit([_record(row) for row in rows])
        return
    for row in rows:
        click.echo(_line(row))


def _line(row: Row) -> str:
    at = "-"
    if row.at is not None and row.verdict == "wait":
        at = datetime.fromtimestamp(row.at).astimezone().strftime("%Y-%m-%d %H:%M")
    return f"{here.clean(row.session)}  {row.verdict:<6}  {at:<16}  {here.clean(row.reason)}  {here.clean(row.root)}"
