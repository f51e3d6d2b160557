"""A queue of the test's own, by a clock that the test sets, on every engine that there is."""

from datetime import datetime, timedelta
from typing import NamedTuple

import pytest

from orchestrate.work import listing
from orchestrate.work.telling import Telling
from state.store import Store, opening
from state.store.claims import Claims
from state.store.work import Work
from state.store.work_records import New
from state.telling import Teller

START = "2026-11-21T10:00:00.000Z"


class Hands:
    def __init__(self, ts=START):
        self.ts = ts
        self.tick_s = 0  # at each look

    def __call__(self):
        self.move(self.tick_s)
        return self.ts

    def move(self, seconds):
        then = datetime.fromisoformat(self.ts) + timedelta(seconds=seconds)
        self.ts = then.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class World(NamedTuple):
    work: Work
    claims: Claims
    clock: Hands
    store: Store
    tell: Telling

    def add(self, *new):
        return self.work.add([one if isinstance(one, New) else New(one, one) for one in new], self.tell)

    def take(self, owner="me", ttl_s=3600.0, limit=5):
        return self.work.claim(owner, ttl_s, limit, self.tell)

    def states(self):
        return {name: one.state for name, one in self.stands().items()}

    def stands(self):
        """How each item stands, by the order in which they were added."""
        rows, _ = listing.listed(self.work, listing.Wanted(), 100_000)
        return {row.item.id: row.standing for row in rows}

    def told(self):
        """Every event of the queue, oldest first: (verb, id, the rest of its payload)."""
        import orjson

        events = [event for _, event in self.store.sinks.after(0, 100_000) if event.entity_type == "work"]
        return [
            (event.type.removeprefix("orchestration.work."), event.entity_id, orjson.loads(event.payload))
            for event in events
        ]

    def verbs(self):
        return [f"{verb} {name}" for verb, name, _ in self.told()]


def world(place, clock=None):
    engine = opening.engine(place, opening.url(place), 30.0, lambda: None)
    claims = Claims(engine, clock)
    tell = Telling(place, Teller("user", "-", "c"))
    return World(Work(engine, claims, clock), claims, clock, Store(engine), tell)


@pytest.fixture
def queue(place, dialect):
    found = world(place, Hands())
    yield found
    found.store.close()
