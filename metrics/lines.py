"""One line of a log to one record, or None when it is none. Nothing in a line can make this raise."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b

import orjson

from state.store import Event, HookError


def parse_event(line: bytes) -> Event | None:
    value = json_object(line)
    if value is None:
        return None
    entity, payload, prompt_id = value.get("entity"), value.get("payload"), value.get("prompt_id")
    ts = utc(value.get("ts"))
    if ts is None or not isinstance(entity, dict) or not isinstance(payload, dict):
        return None
    if prompt_id is not None and not isinstance(prompt_id, str):
        return None
    texts = _texts(
        value.get("id"),
        value.get("type"),
        value.get("session"),
        value.get("actor"),
        entity.get("type"),
        entity.get("id"),
    )
    if texts is None or not texts[0]:
        return None
    key, kind, session, actor, entity_type, entity_id = texts
    body = orjson.dumps(payload).decode()
    task, correlation = _word(payload, "task") or None, _word(value, "correlation") or None
    return Event(key, ts, kind, session, prompt_id, actor, entity_type, entity_id, body, task, correlation)


def parse_hook_error(line: bytes) -> HookError | None:
    """Without message and traceback: they may quote a prompt."""
    value = json_object(line)
    ts = None if value is None else utc(value.get("ts"))
    if value is None or ts is None:
        return None
    event, session, stage, error = (_word(value, name) for name in ("event", "session", "where", "error"))
    return HookError(blake2b(line, digest_size=16).hexdigest(), ts, event, session, stage, error.partition(":")[0][:80])


def _texts(*values: object) -> list[str] | None:
    texts = [value for value in values if isinstance(value, str)]
    return texts if len(texts) == len(values) else None


def json_object(line: bytes) -> dict[str, object] | None:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        value = _lenient(line)
    return value if isinstance(value, dict) else None


def _lenient(line: bytes) -> object:
    """A lone surrogate is an escape that orjson refuses and no database takes: it becomes `?`."""
    try:
        text = json.dumps(json.loads(line), ensure_ascii=False)
        return orjson.loads(text.encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def utc(stamp: object) -> str | None:
    if not isinstance(stamp, str):
        return None
    try:
        moment = datetime.fromisoformat(stamp)
        if len(stamp) == 24 and (stamp[4], stamp[7], stamp[10], stamp[19], stamp[23]) == ("-", "-", "T", ".", "Z"):
            return stamp
        if moment.tzinfo is None:
            return None
        return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError):  # OverflowError: the year 1 east of Greenwich
        return None


def _word(value: Mapping[str, object], name: str) -> str:
    word = value.get(name)
    return word if isinstance(word, str) else ""
