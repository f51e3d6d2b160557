"""The queue of work: added once, claimed by one at a time, ended with a result or a reason."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import click

from orchestrate.commands import here, later, typed
from orchestrate.work import claiming, figures, given, limits, listing, shown, standing
from orchestrate.work.telling import Telling
from state.errors import NOT_FOUND, REFUSED, USAGE, UserError
from state.store import Store, open_store
from state.store.task_records import PRIORITIES
from state.store.work_records import Idle, Item

WAIT_MOST_S = 604_800
TOKEN_MOST = 2**62
LISTED, LIST_MOST = 100, 100_000
project_root = click.option("--project-root", help="The project, if not that of the working directory.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
item_id = click.argument("item_id", metavar="ID", type=typed.Code())
token = click.option("--token", type=click.IntRange(1, TOKEN_MOST), required=True, help="That of the claim.")
seconds = click.FloatRange(1, limits.TTL_MOST_S)


class Counter(NamedTuple):
    """What the commands work at."""

    store: Store
    tell: Telling
    session: str | None
    limits: limits.Limits


@click.group()
def command() -> None:
    """Queue work, claim it, end it. Whoever claims an item gets a token, and ends the item by it.

    \b
    Examples:
      $ orchestrate work add "Review the parser" --id REVIEW --priority P1
      $ orchestrate work next --owner worker-1 --json
      $ orchestrate work complete REVIEW --token 1 --result "two remarks"
    """


@command.command()
@click.argument("text", required=False)
@click.option("--id", "code", help="Its id; without one the queue numbers it.")
@click.option("--priority", type=click.Choice(PRIORITIES), default="P2", show_default=True, help="P0 is most urgent.")
@click.option("--depends", multiple=True, metavar="ID", help="An item that has to be completed before (repeatable).")
@click.option("--project", help="What it belongs to, in your words.")
@click.option("--tag", "tags", multiple=True, help="A tag (repeatable).")
@click.option("--not-before", type=later.Later(), help="When it may begin: 90m, 12h, 2d, 22:00, 2026-11-21T22:00.")
@click.option("--max-attempts", type=click.IntRange(1, limits.ATTEMPTS_MOST), help="Then it is a dead letter.")
@click.option("--estimate-minutes", type=click.IntRange(1, given.MINUTES_MOST), help="How long it may take.")
@click.option("--file", "path", metavar="FILE", help="Add all that a JSON array has; they may depend on one another.")
@as_json
@project_root
def add(
    text: str | None,
    code: str | None,
    priority: str,
    depends: tuple[str, ...],
    project: str | None,
    tags: tuple[str, ...],
    not_before: str | None,
    max_attempts: int | None,
    estimate_minutes: int | None,
    path: str | None,
    as_json: bool,
    project_root: str | None,
) -> None:
    """Add an item, or all of a file. TEXT may be @FILE, or - for stdin.

    A dependency that is not there, or that makes items wait for one another, is refused, and nothing is added.

    \b
    Examples:
      $ orchestrate work add "Review the parser" --id REVIEW --priority P1 --estimate-minutes 30
      $ orchestrate work add "Release it" --depends REVIEW --not-before 22:00 --tag release
      $ orchestrate work add --file plan.json
    """
    if (text is None) == (path is None):
        raise click.UsageError("give TEXT or --file FILE")
    if path is not None:
        text = typed.text(path, "--file") if path == "-" else typed.file(path, f"--file {path}")
        wanted = given.many(text.encode(), path)
    else:
        options: dict[str, object] = {
            "text": typed.text(text or "", "TEXT"), "id": code, "priority": priority, "depends": list(depends),
            "project": project, "tags": list(tags), "not_before": not_before, "max_attempts": max_attempts,
            "estimate_minutes": estimate_minutes,
        }  # fmt: skip
        wanted = [given.one(options)]
    with _opened(project_root) as at:
        new = [one.new(at.session, at.limits.max_attempts) for one in wanted]
        items = at.store.work.add(new, at.tell)
    if as_json:
        here.emit([item.id for item in items])
        return
    for item in items:
        click.echo(f"{item.id}: added")


@command.command("next")
@click.option("--owner", help="Who takes it (default: the session, or else this machine).")
@click.option("--wait", "wait_s", type=click.FloatRange(0, WAIT_MOST_S), default=0.0, help="Seconds to wait for one.")
@click.option("--ttl", "ttl_s", type=seconds, help="Seconds until it is another's unless extended (work.claim_ttl_s).")
@as_json
@project_root
def next_item(owner: str | None, wait_s: float, ttl_s: float | None, as_json: bool, project_root: str | None) -> None:
    """Claim the next item: the one that most others wait for, then the most urgent, then the oldest.

    Exits with 3 where none may begin, with 4 where work.wip_limit are claimed. An item whose claim has expired is
    queued again first.

    \b
    Examples:
      $ orchestrate work next
      $ orchestrate work next --owner worker-1 --wait 600 --ttl 15 --json
    """
    with _opened(project_root) as at:
        name = _owner(owner, at.session)
        found = claiming.claim(at.store, at.tell, name, ttl_s or at.limits.ttl_s, at.limits.wip, wait_s)
    if isinstance(found, Idle):
        raise UserError(claiming.why(found, at.limits.wip), REFUSED if found.is_full else NOT_FOUND)
    if as_json:
        here.emit(shown.claimed(found))
        return
    claim = found.claim
    click.echo(f"{found.item.id}  token {claim.token}  until {claim.expires_at}  {here.clean(found.item.text)}")


@command.command("list")
@click.option("--state", type=click.Choice(standing.STATES), help="Those that stand so.")
@click.option("--dead", is_flag=True, help="The dead letters.")
@click.option("--project", help="Those of this project.")
@click.option("--tag", help="Those with this tag.")
@click.option("--limit", type=click.IntRange(1, LIST_MOST), default=LISTED, show_default=True, help="How many at most.")
@as_json
@project_root
def list_items(
    state: str | None,
    dead: bool,
    project: str | None,
    tag: str | None,
    limit: int,
    as_json: bool,
    project_root: str | None,
) -> None:
    """List the queue, the oldest first: how each item stands, and why. Where there are more than the limit, what is
    open comes before what has ended.

    \b
    Examples:
      $ orchestrate work list --state ready
      $ orchestrate work list --dead --json --limit 1000
    """
    if dead and state not in (None, "dead"):
        raise click.UsageError("--dead and --state: give one of them")
    wanted = listing.Wanted("dead" if dead else state, project, tag)
    with _opened(project_root) as at:
        rows, has_more = listing.listed(at.store.work, wanted, limit)
    if as_json:
        here.emit([shown.record(*row) for row in rows])
    for row in () if as_json else rows:
        click.echo(shown.line(row.item, row.standing, here.clean))
    if has_more:
        click.echo(f"there are more than {limit}: --limit shows more of them", err=True)
    if not rows and not as_json:
        click.echo("no such items" if any(wanted) else "nothing is queued", err=True)


@command.command()
@item_id
@as_json
@project_root
def show(item_id: str, as_json: bool, project_root: str | None) -> None:
    """Show an item whole: how it stands, what it needs, and what needs it.

    \b
    Examples:
      $ orchestrate work show REVIEW
      $ orchestrate work show REVIEW --json
    """
    with _opened(project_root) as at:
        item = at.store.work.one(item_id)
        queue, needed_by = at.store.work.listing.about(item)
    told = shown.record(item, standing.of(queue)[item_id], queue)
    if as_json:
        here.emit({**told, "needed_by": needed_by})
        return
    for line in shown.details(told, needed_by, here.clean):
        click.echo(line)


@command.command()
@as_json
@project_root
def stats(as_json: bool, project_root: str | None) -> None:
    """Say what the queue has done: how many items, how many of those that ended were completed, how busy, how long
    items waited. What is not known is not counted as 0.

    \b
    Examples:
      $ orchestrate work stats
      $ orchestrate work stats --json
    """
    with _opened(project_root) as at:
        told = figures.of(at.store.work.listing.totals(), at.limits.wip)
    if as_json:
        here.emit(told)
        return
    for line in figures.lines(told):
        click.echo(line)


@command.command()
@item_id
@token
@click.option("--result", metavar="TEXT|@FILE|-", help="What came of it.")
@as_json
@project_root
def complete(item_id: str, token: int, result: str | None, as_json: bool, project_root: str | None) -> None:
    """Say that a claimed item is done. Refused (exit 4) where the claim is another's by now.

    \b
    Examples:
      $ orchestrate work complete REVIEW --token 1 --result "two remarks"
    """
    text = None if result is None else _checked(typed.text(result, "--result"), "--result")
    with _opened(project_root) as at:
        item = at.store.work.complete(item_id, token, text, at.tell)
    _say(item, as_json, "completed")


@command.command()
@item_id
@click.option("--reason", required=True, help="Why.")
@click.option("--retry", is_flag=True, help="Queue it again, after a pause, while it has attempts left.")
@click.option(
    "--token", type=click.IntRange(1, TOKEN_MOST), help="That of the claim; none for what nobody has claimed."
)
@as_json
@project_root
def fail(item_id: str, reason: str, retry: bool, token: int | None, as_json: bool, project_root: str | None) -> None:
    """Say that an item failed: it is a dead letter then, and what depends on it is blocked.

    With --retry it is only after its last attempt. An item that nobody has claimed is given up without a token.

    \b
    Examples:
      $ orchestrate work fail REVIEW --reason "the tests are red" --retry --token 1
      $ orchestrate work fail REVIEW --reason "not needed any more"
    """
    why = _checked(reason, "--reason")
    if retry and token is None:
        raise click.UsageError("--retry needs the --token of a claim: what nobody has claimed is queued anyway")
    with _opened(project_root) as at:
        item = at.store.work.fail(item_id, token, why, at.limits.backoff_s if retry else None, at.tell)
    _say(item, as_json, "dead" if item.status == "dead" else f"failed, queued again for {item.retry_at}")


@command.command()
@item_id
@token
@click.option("--reason", help="Why.")
@click.option(
    "--after", "after_s", type=click.FloatRange(0, limits.BACKOFF_MOST_S), default=0.0, help="Not for so many seconds."
)
@as_json
@project_root
def release(
    item_id: str, token: int, reason: str | None, after_s: float, as_json: bool, project_root: str | None
) -> None:
    """Give a claimed item back undone; no attempt is counted.

    \b
    Examples:
      $ orchestrate work release REVIEW --token 1 --reason "its files are another's" --after 60
    """
    why = None if reason is None else _checked(reason, "--reason")
    with _opened(project_root) as at:
        item = at.store.work.release(item_id, token, why, after_s, at.tell)
    _say(item, as_json, "released")


@command.command()
@item_id
@token
@click.option("--ttl", "ttl_s", type=seconds, help="Seconds from now (work.claim_ttl_s).")
@as_json
@project_root
def extend(item_id: str, token: int, ttl_s: float | None, as_json: bool, project_root: str | None) -> None:
    """Keep a claim for longer: the heartbeat of whoever works at the item.

    \b
    Examples:
      $ orchestrate work extend REVIEW --token 1
      $ orchestrate work extend REVIEW --token 1 --ttl 15
    """
    with _opened(project_root) as at:
        claim = at.store.work.extend(item_id, token, ttl_s or at.limits.ttl_s, at.tell)
    if as_json:
        here.emit({"id": item_id, "owner": claim.owner, "token": claim.token, "expires_at": claim.expires_at})
    else:
        click.echo(f"{item_id}: until {claim.expires_at}")


@command.command()
@item_id
@as_json
@project_root
def retry(item_id: str, as_json: bool, project_root: str | None) -> None:
    """Queue a dead letter again, with all its attempts.

    \b
    Examples:
      $ orchestrate work retry REVIEW
    """
    with _opened(project_root) as at:
        item = at.store.work.retry(item_id, at.tell)
    _say(item, as_json, "queued again")


@contextmanager
def _opened(project_root: str | None) -> Iterator[Counter]:
    place = here.place(project_root)
    teller = here.teller(place)
    tell = Telling(place, teller)
    session = None if teller.session == "-" else teller.session
    with open_store(place) as store:
        yield Counter(store, tell, session, limits.of(here.settled(place).values))
    tell.copy()


def _owner(given_one: str | None, session: str | None) -> str:
    return _checked(given_one, "--owner") if given_one is not None else session or socket.gethostname() or "-"


def _checked(text: str, option: str) -> str:
    try:
        return given.sound(text)
    except ValueError as error:
        raise UserError(f"{option}: {error}", USAGE) from None


def _say(item: Item, as_json: bool, word: str) -> None:
    if as_json:
        here.emit({"id": item.id, "status": item.status, "attempts": item.attempts, "retry_at": item.retry_at})
    else:
        click.echo(f"{item.id}: {word}")
