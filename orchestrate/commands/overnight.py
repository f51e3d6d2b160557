"""Jobs for the night: queued by day, planned against what the account's limits leave, run while nobody works."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from orchestrate.commands import here, later, overnight_resume, overnight_run, overnight_timer, typed
from orchestrate.overnight import given, limits, plan, shown, spending, window
from orchestrate.overnight.chronicle import Chronicle
from orchestrate.overnight.job import ENDED, PRIORITIES, STATUSES, New
from orchestrate.overnight.telling import Telling
from state import quota
from state.paths import Place
from state.store import Store, open_user_store

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def command() -> None:
    """Queue jobs for the night, see what would run and why, and read in the morning what became of them.

    The queue is one for all projects of this user; each job works in its own project, in a worktree and on a branch of
    its own.

    \b
    Examples:
      $ orchestrate overnight add "Raise the coverage of the parser" --quota 6 --minutes 40 --check "pytest -q"
      $ orchestrate overnight plan --explain
    """


@command.command()
@click.argument("text")
@click.option("--priority", type=click.Choice(PRIORITIES), default="P2", show_default=True, help="P0 is most urgent.")
@click.option("--value", type=click.FloatRange(0, 1e6), default=1.0, show_default=True, help="What it is worth to you.")
@click.option("--quota", "points", type=click.FloatRange(0, 100), help="Points of the five-hour limit it may take.")
@click.option("--minutes", type=click.FloatRange(1, given.MINUTES_MOST), help="How long it may take.")
@click.option("--project", "root", metavar="PATH", help="The project, if not that of the working directory.")
@click.option("--depends", multiple=True, metavar="JOB", help="A job that has to be done before (repeatable).")
@click.option("--not-before", type=later.Later(), help="When it may begin: 90m, 12h, 2d, 22:00, 2026-11-21T22:00.")
@click.option("--deadline", type=later.Later(), help="When it has to be done: before it is due it comes first.")
@click.option("--check", "checks", multiple=True, metavar="COMMAND", help="What it has to pass (repeatable).")
@click.option("--agent", metavar="NAME", help="An agent, or a tier; without one the router decides.")
@as_json
def add(
    text: str,
    priority: str,
    value: float,
    points: float | None,
    minutes: float | None,
    root: str | None,
    depends: tuple[str, ...],
    not_before: str | None,
    deadline: str | None,
    checks: tuple[str, ...],
    agent: str | None,
    as_json: bool,
) -> None:
    """Queue a job. TEXT is the prompt; it may be @FILE, or - for stdin.

    Without --quota and --minutes it is reckoned as jobs before it were. Without --check the project's overnight.checks
    say whether it has shipped; without either it is done, but unverified.

    \b
    Examples:
      $ orchestrate overnight add "Raise the coverage of the parser" --quota 6 --minutes 40 --check "pytest -q"
      $ orchestrate overnight add @prompt.md --priority P1 --deadline 2d --agent opus
      $ orchestrate overnight add "Write the release notes" --depends J-1 --project ../site
    """
    place = here.place(given.folder(root) if root else None)
    name, tier = given.agent(place, os.environ, agent)
    new = given.sound(
        New(
            text=given.text(typed.text(text, "TEXT")),
            project=given.project(place.root),
            priority=priority,
            value=given.number("--value", value) or 0.0,
            quota_points=given.number("--quota", points),
            minutes=given.number("--minutes", minutes),
            depends=depends,
            not_before=given.moment("--not-before", not_before),
            deadline=given.moment("--deadline", deadline),
            checks=given.checks(checks),
            agent=name,
            tier=tier,
        )
    )
    with _opened(place) as (store, tell):
        (job,) = store.nights.add([new], time.time(), tell)
    if as_json:
        here.emit({"id": job.id, "code": job.code})
    else:
        click.echo(f"{job.code}: added")


@command.command("list")
@click.option("--status", type=click.Choice(STATUSES), help="Those that stand so.")
@click.option("--all", "shows_all", is_flag=True, help="Those that have ended too.")
@as_json
def list_jobs(status: str | None, shows_all: bool, as_json: bool) -> None:
    """List the jobs of all projects that have not ended, the oldest first.

    \b
    Examples:
      $ orchestrate overnight list
      $ orchestrate overnight list --all --json
    """
    with _opened(here.place()) as (store, _):
        jobs = store.nights.jobs()
    codes = {job.id: job.code for job in jobs}
    wanted = [job for job in jobs if (job.status == status if status else shows_all or job.status not in ENDED)]
    if as_json:
        here.emit([shown.record(job, codes) for job in wanted])
        return
    for job in wanted:
        click.echo(shown.line(job, codes, here.clean))
    if not wanted:
        click.echo("no such jobs" if jobs else "no jobs: `orchestrate overnight add` adds one", err=True)


@command.command()
@click.argument("job", metavar="JOB", type=typed.Code())
@click.option("--reason", help="Why.")
@as_json
def cancel(job: str, reason: str | None, as_json: bool) -> None:
    """Cancel a job. One that runs is ended when its runner next looks; its branch stays.

    \b
    Examples:
      $ orchestrate overnight cancel J-1 --reason "done by hand"
    """
    with _opened(here.place()) as (store, tell):
        found = store.nights.cancel(job, reason, time.time(), tell)
    if as_json:
        here.emit({"id": found.id, "code": found.code, "status": found.status})
    else:
        click.echo(f"{found.code}: cancelled")


@command.command("plan")
@click.option("--explain", is_flag=True, help="Say what the limits leave, and why each job stands where it does.")
@as_json
def show_plan(explain: bool, as_json: bool) -> None:
    """Show what would run tonight, in which order, and what would not and why. Nothing is begun.

    Expected of a window that is reset before is that it is empty then; of jobs, what they say or what others took.

    \b
    Examples:
      $ orchestrate overnight plan
      $ orchestrate overnight plan --explain
      $ orchestrate overnight plan --json
    """
    place = limits.users(here.place())
    settings = here.settled(place).values
    now = time.time()
    allowed, night = limits.of(settings), limits.night(settings)
    with open_user_store(place) as store:
        jobs = store.nights.jobs()
        told = Chronicle(store, night.span(now).evening).last(spending.KEY)
    readings = window.readings(quota.read(place.state), {}, now)
    rows = plan.plan(jobs, readings, night, allowed, now, told=told)
    if as_json:
        here.emit(shown.plan_record(rows, readings, night.span(now), allowed))
        return
    for line in shown.plan_lines(rows, readings, night.span(now), allowed, explain, here.clean):
        click.echo(line)


@contextmanager
def _opened(place: Place) -> Iterator[tuple[Store, Telling]]:
    tell = Telling(here.teller(place, is_followed=False))
    with open_user_store(place) as store:
        yield store, tell


for one in (
    overnight_run.run,
    overnight_run.report,
    overnight_timer.install_timer,
    overnight_timer.timed,
    overnight_resume.resume,
):
    command.add_command(one)
