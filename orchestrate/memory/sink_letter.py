"""An event as it is sent: whole, or as a message of a chat."""

import orjson

from state import redact
from state.store.records import Event

TEXT_MOST = 1800  # a message of Discord has 2000 at the most
FACT_MOST = 200
_SLACK = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def letter(event: Event, project: str) -> dict[str, object]:
    """Redacted again: what was recorded before a rule knew a secret goes out after it."""
    whole: dict[str, object] = {
        "id": event.id,
        "ts": event.ts,
        "type": event.type,
        "project": project,
        "session": event.session,
        "prompt_id": event.prompt_id,
        "actor": event.actor,
        "entity": {"type": event.entity_type, "id": event.entity_id},
        "task": event.task,
        "correlation": event.correlation,
        "payload": _payload(event.payload),
    }
    return redact.redact_fields(whole)


def body(template: str, sent: dict[str, object]) -> bytes:
    return orjson.dumps(_TEMPLATES[template](sent))


def text(sent: dict[str, object]) -> str:
    """One line of it."""
    entity, payload = sent["entity"], sent["payload"]
    named = f"{entity['type']} {entity['id']}" if isinstance(entity, dict) else ""
    facts = payload.items() if isinstance(payload, dict) else ()
    told = [f"{key}: {str(value)[:FACT_MOST]}" for key, value in facts if isinstance(value, str | int | float)]
    task = f" ({sent['task']})" if sent["task"] else ""
    return " ".join(f"{sent['type']} {named}{task} {', '.join(told)}".split())[:TEXT_MOST]


def _slack(sent: dict[str, object]) -> dict[str, object]:
    return {"text": text(sent).translate(_SLACK)}


def _discord(sent: dict[str, object]) -> dict[str, object]:
    return {"content": text(sent), "allowed_mentions": {"parse": []}}


def _payload(raw: str) -> object:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:  # a hand-edited database
        return raw


_TEMPLATES = {"json": lambda sent: sent, "slack": _slack, "discord": _discord}
