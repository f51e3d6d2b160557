"""A session's state.json: the fold of its log, brought up to date whenever the cold side looks at it."""

import time
from contextlib import AbstractContextManager

import orjson

from state import compiled, fold, journal, locks, log_position, recovery, snapshot, transcript
from state.errors import NOT_FOUND, UserError
from state.paths import Place, session_dir
from state.session_schema import Edit, SessionState

FILES_SHOWN = 20
PREFERENCES = ("mode", "enforcement", "record_prompts", "rollout.enabled", "rollout.stage")


def refresh(place: Place, session: str) -> SessionState:
    """Fold what the log has gained, exactly once; a damaged file is set aside and made again."""
    with _locked(place, session):
        return _brought_up_to_date(place, session, recovery.read(place, session))


def load(place: Place, session: str) -> SessionState:
    """The state of a session that exists."""
    folder = session_dir(place, session)
    if not (log_position.logs(folder) or recovery.exists(folder) or recovery.newest_backup(folder)):
        raise UserError(f"session {session!r}: nothing is recorded of it", NOT_FOUND)
    return refresh(place, session)


def restore(place: Place, session: str, number: int | None = None) -> SessionState:
    """Start again from a backup, or from nothing, and fold the log from there; the file there was is kept aside."""
    folder = session_dir(place, session)
    with _locked(place, session):
        start = None if number is None else recovery.require_backup(folder, number)
        if recovery.exists(folder):
            recovery.set_aside(place, session, "replaced")
        return _brought_up_to_date(place, session, start)


def _locked(place: Place, session: str) -> AbstractContextManager[None]:
    return locks.hold(f"{session_dir(place, session)}/lock", compiled.lock_timeout_s(place))


def _brought_up_to_date(place: Place, session: str, stored: SessionState | None) -> SessionState:
    folder = session_dir(place, session)
    before = orjson.dumps(stored)
    state = stored or fold.empty(session, place.root, journal.stamp(time.time()))
    state = _folded(folder, state)
    state["project_root"] = place.root
    _observe(place, state)
    fold.trim(state)
    if orjson.dumps(state) != before or not recovery.exists(folder):
        recovery.store(folder, state)
    return state


def _folded(folder: str, state: SessionState) -> SessionState:
    logs = log_position.logs(folder)
    position = fold.bookkeeping(state)["position"]
    unread = log_position.unread(logs, position)
    if unread is None:  # the log was cut: the state is what it still tells
        state = fold.empty(state["session_id"], state["project_root"], state["updated_at"])
        position, unread = fold.bookkeeping(state)["position"], logs
    for path in unread:
        for line in log_position.lines(path, position):
            fold.fold_line(state, line)
    return state


def _observe(place: Place, state: SessionState) -> None:
    """What the log does not tell: the files worked on, and what the user prefers."""
    context = state["context"]
    values = snapshot.read(place, {}).values
    context["user_preferences"] = {key: values[key] for key in PREFERENCES}
    path = fold.bookkeeping(state)["transcript"]
    touches = transcript.touches(path, place.root) if path else None
    if touches is None:
        return
    newest = touches[::-1]
    context["active_files"] = list(dict.fromkeys(touch.file for touch in newest))[:FILES_SHOWN]
    edits = [Edit(file=touch.file, tool=touch.tool, timestamp=touch.timestamp) for touch in newest if touch.is_edit]
    context["recent_edits"] = edits[:FILES_SHOWN]
