"""What searching and listing give."""

from typing import NamedTuple

from state.store.records import Event


class Hit(NamedTuple):
    """An event as far as a search needs it; `text` is the beginning of its payload."""

    seq: int
    id: str
    ts: str
    type: str
    session: str
    task: str | None
    entity_type: str
    entity_id: str
    text: str


class Span(NamedTuple):
    events: int
    first: str | None
    last: str | None


class Numbered(NamedTuple):
    seq: int
    event: Event


class Filter(NamedTuple):
    """Which events are listed; None: all."""

    type: str | None = None
    prefix: str | None = None  # of the type
    entity_type: str | None = None
    entity_id: str | None = None
    session: str | None = None
    task: str | None = None
    since: str = ""
    until: str = "~"  # behind every time


class Archive(NamedTuple):
    """A file of events that are in the store no more."""

    name: str
    first_ts: str
    last_ts: str
    events: int
    size_bytes: int
    sha256: str
    made_at: str
