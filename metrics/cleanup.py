"""Forgetting what is older than it has to be: facts of the store, and logs of sessions that ended before."""

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from metrics.days import stamp
from metrics.logs import Log, event_logs
from state.errors import UserError
from state.paths import Place, safe_session
from state.sessions import current
from state.store import Kept, Position, Store


class Removed(NamedTuple):
    facts: Kept
    logs: list[str]


def clean(place: Place, store: Store, cutoff: str, dry_run: bool) -> Removed:
    """Everything before `cutoff`; a dry run only tells. The logs have to be ingested before."""
    logs = old_logs(place, store.positions(), cutoff)
    if dry_run:
        return Removed(store.count_before(cutoff), logs)
    for path in logs:
        _remove(path)
    return Removed(store.forget_before(cutoff), logs)


def old_logs(place: Place, positions: dict[tuple[str, str], Position], cutoff: str) -> list[str]:
    """Those that tell nothing since; never that of the current session."""
    sessions: dict[str, list[Log]] = {}
    for log in event_logs(place):
        sessions.setdefault(log.name, []).append(log)
    live = current(place)
    if live is not None:
        sessions.pop(f"sessions/{safe_session(live)}", None)
    old = [logs for logs in sessions.values() if all(_last(log, positions) < cutoff for log in logs)]
    return [log.path for logs in old for log in logs]


def _last(log: Log, positions: dict[tuple[str, str], Position]) -> str:
    """When a log told something last; where its events do not tell, when it was written."""
    position = positions.get((log.name, log.inode))
    if position is not None and position.last_ts is not None and position.read_bytes == log.size:
        return position.last_ts
    return stamp(datetime.fromtimestamp(Path(log.path).stat().st_mtime, UTC))


def _remove(path: str) -> None:
    try:
        Path(path).unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}: check the owner and the permissions of its folder") from error
