"""Lines of a client's transcript to messages that were served. Nothing in a line can make this raise.

An assistant's line does not name its prompt: the nearest user's line before it in its chain of parents does.
"""

import zlib
from collections.abc import Mapping
from itertools import groupby
from typing import NamedTuple

import orjson

from metrics.lines import json_object, utc
from state.store import Served

WINDOW = 128  # lines back that a parent is looked for: sessions that write one file at once interleave
_KEY_CHARS = 16  # of a line's uuid
TAIL_BYTES = 64
_MOST = 1 << 53  # no count of tokens is that large, and no database refuses it
_SYNTHETIC = "<synthetic>"
_MADE_BY_MOD = "msg_hook_"  # an answer that a mod gave, under the session's model
_ERROR = "api_error"
_FALLBACKS = ("model_fallback", "model_refusal_fallback")


class Source(NamedTuple):
    """What is known of a transcript beside its lines."""

    session: str
    since: str  # what is older was copied into it, or is not known to be its own
    agent_id: str | None = None
    tool_use_id: str | None = None
    agent_type: str | None = None
    spawn_model: str | None = None
    parent_agent_id: str | None = None


class _Turn(NamedTuple):
    """What a line hands down to those that follow it."""

    prompt_id: str | None
    fallback_from: str | None = None
    after_error: bool = False  # until a model answers


_NO_TURN = _Turn(None)


def parse(stretch: bytes, carried: str | None, source: Source) -> tuple[list[Served], int, str | None]:
    thread = _Thread(carried)
    rows: dict[tuple[str, bool, bool, str | None], Served] = {}
    bad = 0
    for line in stretch.split(b"\n"):
        if b'"parentUuid"' not in line:  # what the client keeps for itself: requests, queues, costs
            continue
        entry = json_object(line)
        row = None if entry is None else _message(entry, thread.follow(entry), source)
        if row is not None:
            key = row.message_id, row.is_copy, row.is_sidechain, row.agent_id
            rows[key] = _joined(rows[key], row) if key in rows else row
        elif entry is None or entry.get("type") == "assistant":
            bad += 1
    return list(rows.values()), bad, thread.carried(stretch)


def ends_as(carried: str, data: bytes) -> bool:
    """Whether `data`, the bytes before a position, end as what was read then."""
    size, digest = orjson.loads(carried)["tail"]
    return zlib.crc32(data[-size:]) == int(digest)


class _Thread:
    """The last lines of a transcript and the turn of each."""

    def __init__(self, carried: str | None) -> None:
        known = orjson.loads(carried)["turns"] if carried else []
        self._turns = {key: _Turn(*turn) for *turn, keys in known for key in keys}
        self._last = next(reversed(self._turns.values()), _NO_TURN)

    def follow(self, entry: Mapping[str, object]) -> _Turn:
        parent = entry.get("parentUuid")
        turn = self._turns.get(parent[:_KEY_CHARS], self._last) if isinstance(parent, str) else _NO_TURN
        own = entry.get("promptId")
        if isinstance(own, str) and own:
            turn = turn if own == turn.prompt_id else _Turn(own)
        if entry.get("subtype") in _FALLBACKS:
            turn = turn._replace(fallback_from=_text(entry, "originalModel"))
        if entry.get("subtype") == _ERROR:
            turn = turn._replace(after_error=True)
        is_answer = entry.get("type") == "assistant"
        self._keep(entry.get("uuid"), turn._replace(after_error=False) if is_answer else turn)
        return turn

    def carried(self, stretch: bytes) -> str:
        groups = groupby(self._turns.items(), key=lambda item: item[1])
        turns = [[*turn, [key for key, _ in items]] for turn, items in groups]
        tail = stretch[-TAIL_BYTES:]
        return orjson.dumps({"tail": [len(tail), zlib.crc32(tail)], "turns": turns}).decode()

    def _keep(self, uuid: object, turn: _Turn) -> None:
        if not isinstance(uuid, str):
            return
        self._last = turn
        self._turns.pop(uuid[:_KEY_CHARS], None)
        self._turns[uuid[:_KEY_CHARS]] = turn
        if len(self._turns) > WINDOW:
            del self._turns[next(iter(self._turns))]


def _message(entry: Mapping[str, object], turn: _Turn, source: Source) -> Served | None:
    message, ts = _record(entry, "message"), utc(entry.get("timestamp"))
    key = _text(message, "id") or _text(entry, "requestId") or _text(entry, "uuid")
    if entry.get("type") != "assistant" or key is None or ts is None:
        return None
    model, usage = _text(message, "model"), _record(message, "usage")
    is_made = model == _SYNTHETIC or key.startswith(_MADE_BY_MOD) or entry.get("isApiErrorMessage") is True
    # A fork's first lines are its origin's: they follow no prompt here, name where they are from, or are too old.
    is_copy = turn.prompt_id is None or "forkedFrom" in entry or ts < source.since
    return Served(
        message_id=key,
        session=source.session,
        prompt_id=None if is_copy else turn.prompt_id,
        agent_id=_text(entry, "agentId") or source.agent_id,
        tool_use_id=source.tool_use_id,
        agent_type=source.agent_type or _text(entry, "attributionAgent"),
        requested=_text(entry, "requestedModel"),
        served=None if is_made else model,
        ts=ts,
        input_tokens=_count(usage, "input_tokens"),
        output_tokens=_count(usage, "output_tokens"),
        cache_read_tokens=_count(usage, "cache_read_input_tokens"),
        cache_write_tokens=_count(usage, "cache_creation_input_tokens"),
        effort=_text(entry, "effort"),
        is_sidechain=entry.get("isSidechain") is True or source.agent_id is not None,
        is_copy=is_copy,
        fallback_from=turn.fallback_from,
        after_error=turn.after_error,
        spawn_model=source.spawn_model,
        parent_agent_id=source.parent_agent_id,
    )


def _joined(first: Served, later: Served) -> Served:
    """Each line of a message repeats its usage, as far as it was known then."""
    return first._replace(
        input_tokens=max(first.input_tokens, later.input_tokens),
        output_tokens=max(first.output_tokens, later.output_tokens),
        cache_read_tokens=max(first.cache_read_tokens, later.cache_read_tokens),
        cache_write_tokens=max(first.cache_write_tokens, later.cache_write_tokens),
    )


def _record(entry: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = entry.get(name)
    return value if isinstance(value, dict) else {}


def _text(entry: Mapping[str, object], name: str) -> str | None:
    value = entry.get(name)
    return value if isinstance(value, str) and value else None


def _count(usage: Mapping[str, object], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST else 0
