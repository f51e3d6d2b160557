"""What machines on a shared PostgreSQL tell each other, by its clock: a row for each, when it was last heard of, and
a row for each agent that one of them runs, or has begun lately, so that limits hold over all of them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

_SCHEMA = "orchestrate_engine"
_MACHINES, _AGENTS = f"{_SCHEMA}.machines", f"{_SCHEMA}.agents"
_LOCK = 0x0FC8E57A  # of those that hand runs from machine to machine: one at a time
_ADMISSION = 0x0FC8E57B  # of those that want to begin an agent
_PREPARE = f"""
CREATE SCHEMA IF NOT EXISTS {_SCHEMA};
CREATE TABLE IF NOT EXISTS {_MACHINES} (executor text PRIMARY KEY, beat_at timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS {_AGENTS} (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    executor text NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    is_working boolean NOT NULL DEFAULT true
)
"""
_BEGIN = f"""
INSERT INTO {_MACHINES} VALUES (%s, clock_timestamp())
ON CONFLICT (executor) DO UPDATE SET beat_at = clock_timestamp()
"""  # noqa: S608  the names are ours
_BEAT = f"UPDATE {_MACHINES} SET beat_at = clock_timestamp() WHERE executor = %s"  # noqa: S608  as above
_SILENT = f"""
SELECT executor FROM {_MACHINES}
WHERE executor <> %s AND beat_at < clock_timestamp() - make_interval(secs => %s)
"""  # noqa: S608  as above
_DROP = f"DELETE FROM {_MACHINES} WHERE executor = %s"  # noqa: S608  as above
_FORGET = f"""
DELETE FROM {_AGENTS} WHERE NOT is_working AND begun_at < clock_timestamp() - make_interval(secs => %s)
"""  # noqa: S608  as above
_ADMIT = f"""
INSERT INTO {_AGENTS} (executor)
SELECT %(executor)s
WHERE EXISTS (SELECT FROM {_MACHINES} WHERE executor = %(executor)s)
AND (%(at_once)s = 0 OR %(at_once)s > (SELECT count(*) FROM {_AGENTS} WHERE is_working))
AND (%(most)s = 0 OR %(most)s > (
    SELECT count(*) FROM {_AGENTS} WHERE begun_at > clock_timestamp() - make_interval(secs => %(window_s)s)
))
RETURNING number
"""  # noqa: S608  as above
_OVER = f"UPDATE {_AGENTS} SET is_working = false WHERE number = ANY(%s)"  # noqa: S608  as above
_ALL_OVER = f"UPDATE {_AGENTS} SET is_working = false WHERE executor = %s AND is_working"  # noqa: S608  as above
_TIMEOUT_S = 5
# A network that swallows what is sent is noticed, here and there, before anybody is taken for dead.
_OPTIONS: dict[str, Any] = {  # Any: as psycopg takes them
    "connect_timeout": _TIMEOUT_S,
    "tcp_user_timeout": 1000 * _TIMEOUT_S,
    "keepalives_idle": _TIMEOUT_S,
    "keepalives_interval": 1,
    "options": f"-c idle_in_transaction_session_timeout={6 * _TIMEOUT_S}s -c lock_timeout={_TIMEOUT_S}s",
}


class Leases:
    """One connection is kept, for one thread; where it has broken the next call makes another."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._db: psycopg.Connection[tuple[object, ...]] | None = None

    def begin(self, executor: str) -> None:
        """What an earlier life of this machine ran is over."""
        with self._connected() as db, db.transaction():
            db.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            db.execute(_PREPARE)
            db.execute(_BEGIN, (executor,))
            db.execute(_ALL_OVER, (executor,))

    def beat(self, executor: str) -> bool | None:
        """False where this machine has been buried meanwhile, None where the database is away."""
        with suppress(ConnectionError), self._connected() as db:
            return db.execute(_BEAT, (executor,)).rowcount == 1
        return None

    def bury(self, executor: str, dead_s: float, take_over: Callable[[str], object]) -> None:
        """`take_over` is called with each that has been silent for so long, by one machine at a time."""
        with suppress(ConnectionError), self._connected() as db:
            if not db.execute(_SILENT, (executor, dead_s)).fetchall():
                return
            with self._alone(db) as is_alone:
                silent = db.execute(_SILENT, (executor, dead_s)).fetchall() if is_alone else []
                for (name,) in silent:
                    take_over(str(name))
                    db.execute(_DROP, (name,))
                    db.execute(_ALL_OVER, (name,))

    def alone(self, do: Callable[[], None]) -> None:
        """No other machine hands runs on meanwhile; not at all where one does, or where the database is away."""
        with suppress(ConnectionError), self._connected() as db, self._alone(db) as is_alone:
            if is_alone:
                do()

    def drop(self, executor: str) -> None:
        """Where the database is away it is buried by another, with nothing to take over."""
        with suppress(ConnectionError), self._connected() as db:
            db.execute(_DROP, (executor,))

    def admit(self, executor: str, at_once: int, most: int, window_s: float) -> int | None:
        """A number for one more agent, unless so many work on all machines, or were begun lately; 0: no limit."""
        told = {"executor": executor, "at_once": at_once, "most": most, "window_s": window_s}
        with suppress(ConnectionError), self._connected() as db, db.transaction():
            db.execute("SELECT pg_advisory_xact_lock(%s)", (_ADMISSION,))
            db.execute(_FORGET, (window_s,))
            found = db.execute(_ADMIT, told).fetchone()
            return int(str(found[0])) if found else None
        return None

    def over(self, numbers: list[int]) -> bool:
        """These agents work no more; False where that could not be said."""
        with suppress(ConnectionError), self._connected() as db:
            db.execute(_OVER, (numbers,))
            return True
        return False

    @contextmanager
    def _alone(self, db: "psycopg.Connection[tuple[object, ...]]") -> Iterator[bool]:
        with db.transaction():
            found = db.execute("SELECT pg_try_advisory_xact_lock(%s)", (_LOCK,)).fetchone()
            yield bool(found and found[0])

    @contextmanager
    def _connected(self) -> "Iterator[psycopg.Connection[tuple[object, ...]]]":
        import psycopg  # noqa: PLC0415  only where there is a PostgreSQL

        try:
            if self._db is None:
                self._db = psycopg.connect(self._url, autocommit=True, **_OPTIONS)
            yield self._db
        # Who stood still within a transaction was cut off by the server: to psycopg no error of operation.
        except (psycopg.OperationalError, psycopg.errors.IdleInTransactionSessionTimeout) as error:
            if self._db is not None:
                self._db.close()
            self._db = None
            raise ConnectionError(str(error).strip()) from error
