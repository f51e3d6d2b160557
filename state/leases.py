"""A row for each machine that runs workflows on a shared PostgreSQL: when it was last heard of, by that one's clock."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
    """One connection is kept; where it has broken the next call makes another."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._db: psycopg.Connection[tuple[object, ...]] | None = None

    def begin(self, executor: str) -> None:
        with self._connected() as db, db.transaction():
            db.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            db.execute(_PREPARE)
            db.execute(_BEGIN, (executor,))

    def beat(self, executor: str) -> bool | None:
        """False where this machine has been buried meanwhile, None where the database is away."""
        with suppress(ConnectionError), self._connected() as db:
            return db.execute(_BEAT, (executor,)).rowcount == 1
        return None

    def bury(self, executor: str, dead_s: float, take_over: Callable[[str], object]) -> None:
        """`take_over` is called with each that has been silent for so long, by one machine at a time."""
        with suppress(ConnectionError), self._connected() as db:
            silent = db.execute(_SILENT, (executor, dead_s)).fetchall()
            if not silent:
                return
            with db.transaction():
                found = db.execute("SELECT pg_try_advisory_xact_lock(%s)", (_LOCK,)).fetchone()
                if not found or not found[0]:
                    return
                for (name,) in db.execute(_SILENT, (executor, dead_s)).fetchall():
                    take_over(str(name))
                    db.execute(_DROP, (name,))

    def drop(self, executor: str) -> None:
        """Where the database is away it is buried by another, with nothing to take over."""
        with suppress(ConnectionError), self._connected() as db:
            db.execute(_DROP, (executor,))

    @contextmanager
    def _connected(self) -> "Iterator[psycopg.Connection[tuple[object, ...]]]":
        import psycopg  # noqa: PLC0415  only where there is a PostgreSQL

        try:
            if self._db is None:
                self._db = psycopg.connect(self._url, autocommit=True, connect_timeout=_TIMEOUT_S)
            yield self._db
        except psycopg.OperationalError as error:
            if self._db is not None:
                self._db.close()
            self._db = None
            raise ConnectionError(str(error).strip()) from error
