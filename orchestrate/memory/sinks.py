"""Events told to sinks: each from its own place in the order of events, at least once, again when it fails, and put
aside when it fails for good."""

import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import orjson

from orchestrate.memory import sink_letter, sink_send, wildcard
from orchestrate.memory.sink_address import listed
from orchestrate.memory.sink_send import AGAIN, BLOCKED, DELIVERED, Mail, Outcome, Way
from state import redact
from state.journal import stamp
from state.paths import Place
from state.sinks_file import Sink
from state.store import Event, Store
from state.store.sinks import Letter, Standing
from state.telling import Teller

BATCH = 200
LOOK_AGAIN_S = 1.0
# Nobody took anything for so long: the next command that tells something goes on from there.
PATIENCE_S = 600.0
# What is told of sinks goes to no sink: one that fails would never hear the end of it.
OWN = "orchestration.sink."
IDLE, WAITING, STUCK = "idle", "waiting", "stuck"


class Pace(NamedTuple):
    first_s: float = 1.0
    most_s: float = 300.0


class Round(NamedTuple):
    state: str
    delivered: int = 0
    dead: int = 0
    next_at: float = 0.0
    problem: str = ""


class Office(NamedTuple):
    """Where the deliveries of one project are made."""

    store: Store
    place: Place
    teller: Teller
    way: Way
    pace: Pace = Pace()


def way(place: Place, hosts: str, env: Mapping[str, str] | None = None) -> Way:
    return Way(listed(hosts), dict(os.environ) if env is None else env, place.root)


def deliver(
    office: Office, sinks: Sequence[Sink], is_once: bool, refresh: Callable[[], object] = lambda: None
) -> dict[str, Round]:
    """Until there is nothing to deliver, or nobody takes it; `is_once`: each sink as far as it goes without waiting.
    `refresh` brings in what the logs of hooks tell. What each sink took and lost in all."""
    whole = {sink.name: Round(IDLE) for sink in sinks}
    moved_at = time.monotonic()
    while True:
        refresh()
        rounds = {sink.name: one_round(office, sink) for sink in sinks}
        for name, found in rounds.items():
            before = whole[name]
            whole[name] = found._replace(delivered=before.delivered + found.delivered, dead=before.dead + found.dead)
        if any(found.delivered or found.dead for found in rounds.values()):
            moved_at = time.monotonic()
        waits = [found.next_at for found in rounds.values() if found.state == WAITING]
        if is_once or not waits or time.monotonic() - moved_at > PATIENCE_S:
            return whole
        time.sleep(max(0.0, min(LOOK_AGAIN_S, min(waits) - time.time())))


def one_round(office: Office, sink: Sink) -> Round:
    """All that the sink takes now."""
    delivered = dead = 0
    while True:
        standing = _standing(office.store, sink)
        if standing.next_at is not None and standing.next_at > stamp(time.time()):
            return Round(WAITING, delivered, dead, _seconds(standing.next_at), standing.problem or "")
        batch = office.store.sinks.after(standing.told_seq, BATCH)
        if not batch:
            return Round(IDLE, delivered, dead)
        for seq, event in batch:
            if not wants(sink, event):
                continue
            outcome = sink_send.send(sink, mail(sink, event, office.place), office.way)
            if outcome.kind == DELIVERED:
                office.store.sinks.advance(sink.name, seq, 1)
                delivered += 1
                standing = standing._replace(tries=0)
            elif outcome.kind == BLOCKED:
                office.store.sinks.hold(sink.name, standing.tries, None, outcome.problem)
                return Round(STUCK, delivered, dead, 0.0, outcome.problem)
            elif outcome.kind == AGAIN and standing.tries < sink.retries:
                next_at = _hold(office, sink, standing, outcome)
                return Round(WAITING, delivered, dead, next_at, outcome.problem)
            else:
                _bury(office, sink, seq, event, standing.tries + 1, outcome.problem)
                dead += 1
                standing = standing._replace(tries=0)
        office.store.sinks.advance(sink.name, batch[-1][0], 0)


def wants(sink: Sink, event: Event) -> bool:
    return not event.type.startswith(OWN) and any(wildcard.matches(glob, event.type) for glob in sink.events)


def mail(sink: Sink, event: Event, place: Place) -> Mail:
    sent = sink_letter.letter(event, place.project)
    return Mail(event.id, event.type, sink_letter.body(sink.template, sent))


def retry_dead(office: Office, sinks: Sequence[Sink]) -> tuple[int, int]:
    """Each dead letter once more: how many were taken, how many were not. Those of a sink that is gone stay."""
    named = {sink.name: sink for sink in sinks}
    taken = left = 0
    for letter in office.store.sinks.dead():
        sink = named.get(letter.sink)
        outcome = _send_again(office, sink, letter) if sink else Outcome(BLOCKED, "there is no such sink")
        if outcome.kind == DELIVERED:
            office.store.sinks.delivered_late(letter, [_told(office, "revived", letter)])
            taken += 1
        else:
            tries = letter.tries + (outcome.kind != BLOCKED)
            office.store.sinks.died_again(letter._replace(tries=tries, problem=outcome.problem))
            left += 1
    return taken, left


def opened(letter: Letter) -> dict[str, object]:
    """What is in it: the event. Redacted again, as it is when it is sent."""
    return redact.redact_fields(orjson.loads(letter.letter))


def _send_again(office: Office, sink: Sink, letter: Letter) -> Outcome:
    sent = opened(letter)
    again = Mail(letter.event_id, str(sent.get("type", "")), sink_letter.body(sink.template, sent))
    return sink_send.send(sink, again, office.way)


def _standing(store: Store, sink: Sink) -> Standing:
    """A sink that is new hears of what was told since its file was written."""
    found = store.sinks.find(sink.name)
    return found or store.sinks.begin(sink.name, stamp(Path(sink.path).stat().st_mtime))


def _hold(office: Office, sink: Sink, standing: Standing, outcome: Outcome) -> float:
    longest_s = min(office.pace.first_s * 2**standing.tries, office.pace.most_s)
    # Seldom two at once, when many wait for the same service.
    pause_s: float = longest_s * random.uniform(0.5, 1.0)  # noqa: S311
    next_at = time.time() + max(pause_s, outcome.retry_after_s)
    office.store.sinks.hold(sink.name, standing.tries + 1, stamp(next_at), outcome.problem)
    return next_at


def _bury(office: Office, sink: Sink, seq: int, event: Event, tries: int, problem: str) -> None:
    whole = orjson.dumps(sink_letter.letter(event, office.place.project)).decode()
    letter = Letter(sink.name, event.id, stamp(time.time()), tries, problem, whole)
    office.store.sinks.bury(letter, seq, [_told(office, "dead_letter", letter)])


def _told(office: Office, verb: str, letter: Letter) -> Event:
    payload: dict[str, object] = {"event": letter.event_id, "tries": letter.tries, "problem": letter.problem}
    return office.teller.event(f"{OWN}{verb}", ("sink", letter.sink), payload)


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()
