"""A task and a sprint as the store takes and gives them. A code is the user's own, and case-sensitive."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

Metadata = Mapping[str, Any]  # Any: JSON, and partly the user's own keys

TASK_STATUSES = ("pending", "in_progress", "completed", "blocked")
SPRINT_STATUSES = ("planning", "active", "completed", "on_hold")
PRIORITIES = ("P0", "P1", "P2", "P3")


_SESSION = (("session_key", str), ("started_at", str), ("current_phase", str), ("active", bool))
_LISTS = {"commits": ("hash", "phase"), "approvals": ("session_key", "phase"), "phase_overrides": ()}


class Task(NamedTuple):
    """`metadata`: type, session, phase_overrides, commits, pull_request, artifacts, acceptance_criteria, tags,
    estimated_effort, and what the user adds."""

    code: str
    title: str
    description: str
    sprint: str | None
    status: str
    priority: str
    metadata: Metadata
    created_at: str
    updated_at: str


class Sprint(NamedTuple):
    code: str
    title: str
    status: str
    metadata: Metadata
    created_at: str
    updated_at: str


class TaskSession(NamedTuple):
    """One that a task has had. `outcome`: None while it is active, then completed, forced or replaced."""

    session_key: str
    task: str
    started_at: str
    ended_at: str | None
    outcome: str | None


def is_sound(metadata: Metadata) -> bool:
    """What commands rely on; the user's own keys may hold anything."""
    entries = metadata.get("artifacts", {})
    return (
        _is_session(metadata.get("session"))
        and isinstance(metadata.get("pull_request", {}), dict)
        and all(_is_list(metadata.get(name, []), needed) for name, needed in _LISTS.items())
        and isinstance(entries, dict)
        and _is_list([*entries.values()], ())
    )


def _is_session(found: object) -> bool:
    """Each field that it has is of its kind; whether it has them all is asked where it is gone on with."""
    if found is None:
        return True
    if not isinstance(found, dict) or not all(isinstance(found.get(name, kind()), kind) for name, kind in _SESSION):
        return False
    return _is_list(found.get("phase_history", []), ("phase",)) and _is_time(found.get("started_at", "2000-01-01"))


def _is_list(found: object, needed: tuple[str, ...]) -> bool:
    return isinstance(found, list) and all(isinstance(one, dict) and {*needed} <= set(one) for one in found)


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
