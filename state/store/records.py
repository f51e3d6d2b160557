"""What the store takes and gives. A timestamp is UTC text, `2026-11-21T05:53:00.123Z`."""

from typing import NamedTuple


class Event(NamedTuple):
    id: str
    ts: str
    type: str
    session: str
    prompt_id: str | None
    actor: str
    entity_type: str
    entity_id: str
    payload: str  # JSON text


class HookError(NamedTuple):
    id: str
    ts: str
    event: str
    session: str
    stage: str  # decode, handler or persist
    kind: str  # the exception's class


class Position(NamedTuple):
    """How far a log has been read. `head` tells whether the file of this inode is still the one that was read."""

    log: str
    inode: str
    read_bytes: int
    head: str
    bad_lines: int
    last_ts: str | None  # of its newest event


class Kept(NamedTuple):
    """How many rows of each kind."""

    events: int
    hook_errors: int
