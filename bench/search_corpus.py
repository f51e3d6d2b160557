"""A store with many events, made once for each engine and size: a block is written, the rest are copies of it."""

import itertools
import os
import random
from functools import cache
from pathlib import Path

from state.paths import locate
from state.store import Event, open_store

BLOCK = 20_000
WORDS = 30  # in an event
VOCABULARY = 20_000
DAY_S = 86_400
COPY = """
INSERT INTO events (id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload, task, correlation)
SELECT id || '-{number}', ts, type, session || '-{number}', prompt_id, actor, entity_type, entity_id, payload,
    task || '-{number}', correlation
FROM events WHERE seq <= {block} ORDER BY seq
"""

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
    """In bulk, past the store's own verbs: only how it searches is measured."""
    run = engine._db.execute
    with engine.writing():
        for number in range(1, size // BLOCK):
            run(COPY.format(number=number, block=BLOCK))
        if engine.dialect == "sqlite":
            run(INDEX.format(block=BLOCK))
    run("ANALYZE")
