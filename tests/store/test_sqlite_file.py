"""The file itself: who may read it, how it is brought up to date, and what the user is told."""

import multiprocessing
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from tiers import some

from state.errors import FAILED, LOCK_TIMEOUT, UserError
from state.store import Position, open_store, statements
from state.store.sqlite_file import connect, mendable, writing
from state.store.values import CHANGED

FIRST = "CREATE TABLE a (x TEXT);\n-- a comment; with a semicolon\nCREATE INDEX a_x ON a (x);\n"
SECOND = "ALTER TABLE a ADD COLUMN y TEXT DEFAULT ';';\nINSERT INTO a (x) VALUES ('two;\nlines');\n"
BROKEN = "CREATE TABLE b (x TEXT);\nINSERT INTO nowhere VALUES (1);\n"
POSITION = Position("sessions/s", "1", 1, "00000000", 0, None)


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "state" / "store.db")


def schema(path):
    with sqlite3.connect(path) as db:
        rows = db.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()
        return rows, db.execute("PRAGMA user_version").fetchone()[0]


def test_the_file_is_for_its_user_alone(place):
    mask = os.umask(0)
    with open_store(place) as store:
        store.add_events([], None, POSITION)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in Path(place.state).glob("store.db*")}
    os.umask(mask)
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}
    assert stat.S_IMODE(Path(place.state).stat().st_mode) == 0o700


def test_it_is_wal_and_does_not_sync_every_commit(path):
    db = connect(path, [FIRST], 1.0)
    found = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "busy_timeout")]
    db.close()
    assert found == ["wal", 1, 1000]


def test_a_migrated_schema_equals_a_fresh_one(tmp_path):
    scripts = statements.migrations("sqlite")
    fresh = str(tmp_path / "fresh.db")
    connect(fresh, scripts, 1.0).close()
    for known in range(len(scripts)):
        old = str(tmp_path / f"{known}.db")
        connect(old, scripts[:known], 1.0).close()
        connect(old, scripts, 1.0).close()
        assert schema(old) == schema(fresh)
    assert schema(fresh)[1] == len(scripts)


def test_each_migration_runs_once_and_in_order(path):
    for scripts in ([FIRST], [FIRST, SECOND], [FIRST, SECOND]):
        connect(path, scripts, 1.0).close()
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT x, y FROM a").fetchall() == [("two;\nlines", ";")]
    assert schema(path)[1] == 2


def test_a_migration_that_fails_leaves_nothing(path):
    connect(path, [FIRST], 1.0).close()
    before = schema(path)
    with pytest.raises(UserError, match="no such table: nowhere"):
        connect(path, [FIRST, BROKEN], 1.0)
    assert schema(path) == before


def open_and_die(path, scripts, left):
    """Ended by a signal before its n-th statement; the status of the process."""
    pid = os.fork()
    if not pid:

        class Mortal(sqlite3.Connection):
            def execute(self, *statement):
                nonlocal left
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1
                return super().execute(*statement)

        sqlite3.connect = partial(sqlite3.connect, factory=Mortal)
        try:
            connect(path, scripts, 1.0).close()
            os._exit(0)
        finally:  # whatever is wrong, this is no second run of the tests
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("known", some(range(len(statements.migrations("sqlite"))), (2,)))
def test_a_migration_killed_before_any_statement_goes_on_the_next_time(tmp_path, known):
    """Also 003, which writes every event anew."""
    scripts = statements.migrations("sqlite")
    path = str(tmp_path / "store.db")
    db = connect(path, scripts[:known], 1.0)
    if known:
        rows = [(f"e{number}", "2026-11-21T10:00:00.000Z", *["x"] * 6, "{}") for number in range(200)]
        fields = "id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload"
        db.executemany(f"INSERT INTO events ({fields}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    db.close()
    kills = 0
    while status := open_and_die(path, scripts[: known + 1], kills):
        assert status == -signal.SIGKILL
        kills += 1
        with sqlite3.connect(path) as db:
            assert db.execute("PRAGMA user_version").fetchone()[0] in (known, known + 1)
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert not known or db.execute("SELECT count(DISTINCT id) FROM events").fetchone() == (200,)
        if db.execute("PRAGMA user_version").fetchone()[0] == known + 1:
            break
        db.close()
    fresh = str(tmp_path / "fresh.db")
    connect(fresh, scripts[: known + 1], 1.0).close()
    assert (schema(path), kills > 5) == (schema(fresh), True)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ("DROP TABLE log_positions", "no such table: log_positions"),
        ("ALTER TABLE log_positions RENAME COLUMN head TO tail", "no such column: head"),
        ("UPDATE log_positions SET read_bytes = 'many'", "log_positions: 'many' stands where a number belongs"),
    ],
)
def test_a_store_that_was_changed_by_hand_says_so(place, edit, said):
    with open_store(place) as store:
        store.add_events([], None, POSITION)
    file = f"{place.state}/store.db"
    with sqlite3.connect(file) as db:
        db.execute(edit)
    with open_store(place) as store, pytest.raises(UserError) as told:
        store.positions()
    assert str(told.value) == f"{file}: {said}: {CHANGED}"


