"""routing.yaml compiled to the one file of rules that hooks read, beside that of the settings."""

from pathlib import Path

import orjson

from state import files, routing_rules, settings, snapshot, trust
from state.errors import UserError
from state.paths import Place
from state.routing_file import Rule

VERSION = 1


def compile(place: Place) -> str | None:
    """An error keeps the last good rules, is stored and is returned."""
    path = snapshot.rules_file(place)
    if not snapshot.has_rules(place):
        for gone in (path, told_file(place)):
            Path(gone).unlink(missing_ok=True)
        return None
    # Before the sources are read: what changes meanwhile is seen as stale the next time.
    sources = [snapshot.stamp(source) for source in snapshot.rules_paths(place)]
    problem = None
    try:
        content = _content(routing_rules.load(place, _is_trusted(place)))
    except UserError as error:
        problem = str(error)
        content = _last_good(path)
    told = content.pop("told", None)
    if told is not None:
        files.replace(told_file(place), orjson.dumps(told))
    files.replace(path, orjson.dumps({"v": VERSION, "sources": sources, "error": problem, **content}))
    return problem


def told(place: Place) -> list[Rule]:
    """The rules that were compiled last, strongest first."""
    if not _kept(snapshot.rules_file(place)):
        return []
    return [Rule(**rule) for rule in orjson.loads(files.read(told_file(place)) or b"[]")]


def told_file(place: Place) -> str:
    """Where each rule came from, which hooks need not read."""
    return snapshot.rules_file(place).replace(".rules.json", ".rules-told.json")


def _is_trusted(place: Place) -> bool:
    return not trust.is_repositorys_own(place) or trust.is_trusted(place, settings.digest(place))


def _content(loaded: routing_rules.Loaded) -> dict[str, object]:
    told = [{**rule._asdict(), "agents": dict(rule.agents)} for rule in loaded.rules]
    return {"warnings": loaded.warnings, **routing_rules.compiled(loaded), "told": told}


def _last_good(path: str) -> dict[str, object]:
    kept = _kept(path)
    if not kept:
        return _content(routing_rules.Loaded([], []))
    return {key: value for key, value in kept.items() if key not in ("v", "sources", "error")}


def _kept(path: str) -> dict[str, object]:
    try:
        value = orjson.loads(files.read(path) or b"{}")
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) and value.get("v") == VERSION else {}
