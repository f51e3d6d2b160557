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
    task: str | None = None  # the code of the task that it belongs to
    correlation: str | None = None  # the same for all that one call of a command told


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
    carried: str | None = None  # what its reader needs to know of the lines before; None where each stands for itself


class Transcript(NamedTuple):
    """A file of the client's own that an event names, and the time of the first event of its session."""

    session: str
    path: str
    since: str


class Served(NamedTuple):
    """One message of a model, as the client's transcript has it."""

    message_id: str
    session: str
    prompt_id: str | None
    agent_id: str | None  # None: the main thread's
    tool_use_id: str | None  # of the call that asked for the agent
    agent_type: str | None
    requested: str | None  # by the client
    served: str | None  # None: no model did, the client wrote the message itself
    ts: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    effort: str | None
    is_sidechain: bool
    is_copy: bool  # it was served in another transcript, or before anything is known of its session
    fallback_from: str | None  # the model that this one stands in for, as the transcript says
    after_error: bool  # the transcript notes an error of the API just before it
    spawn_model: str | None  # what the client was asked for when it started the agent
    parent_agent_id: str | None


class Kept(NamedTuple):
    """How many rows of each kind."""

    events: int
    hook_errors: int
    served: int = 0
    work: int = 0  # items that have ended