def _open_each(folder, barrier, count):
    for number in range(count):
        barrier.wait(60)
        connect(f"{folder}/{number}.db", [FIRST, SECOND], 60.0).close()


def test_processes_that_open_a_new_file_at_once_all_get_it(tmp_path):
    fork = multiprocessing.get_context("fork")
    barrier = fork.Barrier(4)
    openers = [fork.Process(target=_open_each, args=(str(tmp_path), barrier, 40)) for _ in range(4)]
    for opener in openers:
        opener.start()
    for opener in openers:
        opener.join(100)
    assert [opener.exitcode for opener in openers] == [0] * 4
    assert {schema(str(file))[1] for file in tmp_path.glob("*.db")} == {2}


def test_a_newer_schema_is_refused_in_one_line(place):
    open_store(place).close()
    file = f"{place.state}/store.db"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(UserError) as refused:
        open_store(place)
    newest = len(statements.migrations("sqlite"))
    assert str(refused.value) == f"{file}: schema 99 is newer than {newest}, the newest known here: upgrade orchestrate"
    assert refused.value.code == FAILED


def test_a_locked_store_says_so(place):
    open_store(place).close()
    file = f"{place.state}/store.db"
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with open_store(place, timeout_s=0.05) as store, pytest.raises(UserError) as locked:
        store.add_events([], None, POSITION)
    holder.close()
    assert str(locked.value) == f"{file}: is locked by another process: try again when it has finished"
    assert locked.value.code == LOCK_TIMEOUT


def test_a_full_disk_leaves_nothing_half_written(path):
    db = connect(path, [FIRST], 1.0)
    db.execute("PRAGMA max_page_count = 10")  # the disk has room for no more
    with pytest.raises(UserError) as full, mendable(path), writing(db):
        db.executemany("INSERT INTO a VALUES (?)", [("x" * 1000,)] * 100)
    assert str(full.value) == f"{path}: the disk is full: make room and try again, nothing was half written"
    assert db.execute("SELECT count(*) FROM a").fetchone() == (0,)
    db.close()


def test_a_damaged_store_says_so(place):
    Path(place.state).mkdir(parents=True)
    file = Path(place.state, "store.db")
    file.write_bytes(b"not a database, only text of some length\n" * 50)
    with pytest.raises(UserError) as damaged:
        open_store(place)
    assert str(damaged.value) == (
        f"{file}: is damaged: restore a copy of it, or move it away: reports read the logs again, but tasks, bugs,"
        " knowledge and queued work are in a copy alone"
    )


def test_a_folder_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "state").write_text("a file stands here")
    path = f"{tmp_path}/state/store.db"
    with pytest.raises(UserError) as refused:
        connect(path, [FIRST], 1.0)
    assert str(refused.value) == f"{path}: Not a directory: check the owner and the permissions of its folder"


def in_another_process(path):
    script = (
        "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); print(*[x for (x,) in db.execute('SELECT x FROM a')])"
    )
    script += "; db.close()"
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_a_second_connection_of_a_process_takes_no_locks_from_its_first(path):
    first = connect(path, [FIRST], 1.0)
    first.execute("INSERT INTO a VALUES ('before')")
    connect(path, [FIRST], 1.0).close()
    assert in_another_process(path) == ["before"]
    first.execute("INSERT INTO a VALUES ('after')")
    seen = in_another_process(path)
    first.close()
    assert seen == ["before", "after"]
