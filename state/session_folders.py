"""The folders of sessions: when each was last used, which is current, and removing the old."""

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from state import files, log_position, sessions
from state.journal import stamp
from state.paths import Place, session_dir


class Listed(NamedTuple):
    session_id: str
    updated_at: str
    size_bytes: int
    current: bool


def listed(place: Place) -> list[Listed]:
    """The one used last first."""
    current = sessions.current(place)
    used = {name: last_used(place, name) for name in sessions.known(place)}
    return [
        Listed(name, stamp(used[name]), _size(place, name), name == current)
        for name in sorted(used, key=lambda name: used[name], reverse=True)
    ]


def switch(place: Place, name: str) -> None:
    files.replace(f"{place.state}/current", f"{name}\n".encode())


def idle(place: Place, since: float, spared: Collection[str]) -> list[str]:
    """Sessions that recorded nothing after `since`."""
    return [name for name in sessions.known(place) if name not in spared and last_used(place, name) < since]


def remove(place: Place, name: str, since: float) -> bool:
    """False when somebody used it meanwhile, and it stays."""
    if last_used(place, name) >= since:
        return False
    folder = session_dir(place, name)
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise files.failure(folder, error, "remove") from error
    return True


def last_used(place: Place, name: str) -> float:
    """When its log was written last; a folder without one tells its own time."""
    folder = session_dir(place, name)
    return max(Path(path).stat().st_mtime for path in log_position.logs(folder) or [folder])


def _size(place: Place, name: str) -> int:
    return sum(path.stat().st_size for path in Path(session_dir(place, name)).rglob("*") if path.is_file())
