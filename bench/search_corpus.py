"""A store with many events, made once for each engine and size: a block is written, the rest are copies of it."""

import itertools
import os
import random
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from state.paths import locate
from state.store import Event, open_store

BLOCK = 20_000
WORDS = 30  # in an event
VOCABULARY = 20_000
LOADING_KIB = 400_000
_COPY = """
INSERT INTO events (id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload, task, correlation{more})
SELECT id || '-{{number}}', ts, type, session || '-{{number}}', prompt_id, actor, entity_type, entity_id, payload,
    task || '-{{number}}', correlation{more}
FROM events WHERE seq <= {{block}} ORDER BY seq
"""
COPY = {"sqlite": _COPY.format(more=""), "postgres": _COPY.format(more=", words")}
INDEX = "INSERT INTO events_index (rowid, said, scope) SELECT seq, said, scope FROM event_texts WHERE seq > {block}"


@cache
def words():
    """Made up, and used as often as words are: the n-th a n-th as often as the first."""
    chance = random.Random(11)
    letters = "abcdefghijklmnopqrstuvwxyz"
    return list(
        dict.fromkeys("".join(chance.choices(letters, k=chance.randint(3, 9))) for _ in range(VOCABULARY + 500))
    )[:VOCABULARY]


def events(count):
    chance = random.Random(7)
    known = words()
    shares = list(itertools.accumulate(1 / (rank + 1) for rank in range(len(known))))
    for number in range(count):
        said = " ".join(chance.choices(known, cum_weights=shares, k=WORDS))
        ts = f"2026-{1 + number * 10 // count:02}-{1 + number % 28:02}T10:00:00.{number % 1000:03}Z"
        payload = f'{{"text":"{said}","file":"src/app/module_{number % 997}.py"}}'
        kind = f"orchestration.kind{number % 7}.told"
        session, task = f"session-{number // 100:05}", f"TSK-{number // 50:04}"
        yield Event(f"e{number:07}", ts, kind, session, None, "bench", "file", f"f{number % 997}", payload, task)


def made(folder, url, size):
    """The place of a project whose store has so many events."""
    root = Path(folder, f"{'postgres' if url else 'sqlite'}-{size}")
    (root / ".git").mkdir(parents=True)
    place = locate(str(root), {**os.environ, "HOME": str(folder)})
    with open_store(place, env={"ORCHESTRATOR_STORE__URL": url} if url else {}) as store:
        store.emit(list(events(BLOCK)))
        fill(store._engine, size)
    return place


def fill(engine, size):
    """In bulk, past the store's own verbs: only how it searches is measured.

    What a copy says is what its block says, each block under sessions and tasks of its own, so how often each word is
    there is the same in all sizes. Indexes are built when all is there, which is what makes a million cheap to have:
    they hold the same as if they had grown.
    """
    with LOADED[engine.dialect](engine._db.execute):
        for number in range(1, size // BLOCK):
            engine._db.execute(COPY[engine.dialect].format(number=number, block=BLOCK))
    engine._db.execute("ANALYZE")


@contextmanager
def loaded_into_sqlite(run):
    """A file that nobody else has open, and that is thrown away where this fails: no journal, nothing synced."""
    indexes = run("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'events' AND sql <> ''")
    indexes = indexes.fetchall()
    for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{LOADING_KIB}"):
        run(f"PRAGMA {setting}").fetchone()
    run("BEGIN IMMEDIATE")
    for name, _ in indexes:
        run(f"DROP INDEX {name}")
    yield
    for _, made_by in indexes:
        run(made_by)
    run(INDEX.format(block=BLOCK))
    run("COMMIT")
    for setting in ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -2000"):
        run(f"PRAGMA {setting}").fetchone()


@contextmanager
def loaded_into_postgres(run):
    """The words of a copy are those of its block, so they are copied too and not read from the text anew; no log is
    written. From here on an event that is added has no words."""
    indexes = run(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = 'events' "
        "AND indexdef NOT LIKE 'CREATE UNIQUE %'"
    ).fetchall()
    run(f"SET maintenance_work_mem = '{LOADING_KIB}kB'")
    run("ALTER TABLE events ALTER COLUMN words DROP EXPRESSION")
    run("ALTER TABLE events SET UNLOGGED")
    for name, _ in indexes:
        run(f"DROP INDEX {name}")
    yield
    for _, made_by in indexes:
        run(made_by)
    run("RESET maintenance_work_mem")


LOADED = {"sqlite": loaded_into_sqlite, "postgres": loaded_into_postgres}
