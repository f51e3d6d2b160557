"""Settings compiled to the one flat file that hooks read.

What imports pydantic is imported when it is needed: a command that finds the snapshot fresh does not owe its ~200 ms.
"""

import os

import orjson

from state import files, snapshot
from state.errors import UserError
from state.paths import Place


def compile(place: Place) -> str | None:
    """Write the snapshot from defaults and files. An error keeps the last good values, is stored and is returned."""
    from state import settings  # noqa: PLC0415  start-up cost

    # Before the sources are read: what changes meanwhile is seen as stale the next time.
    sources = [snapshot.stamp(path) for path in snapshot.source_paths(place)]
    problem = None
    try:
        loaded = settings.load(place, {})
        content = {"values": loaded.settings.flat(), "origins": loaded.origins, "warnings": loaded.warnings}
    except UserError as error:
        problem = str(error)
        content = last_good(place)
    files.replace(path(place), orjson.dumps({"v": 1, "sources": sources, "error": problem, **content}))
    return problem


def ensure_fresh(place: Place) -> str | None:
    """Recompile when a source has changed, or was in error: another version may read it. The error there is now."""
    kept = snapshot.read(place, {})
    return compile(place) if kept.stale or kept.error else None


def lock_timeout_s(place: Place) -> float:
    return float(snapshot.read(place, dict(os.environ)).values["lock_timeout_s"])


def path(place: Place) -> str:
    return snapshot.file(place)


def warnings(place: Place) -> list[str]:
    """What the last compilation had to tell the user."""
    found = _kept(place).get("warnings")
    return [str(line) for line in found] if isinstance(found, list) else []


def last_good(place: Place) -> dict[str, object]:
    kept = _kept(place)
    return {
        "values": snapshot.read(place, {}).values,
        "origins": kept.get("origins", dict.fromkeys(snapshot.DEFAULTS, "default")),
        "warnings": kept.get("warnings", []),
    }


def _kept(place: Place) -> dict[str, object]:
    try:
        value = orjson.loads(files.read(path(place)) or b"{}")
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
