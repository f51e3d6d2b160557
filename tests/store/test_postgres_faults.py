"""PostgreSQL that refuses, is stopped or is in the way: one line for the user, nothing half written, hooks unaware."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from metrics.ingest import ingest
from state import codec, journal
from state.errors import FAILED, LOCK_TIMEOUT, UserError
from state.paths import LOG, session_dir
from state.store import Event, open_store, opening, statements

pytestmark = pytest.mark.database

REPO = Path(__file__).resolve().parent.parent.parent
ALWAYS = ("2000-01-01T00:00:00.000Z", "2100-01-01T00:00:00.000Z")
EVENTS = 20_000
EVENT = Event("a", "2026-11-21T10:00:00.000Z", "orchestration.turn.end", "s", None, "hook", "prompt", "", "{}")
PROMPT = {"hook_event_name": "UserPromptSubmit", "session_id": "s", "prompt": "rename foo to bar in a.py"}


@pytest.fixture
def there(place, cluster, monkeypatch):
    """The store of the project on PostgreSQL, and the server running again whatever the test does to it."""
    monkeypatch.setenv("ORCHESTRATOR_STORE__URL", cluster.url)
    with cluster.connect() as db:
        db.execute("CHECKPOINT")  # else the server has the work of all tests so far to recover when it comes back
    yield cluster
    cluster.stop()
    cluster.start()


@pytest.fixture
def log(place):
    folder = Path(session_dir(place, "s"))
    folder.mkdir(parents=True)
    facts = ("orchestration.turn.end", "s", None, ("prompt", "p"), {"overhead_ms": 1.5}, 1_795_255_200.0, "hook")
    made = [journal.event(place, *facts) for _ in range(EVENTS)]
    (folder / LOG).write_bytes(b"".join(codec.dumps(each) + b"\n" for each in made))
    return sorted(each["id"] for each in made)


def start(place, *words):
    environment = {**os.environ, "PYTHONPATH": str(REPO)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-m", "orchestrate", *words], cwd=place.root, env=environment, **pipes)


def stored(place):
    with open_store(place) as store:
        return sorted(event.id for event in store.events_between(*ALWAYS))


def refusal(place, **env):
    with pytest.raises(UserError) as refused:
        open_store(place, timeout_s=0.1, env={**os.environ, **env})
    return str(refused.value), refused.value.code


def test_a_server_that_stops_in_the_middle_is_told_in_one_line(place, there, log):
    """It lingers at the last event, when the stretches before that one's are kept."""
    open_store(place).close()
    last = json.loads(Path(session_dir(place, "s"), LOG).read_bytes().splitlines()[-1])["id"]
    body = f"BEGIN IF NEW.id = '{last}' THEN PERFORM pg_sleep(200); END IF; RETURN NEW; END"
    with there.connect() as db:
        db.execute(f'SET search_path = "{opening.schema(place)}"')
        db.execute(f"CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
        db.execute("CREATE TRIGGER linger BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION linger()")
        process = start(place, "metrics", "report")
        while not db.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'").fetchone():
            assert process.poll() is None
            time.sleep(0.02)
    there.stop(signal.SIGQUIT)
    out, err = process.communicate(timeout=60)
    gone = "the server is gone: try again when it is back, nothing was half written"
    assert (process.returncode, out, err) == (FAILED, "", f"orchestrate: {there.shown}: {gone}\n")
    there.start()
    taken = len(stored(place))
    assert 0 < taken < EVENTS
    with there.connect() as db:
        db.execute(f'DROP TRIGGER linger ON "{opening.schema(place)}".events')
    with open_store(place) as store:
        assert ingest(place, store).events == EVENTS - taken
    assert stored(place) == log


def test_hooks_do_not_notice_that_the_server_is_gone(place, there, hook):
    answers = [hook(PROMPT | {"prompt_id": "with"})]
    there.stop()
    answers.append(hook(PROMPT | {"prompt_id": "without"}))
    with pytest.raises(UserError, match="nothing listens there"):
        open_store(place)
    there.start()
    assert [(code, err) for code, _, err in answers] == [(0, ""), (0, "")]
    with open_store(place) as store:
        assert ingest(place, store).events >= 2
        assert {event.prompt_id for event in store.events_between(*ALWAYS)} >= {"with", "without"}


def test_a_connection_that_is_refused_says_why(place, cluster):
    address = f"127.0.0.1:{cluster.port}"
    wrong = cluster.url_of("orchestrate", password="wr0ng")
    assert refusal(place, ORCHESTRATOR_STORE__URL=wrong) == (
        f"{cluster.shown}: cannot connect: the password is wrong",
        FAILED,
    )
    assert refusal(place, ORCHESTRATOR_STORE__URL=f"postgresql://tester@{address}/orchestrate") == (
        f"{cluster.shown}: cannot connect: it wants a password: put it into the URL, PGPASSWORD or ~/.pgpass",
        FAILED,
    )
    assert refusal(place, ORCHESTRATOR_STORE__URL=cluster.url_of("nowhere")) == (
        f"postgresql://tester@{address}/nowhere: cannot connect: there is no such database or user",
        FAILED,
    )
    assert refusal(place, ORCHESTRATOR_STORE__URL="postgresql://me:s3cret@127.0.0.1:1/x?password=hidden") == (
        "postgresql://me@127.0.0.1:1/x: cannot connect: nothing listens there: check the host, the port and that the "
        "server runs",
        FAILED,
    )


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "mysql://me:s3cret@host/x",
            "mysql://me@host/x is no URL of a database: expected postgresql://user@host/database",
        ),
        ("s3cret", "it is no URL of a database: expected postgresql://user@host/database"),
        (
            "postgresql://me:s3cret@host:port/x",
            "postgresql://me@host:port/x is no URL of a database: expected postgresql://user@host/database",
        ),
        ("postgresql://me:s3cret@host/x?sslmode", "postgresql://me@host/x is no URL that PostgreSQL understands"),
    ],
)
def test_what_is_no_url_is_not_quoted_with_its_password(place, url, said):
    assert refusal(place, ORCHESTRATOR_STORE__URL=url) == (f"store.url: {said}", FAILED)


