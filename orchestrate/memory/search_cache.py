"""Answers kept for a while: a file each, so that a search never waits for a writer of the store.

An answer holds as long as no event came to its scope or left it, and no longer than `search.cache_ttl`.
"""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

import orjson

from state.journal import make_folders
from state.paths import Place

FOLDER = "cache/search"
VERSION = 1
MOST = 200  # files; the oldest go
Answer = dict[str, object]


def key_of(parts: Mapping[str, object]) -> str:
    return blake2b(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def found(place: Place, key: str, mark: object, ttl_s: float, now: float | None = None) -> Answer | None:
    """`mark`: what the scope is like now, as it has to have been when the answer was kept."""
    if ttl_s <= 0:
        return None
    try:
        kept = orjson.loads(_path(place, key).read_bytes())
        age_s = (time.time() if now is None else now) - kept["kept_at"]
        answer = kept["answer"]
        is_good = kept["v"] == VERSION and kept["mark"] == _plain(mark) and 0 <= age_s < ttl_s
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return answer if is_good and isinstance(answer, dict) else None


def keep(place: Place, key: str, mark: object, answer: Mapping[str, object], now: float | None = None) -> None:
    """A disk that takes nothing costs the next search its time, and this one nothing."""
    kept = {"v": VERSION, "kept_at": time.time() if now is None else now, "mark": mark, "answer": answer}
    with suppress(OSError):
        path = _path(place, key)
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        make_folders(str(path.parent))
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(orjson.dumps(kept))
        draft.replace(path)
        _sweep(path.parent)


def _sweep(folder: Path) -> None:
    known = list(folder.iterdir())
    if len(known) > MOST:
        by_age = sorted(known, key=lambda path: path.stat().st_mtime)
        for path in by_age[: len(known) - MOST // 2]:
            path.unlink(missing_ok=True)


def _path(place: Place, key: str) -> Path:
    return Path(place.state, FOLDER, f"{key}.json")


def _plain(mark: object) -> object:
    return orjson.loads(orjson.dumps(mark))
