"""What a value may be on its way into any database: PostgreSQL holds no NUL, and no driver a lone surrogate."""

import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import orjson

from state.errors import UserError
from state.store.engine import Values

MENDED = (
    "restore a copy of it, or move it away: reports read the logs again, but tasks, bugs, knowledge and queued work"
    " are in a copy alone"
)
CHANGED = f"the store was changed by hand: {MENDED}"

Object = dict[str, Any]  # Any: as JSON is
_KEY_BYTES = 512
_MOST_BYTES_OF_A_SIGN = 4
UNKNOWN = "\ufffd"  # REPLACEMENT CHARACTER
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_NUL_IN_JSON = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")  # after an even number of backslashes it is an escape


def storable(values: Values) -> Values:
    if isinstance(values, Mapping):
        return {name: _storable(value) for name, value in values.items()}
    return [_storable(value) for value in values]


def key(text: str) -> str:
    """A text that an index holds: PostgreSQL's take about 2,700 bytes for all that a row brings along."""
    if len(text) * _MOST_BYTES_OF_A_SIGN <= _KEY_BYTES:
        return text
    raw = text.encode("utf-8", "replace")
    if len(raw) <= _KEY_BYTES:
        return text
    digest = blake2b(raw, digest_size=16).hexdigest()
    return f"{raw[: _KEY_BYTES - len(digest) - 1].decode(errors='ignore')}~{digest}"


def storable_json(text: str) -> str:
    """A NUL that is written as an escape would come out of any function that reads the JSON."""
    return _NUL_IN_JSON.sub(rf"\1{UNKNOWN}", text) if "\\u0000" in text else text


def _storable(value: object) -> object:
    if isinstance(value, str):
        # An ASCII string has no surrogate: what nearly every value is costs two looks.
        return value if value.isascii() and "\0" not in value else _UNSTORABLE.sub(UNKNOWN, value)
    return int(value) if isinstance(value, bool) else value


def json_object(where: str, what: str, text: str, is_sound: Callable[[Object], bool] | None = None) -> Object:
    """A column that holds an object, as only we write it."""
    found = json_value(where, what, text)
    if not isinstance(found, dict) or (is_sound and not is_sound(found)):
        raise UserError(f"{where}: {what} is not as it was written: {CHANGED}")
    return found


def json_value(where: str, what: str, text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise UserError(f"{where}: {what} is not as it was written: {CHANGED}") from None


def check_numbers(where: str, table: str, found: Sequence[object]) -> None:
    """SQLite keeps whatever somebody writes into a column."""
    for value in found:
        if not isinstance(value, int):
            raise UserError(f"{where}: {table}: {str(value)[:40]!r} stands where a number belongs: {CHANGED}")
