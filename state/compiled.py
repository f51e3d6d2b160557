"""Settings compiled to the one flat file that hooks read.

What imports pydantic is imported when it is needed: a command that finds the snapshot fresh does not owe its ~200 ms.
"""

import os
from pathlib import Path

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
    return "\n".join(filter(None, (problem, _compile_rules(place)))) or None


def ensure_fresh(place: Place) -> str | None:
    """Recompile when a source has changed, or was in error: another version may read it. The error there is now."""
    kept = snapshot.read(place, {})
    return compile(place) if kept.stale or kept.error or _are_rules_stale(place) else None


def lock_timeout_s(place: Place) -> float:
    return float(snapshot.read(place, dict(os.environ)).values["lock_timeout_s"])


def path(place: Place) -> str:
    return snapshot.file(place)


def warnings(place: Place) -> list[str]:
    """What the last compilation had to tell the user."""
    kept = [_kept(place), _rules(place)]
    return [str(line) for found in kept if isinstance(lines := found.get("warnings"), list) for line in lines]


def last_good(place: Place) -> dict[str, object]:
    kept = _kept(place)
    return {
        "values": snapshot.read(place, {}).values,
        "origins": kept.get("origins", dict.fromkeys(snapshot.DEFAULTS, "default")),
        "warnings": kept.get("warnings", []),
    }


def _compile_rules(place: Place) -> str | None:
    if not _has_rules(place):
        return None
    from state import compiled_rules  # noqa: PLC0415  start-up cost

    return compiled_rules.compile(place)


def _are_rules_stale(place: Place) -> bool:
    """As hooks see it, and an error is looked at again."""
    if not _has_rules(place):
        return False
    kept = _rules(place)
    now = [snapshot.stamp(source) for source in snapshot.rules_paths(place)]
    return not snapshot.has_rules(place) or kept.get("sources") != now or kept.get("error") is not None


def _has_rules(place: Place) -> bool:
    return snapshot.has_rules(place) or Path(snapshot.rules_file(place)).exists()


def _rules(place: Place) -> dict[str, object]:
    return _read(snapshot.rules_file(place))


def _kept(place: Place) -> dict[str, object]:
    return _read(path(place))


def _read(path: str) -> dict[str, object]:
    try:
        value = orjson.loads(files.read(path) or b"{}")
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
