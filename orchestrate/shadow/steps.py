"""The classes that have stepped down in a project: a file in the user's folder, which hooks read."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import orjson

from orchestrate.request import memory, stepped
from orchestrate.shadow import classes
from routing.correction import Correction
from state import codec, files
from state.errors import UserError
from state.paths import Place

Figures = dict[str, object]


def path(place: Place) -> str:
    if not place.user:
        raise UserError("no folder of the user's own can be written: set HOME to one, steps are kept there")
    return memory.steps(place)


def read(place: Place, learned: Correction | None) -> dict[str, Figures]:
    """By class, with the figures it was let for; nothing where they are of other weights or another correction."""
    kept = codec.load(path(place)) if place.user else {}
    found = kept.get("classes")
    if not isinstance(found, dict) or kept.get("v") != stepped.VERSION or kept.get("basis") != stepped.basis(learned):
        return {}
    return {group.name: found[group.name] for group in classes.ALL if isinstance(found.get(group.name), dict)}


def is_ignored(place: Place, learned: Correction | None) -> bool:
    return place.user is not None and Path(path(place)).exists() and not read(place, learned)


def write(place: Place, steps: Mapping[str, Figures], learned: Correction | None, made_at: str) -> None:
    """Those and no others."""
    if not steps:
        Path(path(place)).unlink(missing_ok=True)
        return
    groups = [classes.named(name) for name in steps]
    facts = {tier: [group.fact for group in groups if group.tier == tier] for tier in classes.TIERS}
    said = {"basis": stepped.basis(learned), "steps": facts}
    name = hashlib.blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=4).hexdigest()
    record = {"v": stepped.VERSION, "id": f"s-{name}", "made_at": made_at, "project": place.root, **said}
    files.replace(path(place), orjson.dumps({**record, "classes": steps}, option=orjson.OPT_INDENT_2) + b"\n")
