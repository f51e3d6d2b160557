"""Sessions of the project: which there are, which is current, and the removal of old ones."""

import os
import re
import time
from collections import Counter

import click

from orchestrate.agents import runs
from orchestrate.commands import here, session_work, which
from state import session_file, session_folders, sessions
from state.journal import stamp
from state.paths import Place, safe_session, session_dir

HOURS = {"h": 1, "d": 24, "": 24, "w": 168}
NAMED = 50  # sessions in one event
project_root = click.option("--project-root", help="The project, if not that of the working directory.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class Age(click.ParamType[float]):
    name = "age"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = re.fullmatch(r"(\d{1,5})([hdw]?)", str(value))
        if not found:
            self.fail(f"{value!r}: expected hours, days or weeks as 12h, 30d, 2w", param, ctx)
        return int(found[1]) * HOURS[found[2]] * 3600.0


@click.group()
def command() -> None:
    """List sessions, look at one, choose the current one, remove old ones; start and end the session of a task.

    SESSION is an id or its unique beginning; left out, it is ORCHESTRATOR_SESSION or the current one.

    \b
    Examples:
      $ orchestrate session list
      $ orchestrate session cleanup --older-than 30d --dry-run
      $ orchestrate session start TSK-001
    """


@command.command("list")
@as_json
@project_root
def list_sessions(as_json: bool, project_root: str | None) -> None:
    """List the sessions, the one used last first; a star marks the current one.

    \b
    Examples:
      $ orchestrate session list
      $ orchestrate session list --json
    """
    found = session_folders.listed(here.place(project_root))
    if as_json:
        here.emit([entry._asdict() for entry in found])
        return
    for entry in found:
        click.echo(f"{'*' if entry.current else ' '} {entry.session_id}  {entry.updated_at}  {entry.size_bytes} bytes")
    if not found:
        click.echo("no sessions yet", err=True)


@command.command()
@click.argument("session", required=False)
@as_json
@project_root
def show(session: str | None, as_json: bool, project_root: str | None) -> None:
    """Summarise a session: requests by agent and by result, files worked on.

    \b
    Examples:
      $ orchestrate session show
      $ orchestrate session show 9e401858 --json
    """
    place = here.place(project_root)
    summary = _summary(place, which.session(place, session))
    if as_json:
        here.emit(summary)
        return
    for name, value in summary.items():
        click.echo(f"{name}: {_told(value)}")


@command.command()
@click.argument("session")
@project_root
def switch(session: str, project_root: str | None) -> None:
    """Make a session the current one.

    \b
    Examples:
      $ orchestrate session switch 9e401858
    """
    place = here.place(project_root)
    name = sessions.find(place, session)
    before = sessions.current(place)
    session_folders.switch(place, name)
    here.leave(place, "orchestration.session.switched", ("session", name), {"from": before})
    click.echo(name)


@command.command()
@click.option("--older-than", type=Age(), help="An age as 12h, 30d or 2w (default: session.keep_days).")
@click.option("--dry-run", is_flag=True, help="Tell what would be removed and remove nothing.")
@as_json
@project_root
def cleanup(older_than: float | None, dry_run: bool, as_json: bool, project_root: str | None) -> None:
    """Remove sessions and runs unused for long, never the current session. What they recorded is counted first.

    \b
    Examples:
      $ orchestrate session cleanup --dry-run
      $ orchestrate session cleanup --older-than 30d
    """
    place = here.place(project_root)
    keep_s = int(here.settled(place).values["session.keep_days"]) * 86400.0
    since = time.time() - (keep_s if older_than is None else older_than)
    found = session_folders.idle(place, since, _in_use(place))
    if found and not dry_run:
        _count_first(place)
        found = [name for name in found if session_folders.remove(place, name, since)]
    old_runs = runs.remove_old(place, since, dry_run)
    if (found or old_runs) and not dry_run:
        told = {"before": stamp(since), "sessions": found[:NAMED], "of": len(found), "runs": len(old_runs)}
        here.leave(place, "orchestration.sessions.removed", ("sessions", stamp(since)), told)
    if as_json:
        here.emit({"before": stamp(since), "dry_run": dry_run, "sessions": found, "runs": old_runs})
        return
    for name in [*found, *old_runs]:
        click.echo(name)
    done = "would remove" if dry_run else "removed"
    click.echo(f"{done} {len(found)} sessions and {len(old_runs)} runs unused since {stamp(since)}", err=True)


for _of_a_task in (session_work.start, session_work.end, session_work.sync_files):
    command.add_command(_of_a_task)


def _in_use(place: Place) -> set[str]:
    names = (sessions.current(place), os.environ.get("ORCHESTRATOR_SESSION"))
    return {safe_session(name) for name in names if name}


def _count_first(place: Place) -> None:
    from metrics.ingest import ingest
    from state.store import open_store

    with open_store(place) as store:
        ingest(place, store)


def _summary(place: Place, name: str) -> dict[str, object]:
    state = session_file.load(place, name)
    rows, dropped = state["routing_history"], state.get("dropped", {}).get("routing_history", 0)
    return {
        "session_id": name,
        "current": name == sessions.current(place),
        "created_at": state["created_at"],
        "updated_at": state["updated_at"],
        "requests": len(rows) + dropped,
        "agents": dict(Counter(row["agent"] for row in rows)),
        "results": dict(Counter(row["result"] for row in rows)),
        "queued": len(state["work_queue"]),
        "active_files": state["context"]["active_files"],
        "folder": session_dir(place, name),
    }


def _told(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items()) or "-"
    return (", ".join(map(str, value)) or "-") if isinstance(value, list) else here.plain(value)
