"""What sessions found out, for those that come after them: one value for each key, the last one recorded."""

import time
from typing import NamedTuple

import orjson

from orchestrate.memory import archive_read, bug_text, wildcard
from orchestrate.memory.archive_read import Damaged
from state import redact
from state.errors import FAILED, USAGE, UserError
from state.journal import stamp
from state.paths import Place
from state.store import Store
from state.store.knowledge import Known
from state.telling import Teller

KEY_MOST = 200
VALUE_MOST_BYTES = 65_536
NAME_MOST = 200


class Discovery(NamedTuple):
    key: str
    value: object
    source: str | None = None
    discovered_by: str | None = None
    task: str | None = None


def record(store: Store, teller: Teller, discovery: Discovery) -> tuple[Known, bool]:
    """What is kept, and whether a secret in it was redacted."""
    if discovery.task is not None:
        store.tasks.one(discovery.task)
    value = redact.redact_value(_storable(discovery.value))
    content = orjson.dumps(value)
    if len(content) > VALUE_MOST_BYTES:
        most = f"{discovery.key}: a value has at most {VALUE_MOST_BYTES} bytes as JSON"
        raise UserError(f"{most}: keep it in a file, and record where that is", FAILED)
    known = Known(
        name=checked_key(discovery.key),
        content=content.decode(),
        discovered_by=_named(discovery.discovered_by) or teller.actor,
        source=_named(discovery.source),
        task_code=discovery.task,
        recorded_at=stamp(time.time()),
    )
    told = teller.event("orchestration.knowledge.recorded", ("knowledge", known.name), shown(known), discovery.task)
    store.knowledge.record(known, [told])
    return known, value != _storable(discovery.value)


def find(store: Store, pattern: str) -> list[Known]:
    return [
        known
        for known in store.knowledge.beginning(wildcard.beginning(pattern[:KEY_MOST]))
        if wildcard.matches(pattern, known.name)
    ]


def forget(store: Store, teller: Teller, key: str) -> bool:
    if not key.isprintable():  # no key is
        return False
    told = teller.event("orchestration.knowledge.forgotten", ("knowledge", key), {"key": key})
    return store.knowledge.forget(key, [told])


def shown(known: Known) -> dict[str, object]:
    return {
        "key": known.name,
        "value": orjson.loads(known.content),
        "discoveredBy": known.discovered_by,
        "timestamp": known.recorded_at,
        "source": known.source,
        "task": known.task_code,
    }


def history(place: Place, store: Store, key: str, damaged: Damaged) -> list[dict[str, object]]:
    """Every value that the key had, oldest first, as told; where it was forgotten, that. Some may be archived."""
    archived = sorted(archive_read.of_entity(place, store, ("knowledge", key), damaged), key=lambda event: event.ts)
    kept = {event.id: event for event in [*archived, *store.knowledge.history(key)]}
    return [
        {**orjson.loads(event.payload), "at": event.ts, "by": event.actor, "type": event.type}
        for event in kept.values()
    ]


def parsed(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UserError(f"--json-value: not valid JSON: {error.msg} (line {error.lineno})", USAGE) from None


def checked_key(key: str) -> str:
    if not key.strip() or len(key) > KEY_MOST or not key.isprintable():
        raise UserError(f"{key[:80]!r}: a key is 1 to {KEY_MOST} printable characters", USAGE)
    if set("*?") & set(key):
        raise UserError(f"{key}: `*` and `?` stand for others in `knowledge get`: leave them out of a key", USAGE)
    return key


def _named(text: str | None) -> str | None:
    return None if text is None else redact.redact(bug_text.readable(text)[:NAME_MOST]) or None


def _storable(value: object) -> object:
    """Text without a NUL or half a character, which no database holds."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {str(_storable(key)): _storable(item) for key, item in value.items()}
    return [_storable(item) for item in value] if isinstance(value, list) else value
