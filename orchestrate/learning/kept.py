"""The correction's file in the user's folder, and the one before it."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import orjson

from orchestrate.request.memory import CORRECTION
from routing import correction
from routing.correction import Correction
from state import codec, files
from state.errors import NOT_FOUND, UserError
from state.paths import Place

PREVIOUS = CORRECTION.replace(".json", ".previous.json")
Record = dict[str, object]


class Kept(NamedTuple):
    """`correction` is None where the file counts for nothing; then `why` says why."""

    record: Record
    correction: Correction | None
    why: str


def path(place: Place, name: str = CORRECTION) -> str:
    if not place.user:
        raise UserError("no folder of the user's own can be written: set HOME to one, what is learned is kept there")
    return f"{place.user}/{name}"


def read(place: Place) -> Kept | None:
    """None where nothing was learned."""
    if not place.user or not Path(path(place)).exists():
        return None
    record = codec.load(path(place))
    digest = correction.weights_digest()
    found = correction.parse(record, digest)
    stale = record.get("v") == correction.VERSION and record.get("weights") != digest
    return Kept(record, found, "" if found else _STALE if stale else _BROKEN)


def record_of(found: Correction, made_at: str, figures: Record) -> Record:
    """With a name of its own, by what it says."""
    said: Record = {
        "weights": correction.weights_digest(),
        "shifts": [*found.shifts],
        "deltas": {name: [*pair] for name, pair in found.deltas.items()},
    }
    name = hashlib.blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=4).hexdigest()
    return {"v": correction.VERSION, "id": f"c-{name}", "made_at": made_at, **said, "figures": figures}


def write(place: Place, record: Record) -> None:
    _keep_the_one_before(place)
    files.replace(path(place), orjson.dumps(record, option=orjson.OPT_INDENT_2) + b"\n")


def withdraw(place: Place) -> None:
    """Back to the shipped weights; `undo` brings it back."""
    _keep_the_one_before(place)
    Path(path(place)).unlink(missing_ok=True)


def undo(place: Place) -> Kept | None:
    """Change places with the one before: none, the first time. What is in force then."""
    now, before = files.read(path(place)), files.read(path(place, PREVIOUS))
    if now is None and before is None:
        raise UserError(
            "nothing was learned yet, so there is nothing to undo: see `orchestrate route learn`", NOT_FOUND
        )
    _put(path(place), before)
    _put(path(place, PREVIOUS), now)
    return read(place)


def _keep_the_one_before(place: Place) -> None:
    _put(path(place, PREVIOUS), files.read(path(place)))


def _put(name: str, data: bytes | None) -> None:
    if data is None:
        Path(name).unlink(missing_ok=True)
    else:
        files.replace(name, data)


_STALE = "it was made for other weights than these: run `orchestrate route learn` again"
_BROKEN = "it is no correction that can be read: run `orchestrate route learn` again"
