"""Which sessions there are, and which one is meant."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from state import files
from state.errors import NOT_FOUND, UserError
from state.paths import LOG, Place, safe_session


def choose(place: Place, given: str | None, env: Mapping[str, str]) -> str | None:
    """--session, ORCHESTRATOR_SESSION, `current`; None when nothing names one."""
    return given or env.get("ORCHESTRATOR_SESSION") or current(place)


def current(place: Place) -> str | None:
    try:
        return (files.read(f"{place.state}/current") or b"").decode().strip() or None
    except (UserError, UnicodeDecodeError):
        return None


def new_id(now: float) -> str:
    return time.strftime("%Y%m%d-%H%M%S", time.gmtime(now)) + "-" + os.urandom(4).hex()


def known(place: Place) -> list[str]:
    """Folders that hold what a session leaves; a link, and what lies behind it, is nothing of ours."""
    folder = f"{place.state}/sessions"
    if Path(folder).is_symlink():
        return []
    try:
        with os.scandir(folder) as entries:
            folders = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    return sorted(entry.name for entry in folders if _is_one(entry.path))


def _is_one(folder: str) -> bool:
    return any(os.path.lexists(f"{folder}/{name}") for name in ("log.jsonl", "state.json", "meta.json"))


def last_used(place: Place) -> str | None:
    """The session whose log was written last."""
    logs = [(Path(place.state, "sessions", name, LOG), name) for name in known(place)]
    written = [(log.stat().st_mtime, name) for log, name in logs if log.is_file()]
    return max(written)[1] if written else None


def find(place: Place, name: str) -> str:
    """The session of this id, or of this unique beginning of one."""
    names = known(place)
    safe = safe_session(name)
    if safe in names:
        return safe
    found = [each for each in names if each.startswith(name)] if name else []
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"session {name!r}: {len(found)} sessions begin so: give more of the id", NOT_FOUND)
    raise UserError(f"session {name!r}: there is none: see `orchestrate session list`", NOT_FOUND)
