"""A prompt of a session in which a task is worked on: the phase's goal, and what is missing of it.

The goal is text from a file of the repository: cut, on one line, and quoted as what it is.
"""

import posix

from orchestrate.request.call import Call
from state import codec
from state.paths import session_dir

_MOST = 399
_NAMES_MOST = 80


def told(call: Call, path: str, nonce: str) -> tuple[str, str]:
    """The task's code, and the line for the model; both empty where no task is worked on in this session."""
    entry = _own(codec.load(path).get("tasks"), call.session)
    code = _plain(entry.get("task"), 64)
    if not code:
        return "", ""
    start = f"[orchestrate {nonce}] Task {code}: phase {_plain(entry.get('phase'), 32)}"
    position, missing = _plain(entry.get("position"), 16), _names(_missing(call, entry))
    start += f" ({position}). " if position else ". "
    end = f" Missing: {missing}." if missing else " Its files are there." if entry.get("required") else ""
    end += f" When it is done: {_plain(entry.get('command'), 130)}"
    goal = _plain(entry.get("goal"), _MOST - len(start) - len(end) - 44).replace('"', "'")
    return code, f'{start}Its goal, quoted from workflow.yaml: "{goal}".{end}'[:_MOST]


def _own(entries: object, session: str) -> dict[str, object]:
    """The task of this session that was touched last, else the last one that is nobody's."""
    found: dict[str, object] = {}
    for entry in reversed(entries) if isinstance(entries, list) else ():
        if isinstance(entry, dict):
            client = entry.get("client")
            if client == session:
                return entry
            if not client and not found:
                found = entry
    return found


def _missing(call: Call, entry: dict[str, object]) -> list[str]:
    required, recorded = entry.get("required"), entry.get("recorded")
    if not isinstance(required, list):
        return []
    known = recorded if isinstance(recorded, dict) else {}
    since = entry.get("since")
    since = since if isinstance(since, (int, float)) else 0.0
    folder = f"{session_dir(call.place, str(entry.get('key')))}/artifacts/"
    root = call.place.root.rstrip("/") + "/"
    top = entry.get("root")
    top = (top if isinstance(top, str) else "").rstrip("/") + "/"  # of the worktree that the command was called in
    lacking = []
    for name in required:
        if isinstance(name, str) and not (
            _is_there(folder + name, 0.0)
            or _is_there(top + name, since)
            or (top != root and _is_there(root + name, since))
            or (isinstance(known.get(name), str) and _is_there(_joined(root, known[name]), 0.0))
        ):
            lacking.append(name)
    return lacking


def _joined(root: str, path: str) -> str:
    return path if path[:1] == "/" else root + path


def _is_there(path: str, since: float) -> bool:
    try:
        found = posix.stat(path)
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return False
    return found.st_mode & 0o170000 == 0o100000 and found.st_size > 0 and found.st_mtime >= since


def _names(missing: list[str]) -> str:
    shown = ""
    for number, name in enumerate(missing):
        longer = shown + (", " if shown else "") + _plain(name, _NAMES_MOST - 16)
        if len(longer) > _NAMES_MOST - 16:
            return f"{shown} and {len(missing) - number} more"
        shown = longer
    return shown


def _plain(value: object, most: int) -> str:
    text = value[: max(0, most)] if isinstance(value, str) else ""
    return "".join(char if char.isprintable() else " " for char in text)
