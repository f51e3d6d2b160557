"""What a session's state.json holds, as types, as JSON Schema, and as complaints that name the field."""

import re
from typing import Annotated, Any, NotRequired

import orjson
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from pydantic_core import ErrorDetails
from typing_extensions import TypedDict  # pydantic asks for this one before Python 3.12

_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$"
Timestamp = Annotated[str, Field(pattern=_TIME)]
Count = Annotated[int, Field(ge=0)]
_OPEN = ConfigDict(extra="allow")  # a newer version's field is not corruption
_EXPECTED = {
    "string_type": "a string",
    "string_pattern_mismatch": "a time like 2026-02-13T14:30:00Z",
    "list_type": "a list",
    "dict_type": "an object",
    "int_type": "a whole number",
    "json_type": "JSON",
}


@with_config(_OPEN)
class RoutingRow(TypedDict):
    timestamp: Timestamp
    request_hash: str
    agent: str
    result: str  # pending, success, error


@with_config(_OPEN)
class CachedResult(TypedDict):
    query: str
    results: list[Any]  # Any: whatever the agent found, in JSON
    timestamp: Timestamp


@with_config(_OPEN)
class WorkItem(TypedDict):
    id: str
    queued_at: Timestamp


@with_config(_OPEN)
class Edit(TypedDict):
    file: str
    tool: str
    timestamp: str


@with_config(_OPEN)
class Context(TypedDict):
    active_files: list[str]
    recent_edits: list[Edit]
    user_preferences: dict[str, Any]  # Any: settings of this version and of others


class Position(TypedDict):
    """How far a log has been read; the digests tell the same log from another, wherever it was copied to."""

    offset: Count
    first: str
    last: str
    last_size: Count


class Fold(TypedDict):
    """What the next fold needs to know."""

    position: Position
    pending: dict[str, int]  # prompt id → number of its row, counted from the first ever
    ended: dict[str, str]  # prompt id → result that came before its row
    transcript: str | None


@with_config(_OPEN)
class SessionState(TypedDict):
    session_id: str
    created_at: Timestamp
    updated_at: Timestamp
    project_root: str
    routing_history: list[RoutingRow]
    cached_results: dict[str, CachedResult]
    work_queue: list[WorkItem]
    context: Context
    dropped: NotRequired[dict[str, Count]]
    fold: NotRequired[Fold]


_ADAPTER = TypeAdapter(SessionState)


def problems(value: object) -> list[str]:
    """One line for each field that is not as it should be."""
    try:
        _ADAPTER.validate_python(value, strict=True)
    except ValidationError as error:
        return [_complaint(item) for item in error.errors(include_url=False)]
    return []


def parse(raw: bytes) -> SessionState | None:
    """None for anything that is not a session's state."""
    try:
        return _ADAPTER.validate_python(orjson.loads(raw), strict=True)
    except (orjson.JSONDecodeError, ValidationError):
        return None


def is_time(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(_TIME, value) is not None


def schema() -> dict[str, Any]:  # Any: JSON Schema as pydantic makes it
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | _ADAPTER.json_schema()


def _complaint(item: ErrorDetails) -> str:
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in item["loc"]).lstrip(".")
    if item["type"] == "missing":
        return f"{where}: is missing"
    expected = _EXPECTED.get(item["type"])
    message = f"expected {expected}" if expected else item["msg"][:1].lower() + item["msg"][1:]
    got = orjson.dumps(item["input"], default=str).decode()
    return f"{where or 'the document'}: {message}, got {got if len(got) <= 60 else got[:57] + '...'}"
