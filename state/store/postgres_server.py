"""Opening a schema of a PostgreSQL database: migrated; what the user can mend is said in one line."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.abc import Buffer
from psycopg.adapt import Loader

from state.errors import FAILED, LOCK_TIMEOUT, UserError
from state.store.address import shown

Connection = psycopg.Connection[tuple[Any, ...]]  # Any: as the drivers type their rows

VERSIONS = "schema_version"
_NEW_VERSION = "CREATE TABLE schema_version AS SELECT 0 AS version"
_CONNECT_S = 10
_STATEMENT_S = 300
_MENDABLE: dict[type[psycopg.Error], tuple[str, int]] = {
    errors.LockNotAvailable: ("is locked by another process: try again when it has finished", LOCK_TIMEOUT),
    errors.DeadlockDetected: ("is locked by another process: try again when it has finished", LOCK_TIMEOUT),
    errors.QueryCanceled: ("took too long to answer: try again when the server is less busy", LOCK_TIMEOUT),
    errors.DiskFull: ("the disk of the server is full: make room and try again, nothing was half written", FAILED),
    errors.OutOfMemory: ("the server is out of memory: try again later, nothing was half written", FAILED),
    errors.ReadOnlySqlTransaction: ("cannot be written: the database is read-only", FAILED),
    errors.InsufficientPrivilege: ("this user may not do that: grant it CREATE on the database", FAILED),
    errors.TooManyConnections: ("the server has no connection left: try again later", LOCK_TIMEOUT),
    errors.InvalidTextRepresentation: ("was given a text where a number belongs: the other store is damaged", FAILED),
    errors.UndefinedTable: ("a table is missing: restore a backup of its schema", FAILED),
    errors.UndefinedColumn: ("a column is missing: restore a backup of its schema", FAILED),
}
_GONE = "the server is gone: try again when it is back, nothing was half written"
_REFUSALS = {
    "password authentication failed": "the password is wrong",
    "no password supplied": "it wants a password: put it into the URL, PGPASSWORD or ~/.pgpass",
    "no pg_hba.conf entry": "the server does not admit this user from this machine",
    "does not exist": "there is no such database or user",
    "too many clients": "the server has no connection left: try again later",
    "starting up": "the server is starting: try again in a moment",
    "shutting down": "the server is shutting down: try again when it is back",
    "timeout expired": "the server does not answer: check the host and the network",
    "Connection refused": "nothing listens there: check the host, the port and that the server runs",
    "could not translate host name": "there is no such host",
}


class _Number(Loader):
    """Sums and means as SQLite gives them."""

    def load(self, data: Buffer) -> int | float:
        text = bytes(data)
        return int(text) if text.lstrip(b"-").isdigit() else float(text)


class _Bit(Loader):
    def load(self, data: Buffer) -> int:
        return int(bytes(data) == b"t")


@contextmanager
def mendable(where: str) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        for kind, (remedy, code) in _MENDABLE.items():
            if isinstance(error, kind):
                raise UserError(f"{where}: {remedy}", code) from error
        if _is_gone(error):
            raise UserError(f"{where}: {_GONE}") from error
        raise


def connect(url: str, schema: str, migrations: Sequence[str], timeout_s: float) -> Connection:
    where = shown(url)
    connection = _connected(url, where)
    try:
        with mendable(where):
            _set_up(connection, schema, timeout_s)
            migrate(connection, where, schema, migrations)
    except BaseException:
        connection.close()
        raise
    return connection


def probe(url: str, schema: str) -> int:
    """The version of its schema, 0 where there is none, and nothing is made."""
    connection = _connected(url, shown(url))
    try:
        with mendable(shown(url)):
            connection.execute("SELECT set_config('search_path', quote_ident(%s), false)", (schema,))
            return _version(connection, schema)
    finally:
        connection.close()


@contextmanager
def writing(connection: Connection, schema: str) -> Iterator[None]:
    """One writer of a schema at a time: what is read within stays true, and numbers are seen in their order.

    The lock is the transaction's own, so a client that dies leaves none. Readers never wait for it.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_lock_of(schema),))
        yield


def migrate(connection: Connection, where: str, schema: str, migrations: Sequence[str]) -> None:
    while (version := _version(connection, schema)) != len(migrations):
        if version > len(migrations):
            raise UserError(
                f"{where}: schema {version} is newer than {len(migrations)}, the newest known here: upgrade orchestrate"
            )
        with writing(connection, schema):
            if _version(connection, schema) == version:  # else another process was faster
                if not version:
                    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
                    connection.execute(_NEW_VERSION)
                connection.execute("SET LOCAL statement_timeout = 0")
                connection.execute(migrations[version].encode())
                connection.execute("UPDATE schema_version SET version = %s", (version + 1,))


def _connected(url: str, where: str) -> Connection:
    try:
        return psycopg.connect(
            url, autocommit=True, connect_timeout=_CONNECT_S, application_name="orchestrate", client_encoding="utf8"
        )
    except psycopg.OperationalError as error:
        raise UserError(f"{where}: cannot connect: {_refusal(str(error))}") from error
    except psycopg.ProgrammingError as error:  # its message quotes what it does not understand: perhaps the password
        raise UserError(f"store.url: {where} is no URL that PostgreSQL understands") from error


def _set_up(connection: Connection, schema: str, timeout_s: float) -> None:
    connection.adapters.register_loader("numeric", _Number)
    connection.adapters.register_loader("bool", _Bit)
    settings = {
        "search_path": '"' + schema.replace('"', '""') + '"',
        "lock_timeout": f"{max(1, int(timeout_s * 1000))}ms",
        "statement_timeout": f"{_STATEMENT_S}s",
        # A writer has to see what was committed while it waited for its turn, whatever the server's default.
        "default_transaction_isolation": "read committed",
        "timezone": "UTC",
        # Which index is best depends on the words that are searched: no plan is for all of them.
        "plan_cache_mode": "force_custom_plan",
    }
    names = ", ".join(["set_config(%s, %s, false)"] * len(settings))
    connection.execute(f"SELECT {names}".encode(), [part for pair in settings.items() for part in pair])


def _version(connection: Connection, schema: str) -> int:
    there = connection.execute(
        "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = %s AND tablename = %s", (schema, VERSIONS)
    ).fetchone()
    found = connection.execute("SELECT version FROM schema_version").fetchone() if there else None
    return int(found[0]) if found else 0


def _lock_of(schema: str) -> int:
    return int.from_bytes(blake2b(schema.encode(), digest_size=8).digest(), signed=True)


def _is_gone(error: psycopg.Error) -> bool:
    state = error.sqlstate
    if state is None:  # the driver itself noticed
        return isinstance(error, psycopg.OperationalError)
    return state.startswith(("08", "57P"))


def _refusal(message: str) -> str:
    known = (remedy for words, remedy in _REFUSALS.items() if words in message)
    return next(known, message.strip().splitlines()[-1].rpartition(": ")[2])
