"""The time that claims are measured by: the database's own, so that no two machines have to agree on theirs.

PostgreSQL gives the server's. A SQLite file belongs to one machine, and so does its clock.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from state.errors import UserError
from state.store.engine import Engine
from state.store.values import CHANGED

Clock = Callable[[], str]  # UTC text with milliseconds, as every timestamp
_MILLISECOND = timedelta(milliseconds=1)
_LAST = datetime.max.replace(tzinfo=UTC)


def of(engine: Engine) -> Clock:
    return lambda: str(engine.rows("clock")[0][0])


def later(ts: str, seconds: float) -> str:
    then = _read(ts)
    moved = then + min(timedelta(seconds=seconds), _LAST - then)
    return moved.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def between_ms(since: str, until: str) -> int:
    """Never less than nothing: a clock may have been set back."""
    return max(0, (_read(until) - _read(since)) // _MILLISECOND)


def _read(ts: str) -> datetime:
    try:
        return datetime.fromisoformat(ts).astimezone(UTC)
    except (TypeError, ValueError):
        raise UserError(f"the store's claims: {str(ts)[:40]!r} stands where a time belongs: {CHANGED}") from None
