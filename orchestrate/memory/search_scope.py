"""Where to search: a session, a task, a sprint or the whole project; what is unknown is never taken for all."""

from collections.abc import Sequence
from typing import NamedTuple

from state import codec, snapshot
from state.errors import NOT_FOUND, USAGE, UserError
from state.paths import Place
from state.store import Store
from state.store.search_terms import Scope
from state.store.task_records import Task

KINDS = ("session", "task", "sprint", "project")
_NAMED = 5  # at most, in a line for the user


class Where(NamedTuple):
    kind: str
    id: str
    scope: Scope


def where(place: Place, store: Store, kind: str, given: str | None, session: str | None) -> Where:
    """`session`: the current one. Without an id it is that one, the task that is worked on, and that task's sprint."""
    if kind == "project":
        return Where(kind, given or "", Scope())
    if kind == "session":
        name = _session(store, given or session)
        return Where(kind, name, Scope(sessions=(name,)))
    if kind == "task":
        code = _known_task(store, given) if given else _active(place, store, session).code
        return Where(kind, code, Scope(tasks=(code,)))
    sprint = store.sprints.one(given or _active_sprint(place, store, session)).code
    return Where(kind, sprint, Scope(tasks=tuple(task.code for task in store.tasks.listed(sprint))))


def _session(store: Store, given: str | None) -> str:
    """By its id or the unique beginning of one."""
    if not given or given == "-":
        raise UserError("no session is current: give --id SESSION, or --scope project", USAGE)
    found = store.search.sessions_beginning(given, 2)
    if not found:
        raise UserError(f"session {given!r}: no event is of it: see `orchestrate session list`", NOT_FOUND)
    if found[0] != given and len(found) > 1:
        raise UserError(f"session {given!r}: several sessions begin so: give more of the id", NOT_FOUND)
    return found[0]


def _known_task(store: Store, code: str) -> str:
    """A task, or a code that events have although no task was made of it."""
    return code if store.search.is_task_told(code) else store.tasks.one(code).code


def _active(place: Place, store: Store, session: str | None) -> Task:
    """The one of this session, else the one that is worked on at all."""
    active = {task.code: task for task in store.tasks.listed() if _session_of(task).get("active")}
    own = [code for code in _worked_on(place, session) if code in active]
    own += [code for code, task in active.items() if _session_of(task)["session_key"] == session]
    chosen = own[:1] or list(active)
    if len(chosen) == 1:
        return active[chosen[0]]
    raise UserError(_which(list(active.values())), USAGE)


def _worked_on(place: Place, session: str | None) -> list[str]:
    """The tasks of the client's session, the one touched last first."""
    kept = codec.load(snapshot.phase_file(place)).get("tasks")
    entries = [entry for entry in kept if isinstance(entry, dict)] if isinstance(kept, list) else []
    return [str(entry.get("task")) for entry in reversed(entries) if session and entry.get("client") == session]


def _which(active: Sequence[Task]) -> str:
    if not active:
        return "no task is being worked on: give --id TSK-001, or --scope project"
    codes = ", ".join(task.code for task in active[:_NAMED])
    return f"{len(active)} tasks are being worked on ({codes}): give --id with one of them, or --scope project"


def _session_of(task: Task) -> dict[str, object]:
    found = task.metadata.get("session")
    return found if isinstance(found, dict) else {}


def _active_sprint(place: Place, store: Store, session: str | None) -> str:
    task = _active(place, store, session)
    if task.sprint is None:
        raise UserError(f"{task.code} is in no sprint: give --id SPR-001, or --scope task", USAGE)
    return task.sprint
