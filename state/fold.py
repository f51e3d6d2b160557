"""Events of a session's log, one after the other, into the session's state."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import cast

import orjson

from state.log_position import start
from state.session_schema import Fold, RoutingRow, SessionState, WorkItem, is_time

HISTORY_ROWS = 10_000
CACHE_BYTES = 2 << 20
QUEUE_BYTES = 2 << 20
EARLY_RESULTS = 100
_LONE_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")  # orjson takes none; what the hook logs may have one

Event = Mapping[str, object]


def empty(session: str, project_root: str, now: str) -> SessionState:
    return {
        "session_id": session,
        "created_at": now,
        "updated_at": now,
        "project_root": project_root,
        "routing_history": [],
        "cached_results": {},
        "work_queue": [],
        "context": {"active_files": [], "recent_edits": [], "user_preferences": {}},
        "dropped": {"routing_history": 0, "cached_results": 0, "work_queue": 0},
        "fold": {"position": start(), "pending": {}, "ended": {}, "transcript": None},
    }


def fold_line(state: SessionState, line: bytes) -> None:
    """A line that is no event is passed over: the log is append-only and nobody can mend it."""
    event = _parsed(line)
    if isinstance(event, dict) and isinstance(event.get("payload"), dict) and is_time(event.get("ts")):
        fold(state, event)


def fold(state: SessionState, event: Event) -> None:
    at = _text(event, "ts")
    state["created_at"] = min(state["created_at"], at)
    state["updated_at"] = at
    apply = _FOLDS.get(_text(event, "type"))
    if apply:
        apply(state, event)


def trim(state: SessionState) -> None:
    """Keep the newest of everything within its bound, and count what went; the log has it all."""
    gone, history, cached = dropped(state), state["routing_history"], state["cached_results"]
    rows = max(0, len(history) - HISTORY_ROWS)
    answers = _excess([*cached.values()], CACHE_BYTES)
    items = _excess(state["work_queue"], QUEUE_BYTES)
    del history[:rows]
    del state["work_queue"][:items]
    for key in [*cached][:answers]:
        del cached[key]
    gone["routing_history"] += rows
    gone["cached_results"] += answers
    gone["work_queue"] += items
    book = bookkeeping(state)
    book["pending"] = {prompt: row for prompt, row in book["pending"].items() if row >= gone["routing_history"]}
    book["ended"] = dict([*book["ended"].items()][-EARLY_RESULTS:])


def dropped(state: SessionState) -> dict[str, int]:
    return state.setdefault("dropped", {"routing_history": 0, "cached_results": 0, "work_queue": 0})


def bookkeeping(state: SessionState) -> Fold:
    """A file that came from elsewhere has none yet."""
    return state.setdefault("fold", empty("", "", "")["fold"])


def _started(state: SessionState, event: Event) -> None:
    transcript = _text(_payload(event), "transcript_path")
    if transcript:
        bookkeeping(state)["transcript"] = transcript


def _decided(state: SessionState, event: Event) -> None:
    book, prompt = bookkeeping(state), _text(event, "prompt_id")
    result = book["ended"].pop(prompt, "pending")
    if result == "pending" and prompt:
        book["pending"][prompt] = dropped(state)["routing_history"] + len(state["routing_history"])
    row: RoutingRow = {
        "timestamp": _text(event, "ts"),
        "request_hash": _text(_payload(event), "hash"),
        "agent": _text(_payload(event), "agent"),
        "result": result,
    }
    state["routing_history"].append(row)


def _ended(result: str) -> Callable[[SessionState, Event], None]:
    def apply(state: SessionState, event: Event) -> None:
        book, prompt = bookkeeping(state), _text(event, "prompt_id")
        if prompt not in book["pending"]:
            book["ended"][prompt] = result  # lines of two logs that became one may be out of order
            return
        index = book["pending"].pop(prompt) - dropped(state)["routing_history"]
        if index >= 0:
            state["routing_history"][index]["result"] = result

    return apply


def _ran(state: SessionState, event: Event) -> None:
    """An orchestrated request has no turn of the client: its run ends it."""
    _ended("success" if _payload(event).get("outcome") == "ok" else "error")(state, event)


def _queued(state: SessionState, event: Event) -> None:
    _finished(state, event)
    payload = {key: value for key, value in _payload(event).items() if key != "overhead_ms"}
    item = {**payload, "id": _text(payload, "id"), "queued_at": _text(event, "ts")}
    state["work_queue"].append(cast("WorkItem", item))  # cast: what else describes the work is its writer's own


def _finished(state: SessionState, event: Event) -> None:
    name = _text(_payload(event), "id")
    state["work_queue"] = [item for item in state["work_queue"] if item["id"] != name]


def _cached(state: SessionState, event: Event) -> None:
    payload, results = _payload(event), _payload(event).get("results")
    state["cached_results"].pop(_text(payload, "key"), None)
    state["cached_results"][_text(payload, "key")] = {
        "query": _text(payload, "query"),
        "results": results if isinstance(results, list) else [results],
        "timestamp": _text(event, "ts"),
    }


_FOLDS = {
    "orchestration.session.start": _started,
    "orchestration.prompt.decided": _decided,
    "orchestration.turn.end": _ended("success"),
    "orchestration.turn.failed": _ended("error"),
    "orchestration.run.finished": _ran,
    "orchestration.work.added": _queued,
    "orchestration.work.retried": _queued,
    "orchestration.work.completed": _finished,
    "orchestration.work.dead": _finished,
    "orchestration.result.cached": _cached,
}


def _excess(newest_last: Sequence[object], limit_bytes: int) -> int:
    """How many of the oldest must go so that the rest fits."""
    used = 0
    for kept, value in enumerate(reversed(newest_last)):
        used += len(orjson.dumps(value))
        if used > limit_bytes:
            return len(newest_last) - kept
    return 0


def _parsed(line: bytes) -> object:
    for candidate in (line, _LONE_SURROGATE.sub(rb"\\ufffd", line)):
        try:
            return orjson.loads(candidate)
        except orjson.JSONDecodeError:
            continue
    return None


def _payload(event: Event) -> Mapping[str, object]:
    payload = event["payload"]
    return payload if isinstance(payload, dict) else {}


def _text(values: Mapping[str, object], key: str) -> str:
    value = values.get(key)
    return value if isinstance(value, str) else ""
