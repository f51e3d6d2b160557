"""Which database a project's store lies in."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from state import compiled, log_folder, snapshot
from state.errors import FAILED, LOCK_TIMEOUT, UserError
from state.paths import Place
from state.store import address
from state.store.engine import Engine
from state.store.sqlite_engine import SqliteEngine
from state.store.sqlite_tables import SqliteTables
from state.store.store import Store
from state.store.tables import Tables

FILE = "store.db"
_BUSY_TIMEOUT_S = 30.0
_NO_DRIVER = "the driver for PostgreSQL is not installed: pip install 'orchestrate[postgres]'"


def open_store(place: Place, timeout_s: float = _BUSY_TIMEOUT_S, env: Mapping[str, str] = os.environ) -> Store:
    """`timeout_s`: how long a writer waits for another."""
    chosen = url(place, env)

    def unmoved() -> None:
        """Asked by every writer when it has its turn: while it waited, `state move` may have taken the store away."""
        if (now := _current(place, env)) != chosen:
            there = shown(place, now)
            raise UserError(f"the store has moved to {there} meanwhile: run the command again", LOCK_TIMEOUT)

    return Store(engine(place, chosen, timeout_s, unmoved), log_folder.name(place, is_shared=bool(chosen)))


def open_user_store(place: Place, timeout_s: float = _BUSY_TIMEOUT_S) -> Store:
    """What belongs to the user and to no project: a SQLite file of this machine, whatever store.url says, for it names
    folders of this machine."""
    if place.user is None:
        raise UserError("no writable home folder to keep jobs for the night in: set HOME to one", FAILED)
    return Store(SqliteEngine(f"{place.user}/{FILE}", timeout_s, lambda: None))


def url(place: Place, env: Mapping[str, str] = os.environ) -> str:
    """The setting store.url, as the files have it now; empty for SQLite."""
    with suppress(UserError):  # where nothing can be written the last good settings hold
        compiled.ensure_fresh(place)
    return _compiled(place, env)


def _current(place: Place, env: Mapping[str, str]) -> str:
    """As `url`, for less: looked at anew only where the files have changed since. Who moved the store may have been
    killed before he had compiled the setting."""
    kept = snapshot.read(place, dict(env))
    return url(place, env) if kept.stale else str(kept.values["store.url"])


def _compiled(place: Place, env: Mapping[str, str]) -> str:
    return str(snapshot.read(place, dict(env)).values["store.url"])


def engine(place: Place, url: str, timeout_s: float, unmoved: Callable[[], None]) -> Engine:
    if not url:
        return SqliteEngine(f"{place.state}/{FILE}", timeout_s, unmoved)
    with _driver(url):
        from state.store.postgres_engine import PostgresEngine  # noqa: PLC0415  psycopg: 100 ms, and optional
    return PostgresEngine(url, schema(place), timeout_s, unmoved)


def tables(place: Place, url: str, timeout_s: float) -> Tables:
    if not url:
        return SqliteTables(f"{place.state}/{FILE}", timeout_s)
    with _driver(url):
        from state.store.postgres_tables import PostgresTables  # noqa: PLC0415  the same
    return PostgresTables(url, schema(place), timeout_s)


def probe(place: Place, url: str) -> str:
    """What is there, without making or changing anything; a UserError where it does not answer."""
    if not url:
        path = Path(place.state, FILE)
        return f"{path.stat().st_size / 1e6:,.1f} MB" if path.exists() else "made when it is needed"
    with _driver(url):
        from state.store.postgres_server import probe  # noqa: PLC0415  the same
    version = probe(url, schema(place))
    return f"answers, schema {version}" if version else "answers, and holds nothing of this project yet"


def shown(place: Place, url: str) -> str:
    return address.shown(url) if url else f"{place.state}/{FILE}"


def schema(place: Place) -> str:
    """Every project has its own."""
    return f"orchestrate_{place.project}"


@contextmanager
def _driver(url: str) -> Iterator[None]:
    address.check(url)
    try:
        yield
    except ImportError as error:
        raise UserError(f"{address.shown(url)}: {_NO_DRIVER}") from error
