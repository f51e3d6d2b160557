"""Which sessions there are, and which one is meant."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from state.errors import NOT_FOUND, UserError
from state.paths import Place, safe_session


def choose(place: Place, given: str | None, env: Mapping[str, str]) -> str | None:
    """--session, ORCHESTRATOR_SESSION, `current`; None when nothing names one."""
    return given or env.get("ORCHESTRATOR_SESSION") or current(place)


def current(place: Place) -> str | None:
    try:
        return Path(place.state, "current").read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def new_id(now: float) -> str:
    return time.strftime("%Y%m%d-%H%M%S", time.gmtime(now)) + "-" + os.urandom(4).hex()


def known(place: Place) -> list[str]:
    try:
        with os.scandir(f"{place.state}/sessions") as entries:
            return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return []


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
