"""A row for each machine that runs workflows on a shared PostgreSQL: when it was last heard of, by that one's clock."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

_SCHEMA = "orchestrate_engine"
_LOCK = 0x0FC8E57A  # of those that bury: one at a time
_PREPARE = f"""
CREATE SCHEMA IF NOT EXISTS {_SCHEMA};
CREATE TABLE IF NOT EXISTS {_SCHEMA}.machines (executor text PRIMARY KEY, beat_at timestamptz NOT NULL)
"""
_BEGIN = f"""
INSERT INTO {_SCHEMA}.machines VALUES (%s, clock_timestamp())
ON CONFLICT (executor) DO UPDATE SET beat_at = clock_timestamp()
"""  # noqa: S608  the schema's name is ours
_BEAT = f"UPDATE {_SCHEMA}.machines SET beat_at = clock_timestamp() WHERE executor = %s"  # noqa: S608  as above
_SILENT = f"""
SELECT executor FROM {_SCHEMA}.machines
WHERE executor <> %s AND beat_at < clock_timestamp() - make_interval(secs => %s)
"""  # noqa: S608  as above
_DROP = f"DELETE FROM {_SCHEMA}.machines WHERE executor = %s"  # noqa: S608  as above
_TIMEOUT_S = 5


class Leases:
    """Each call on a connection of its own: one that is kept would have to be mended when the database was away."""

    def __init__(self, url: str) -> None:
        self._url = url

    def begin(self, executor: str) -> None:
        with self._connected() as db:
            db.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            db.execute(_PREPARE)
            db.execute(_BEGIN, (executor,))

    def beat(self, executor: str) -> bool | None:
        """False where this machine has been buried meanwhile, None where the database is away."""
        import psycopg  # noqa: PLC0415  only where there is a PostgreSQL

        try:
            with self._connected() as db:
                return db.execute(_BEAT, (executor,)).rowcount == 1
        except psycopg.OperationalError:
            return None

    def bury(self, executor: str, dead_s: float, take_over: Callable[[str], object]) -> None:
        """`take_over` is called with each that has been silent for so long, by one machine at a time."""
        import psycopg  # noqa: PLC0415  as above

        try:
            with self._connected() as db:
                found = db.execute("SELECT pg_try_advisory_xact_lock(%s)", (_LOCK,)).fetchone()
                if not found or not found[0]:
                    return
                for (silent,) in db.execute(_SILENT, (executor, dead_s)).fetchall():
                    take_over(str(silent))
                    db.execute(_DROP, (silent,))
        except psycopg.OperationalError:  # the next beat tries again
            return

    def drop(self, executor: str) -> None:
        import psycopg  # noqa: PLC0415  as above

        try:
            with self._connected() as db:
                db.execute(_DROP, (executor,))
        except psycopg.OperationalError:  # it is buried by another, with nothing to take over
            return

    def _connected(self) -> "psycopg.Connection[tuple[object, ...]]":
        import psycopg  # noqa: PLC0415  as above

        return psycopg.connect(self._url, connect_timeout=_TIMEOUT_S)
