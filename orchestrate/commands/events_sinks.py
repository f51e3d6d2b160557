"""Sinks: where events are sent to, how far each has been told, and what it did not take."""

import click

from orchestrate.commands import here
from orchestrate.memory import sink_send, sinks
from state import locks, redact, settings, sinks_file
from state.errors import FAILED, LOCK_TIMEOUT, NOT_FOUND, REFUSED, UserError
from state.paths import Place
from state.sinks_file import Sink
from state.store import Store, open_store

LOCK = "sinks.lock"
# Long enough for one that is ending to end, and for another to see what was told meanwhile.
DETACHED_WAIT_S = 3.0
TEST = "orchestration.sink.test"
project_root = click.option("--project-root", help="The project, if not that of the working directory.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group("sinks")
def command() -> None:
    """Send events to a URL or to a command, as sinks.yaml in ~/.orchestrator or in the project's folder says.

    \b
    Examples:
      $ orchestrate events sinks list
      $ orchestrate events sinks test chat
      $ orchestrate events sinks dead --retry
    """


@command.command("list")
@as_json
@project_root
def list_sinks(as_json: bool, project_root: str | None) -> None:
    """List the sinks: what they take, how much each was sent, what waits and why.

    \b
    Examples:
      $ orchestrate events sinks list
      $ orchestrate events sinks list --json
    """
    place = here.place(project_root)
    found = _load(place)
    with open_store(place) as store:
        rows = [_row(store, sink) for sink in found]
    if as_json:
        here.emit(rows)
        return
    for row in rows:
        state = f"  {row['problem']}" if row["problem"] else ""
        click.echo(
            here.clean(
                f"{row['name']}  {row['to']}  {row['events']}  "
                f"{row['delivered']} sent, {row['waiting']} to look at, {row['dead']} dead{state}"
            )
        )
    if not rows:
        click.echo("no sinks: see docs/webhooks.md", err=True)


@command.command()
@click.argument("name")
@as_json
@project_root
def test(name: str, as_json: bool, project_root: str | None) -> None:
    """Send one event of the type orchestration.sink.test to a sink, now and once.

    \b
    Examples:
      $ orchestrate events sinks test chat
    """
    place = here.place(project_root)
    sink = next((sink for sink in _load(place) if sink.name == name), None)
    if sink is None:
        raise UserError(f"{name}: no such sink: `orchestrate events sinks list`", NOT_FOUND)
    event = here.teller(place, is_followed=False).event(TEST, ("sink", name), {"message": "a test from orchestrate"})
    outcome = sink_send.send(sink, sinks.mail(sink, event, place), _way(place))
    if as_json:
        here.emit({"sink": name, "outcome": outcome.kind, "problem": outcome.problem, "event": event.id})
    if outcome.kind != sink_send.DELIVERED:
        raise UserError(f"{name}: {outcome.problem}", REFUSED if outcome.kind == sink_send.BLOCKED else FAILED)
    if not as_json:
        click.echo(f"{name}: took event {event.id}")


@command.command()
@click.option("--once", is_flag=True, help="What can be sent without waiting; what failed waits for the next time.")
@click.option("--detached", is_flag=True, hidden=True)
@as_json
@project_root
def deliver(once: bool, detached: bool, as_json: bool, project_root: str | None) -> None:
    """Send what the sinks have not been told yet, until nothing is left or nobody takes it.

    A command that tells something starts this by itself where there are sinks.

    \b
    Examples:
      $ orchestrate events sinks deliver
      $ orchestrate events sinks deliver --once --json
    """
    place = here.place(project_root, may_be_gone=detached)
    try:
        with locks.hold(f"{place.state}/{LOCK}", DETACHED_WAIT_S if detached else _patience(place)):
            rounds = _deliver(place, once)
    except UserError as error:
        if detached and error.code == LOCK_TIMEOUT:  # the one that holds it sees what is new
            return
        raise
    if as_json:
        here.emit({name: found._asdict() for name, found in rounds.items()})
        return
    for name, found in rounds.items():
        problem = f"  {here.clean(found.problem)}" if found.problem else ""
        click.echo(f"{name}: {found.delivered} sent, {found.dead} dead, {found.state}{problem}")


@command.command()
@click.option("--retry", is_flag=True, help="Send each of them once more.")
@as_json
@project_root
def dead(retry: bool, as_json: bool, project_root: str | None) -> None:
    """List the events that a sink did not take, however often it was asked.

    \b
    Examples:
      $ orchestrate events sinks dead
      $ orchestrate events sinks dead --retry
    """
    place = here.place(project_root)
    taken = 0
    with open_store(place) as store:
        if retry:
            with locks.hold(f"{place.state}/{LOCK}", _patience(place)):
                taken, _ = sinks.retry_dead(_office(store, place), _load(place))
        left = store.sinks.dead()
    if as_json:
        here.emit([{**letter._asdict(), "letter": sinks.opened(letter)} for letter in left])
    else:
        for letter in left:
            facts = (letter.sink, letter.event_id, letter.died_at, f"{letter.tries} tries", letter.problem)
            click.echo(here.clean("  ".join(facts)))
        click.echo(f"{f'{taken} taken, ' if retry else ''}{len(left)} dead", err=True)
    if retry and left:
        raise UserError(f"{len(left)} events were not taken: `orchestrate events sinks list` tells why", FAILED)


def _load(place: Place) -> list[Sink]:
    loaded = sinks_file.load(place, settings.digest(place))
    if loaded.waiting:
        names = ", ".join(sink.name for sink in loaded.waiting)
        here.tell(f"{loaded.waiting[0].path}: {names}: ignored until you trust this repository (`orchestrate trust`)")
    return loaded.sinks


def _deliver(place: Place, once: bool) -> dict[str, sinks.Round]:
    from metrics.ingest import ingest

    found = _load(place)
    with open_store(place) as store:
        return sinks.deliver(_office(store, place), found, once, lambda: ingest(place, store))


def _office(store: Store, place: Place) -> sinks.Office:
    return sinks.Office(store, place, here.teller(place, is_followed=False), _way(place))


def _way(place: Place) -> sink_send.Way:
    return sinks.way(place, str(here.settled(place).values["sinks.hosts"]))


def _patience(place: Place) -> float:
    return float(here.settled(place).values["lock_timeout_s"])


def _row(store: Store, sink: Sink) -> dict[str, object]:
    standing = store.sinks.find(sink.name)
    return {
        "name": sink.name,
        "to": _to(sink),
        "events": ",".join(sink.events),
        "template": sink.template,
        "file": sink.path,
        "delivered": standing.delivered if standing else 0,
        "waiting": store.sinks.behind(standing.told_seq) if standing else 0,
        "tries": standing.tries if standing else 0,
        "next_at": standing.next_at if standing else None,
        "problem": standing.problem if standing else None,
        "dead": sum(letter.sink == sink.name for letter in store.sinks.dead()),
    }


def _to(sink: Sink) -> str:
    """Without what is secret in a URL: its path often is the password."""
    if sink.command is not None:
        return redact.redact(" ".join(sink.command))
    if (sink.url or "").startswith(sinks_file.ENV):
        return str(sink.url)
    scheme, _, rest = str(sink.url).partition("://")
    host, slash, _ = rest.partition("/")
    return f"{scheme}://{host}{slash}{'...' if slash else ''}"
