"""Events as they are listed and followed, and those that a user tells himself."""

import re
from collections.abc import Callable, Iterator

import orjson

from state.errors import REFUSED, USAGE, UserError
from state.store import Event, Store
from state.store.listing import passes
from state.store.search_records import Filter, Numbered
from state.telling import Teller

AT_ONCE = 500
LOOK_S = 0.5  # so often are the session logs read while nothing comes
TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
# What hooks and runs tell, and metrics count: nobody else's word for it.
HOOKS_OWN = re.compile(r"orchestration\.(prompt|turn|agent|run|hook|rung|quota|ab)\.")


def as_json(entry: Numbered) -> dict[str, object]:
    event = entry.event
    return {
        "seq": entry.seq,
        "id": event.id,
        "ts": event.ts,
        "type": event.type,
        "session": event.session,
        "prompt_id": event.prompt_id,
        "actor": event.actor,
        "entity": {"type": event.entity_type, "id": event.entity_id},
        "payload": _payload(event),
        "task": event.task,
        "correlation": event.correlation,
    }


def told(
    store: Store, teller: Teller, kind: str, payload: str, entity: tuple[str, str] | None, task: str | None,
    session: str | None,
) -> Event:  # fmt: skip
    """An event of the user's own, kept under the very name that he gives it."""
    if not TYPE.fullmatch(kind):
        raise UserError(f"{kind!r}: a type is 1 to 128 letters, digits, dots, dashes, colons and underscores", USAGE)
    if HOOKS_OWN.match(kind):
        raise UserError(f"{kind}: only hooks and runs tell that: give it a name of your own", REFUSED)
    value = _object(payload)
    if task is not None and not store.search.is_task_told(task):
        store.tasks.one(task)
    about = entity or (("task", task) if task else ("session", session or teller.session))
    event = teller.event(kind, about, value, task, session)
    store.emit([event])
    return event


def follow(
    store: Store, wanted: Filter, after: int, read_logs: Callable[[], object], is_wanted: Callable[[], bool]
) -> Iterator[Numbered]:
    """What comes behind `after`, as it comes, until nobody wants more."""
    while is_wanted():
        read_logs()
        for entry in store.listing.after(after, AT_ONCE):
            after = entry.seq
            if passes(entry.event, wanted):
                yield entry
        store.wait_for_events(after, LOOK_S)


def _object(text: str) -> dict[str, object]:
    try:
        value = orjson.loads(text.encode("utf-8", "surrogateescape"))
    except orjson.JSONDecodeError as error:
        raise UserError(f"--payload: no JSON ({error}): give an object as '{{\"step\": 3}}'", USAGE) from None
    if not isinstance(value, dict):
        raise UserError("--payload: expected a JSON object as '{\"step\": 3}'", USAGE)
    return value


def _payload(event: Event) -> object:
    """Somebody may have edited the store by hand."""
    try:
        return orjson.loads(event.payload)
    except orjson.JSONDecodeError:
        return event.payload