def test_without_the_driver_the_package_is_named(place, cluster, tmp_path):
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "psycopg.py").write_text("raise ImportError('no such package')")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}/without:{REPO}", "ORCHESTRATOR_STORE__URL": cluster.url}
    command = [sys.executable, "-m", "orchestrate", "metrics", "report"]
    done = subprocess.run(
        command, cwd=place.root, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    remedy = "the driver for PostgreSQL is not installed: pip install 'orchestrate[postgres]'"
    assert (done.returncode, done.stderr) == (FAILED, f"orchestrate: {cluster.shown}: {remedy}\n")


def test_a_newer_schema_is_refused_in_one_line(place, cluster, schema):
    schema.execute("UPDATE schema_version SET version = 99")
    newest = len(statements.migrations("postgres"))
    said = f"schema 99 is newer than {newest}, the newest known here: upgrade orchestrate"
    assert refusal(place) == (f"{cluster.shown}: {said}", FAILED)


def test_a_locked_store_says_so(place, cluster, schema):
    with open_store(place) as holder, holder._engine.writing(), open_store(place, timeout_s=0.05) as store:
        with pytest.raises(UserError) as locked:
            store.emit([EVENT])
        assert stored(place) == []  # a reader waits for nobody
    said = "is locked by another process: try again when it has finished"
    assert (str(locked.value), locked.value.code) == (f"{cluster.shown}: {said}", LOCK_TIMEOUT)


@pytest.mark.parametrize(
    ("state", "said", "code"),
    [
        ("disk_full", "the disk of the server is full: make room and try again, nothing was half written", FAILED),
        ("out_of_memory", "the server is out of memory: try again later, nothing was half written", FAILED),
        ("query_canceled", "took too long to answer: try again when the server is less busy", LOCK_TIMEOUT),
        ("read_only_sql_transaction", "cannot be written: the database is read-only", FAILED),
        ("admin_shutdown", "the server is gone: try again when it is back, nothing was half written", FAILED),
    ],
)
def test_what_the_server_cannot_do_is_told_in_one_line(place, cluster, schema, state, said, code):
    body = f"BEGIN IF NEW.id = 'b' THEN RAISE EXCEPTION USING ERRCODE = '{state}'; END IF; RETURN NEW; END"
    schema.execute(f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
    schema.execute("CREATE TRIGGER fail BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION fail()")
    with open_store(place) as store, pytest.raises(UserError) as told:
        store.emit([EVENT, EVENT._replace(id="b")])
    assert (str(told.value), told.value.code) == (f"{cluster.shown}: {said}", code)
    assert stored(place) == []


def test_a_database_that_is_read_only_can_be_read(place, cluster, schema):
    with open_store(place) as store:
        store.emit([EVENT])
    schema.execute("ALTER ROLE tester SET default_transaction_read_only = on")
    try:
        with open_store(place) as store:
            assert stored(place) == ["a"]
            with pytest.raises(UserError, match="cannot be written: the database is read-only"):
                store.emit([EVENT._replace(id="b")])
    finally:
        schema.execute("SET default_transaction_read_only = off")
        schema.execute("ALTER ROLE tester RESET default_transaction_read_only")


def test_a_user_who_may_make_no_schema_is_told(place, cluster):
    with cluster.connect() as db:
        db.execute("DROP ROLE IF EXISTS guest")
        db.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'")
    guest = cluster.url_of("orchestrate", "guest", "guest")
    said = "this user may not do that: grant it CREATE on the database"
    shown = cluster.shown.replace("tester", "guest")
    assert refusal(place, ORCHESTRATOR_STORE__URL=guest) == (f"{shown}: {said}", FAILED)


def test_a_table_that_somebody_dropped_is_told(place, cluster, schema):
    schema.execute("DROP TABLE log_positions")
    with open_store(place) as store, pytest.raises(UserError) as told:
        store.positions()
    assert str(told.value) == f"{cluster.shown}: a table is missing: restore a backup of its schema"


def test_a_migration_that_fails_leaves_nothing(place, cluster, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_STORE__URL", cluster.url)
    scripts = [*statements.migrations("postgres"), "CREATE TABLE more (x TEXT); INSERT INTO nowhere VALUES (1);"]
    open_store(place).close()
    monkeypatch.setattr(statements, "migrations", lambda dialect: scripts)
    with pytest.raises(UserError, match="a table is missing"):
        open_store(place)
    with cluster.connect() as db:
        assert db.execute("SELECT to_regclass(%s)", (f'"{opening.schema(place)}".more',)).fetchone() == (None,)
        assert db.execute(f'SELECT version FROM "{opening.schema(place)}".schema_version').fetchone() == (
            len(scripts) - 1,
        )


def open_and_die(place, left):
    """Ended by a signal before its n-th statement; the status of the process."""
    pid = os.fork()
    if not pid:
        execute = psycopg.Connection.execute

        def mortal(*arguments, **options):
            nonlocal left
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            return execute(*arguments, **options)

        psycopg.Connection.execute = mortal
        try:
            open_store(place).close()
            os._exit(0)
        finally:  # whatever is wrong, this is no second run of the tests
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_migration_killed_before_any_statement_goes_on_the_next_time(place, cluster, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_STORE__URL", cluster.url)
    kills = 0
    while status := open_and_die(place, kills):
        assert status == -signal.SIGKILL
        kills += 1
    with open_store(place) as store:
        assert store.emit([EVENT]) == 1
    assert kills > 5
    with cluster.connect() as db:
        version = db.execute(f'SELECT version FROM "{opening.schema(place)}".schema_version').fetchall()
    assert version == [(len(statements.migrations("postgres")),)]


def test_every_text_is_ordered_by_its_bytes(place, schema):
    """As SQLite does, whatever the database was made with."""
    wrong = schema.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = %s AND data_type = 'text' "
        "AND collation_name IS DISTINCT FROM 'C'",
        (opening.schema(place),),
    ).fetchall()
    assert wrong == []
