"""Labelled prompts out of a JSONL file: {prompt, tier, accept?} or {prompt, weak, strong}, one kind in a file."""

import math
from pathlib import Path
from typing import NamedTuple

import orjson

from routing.score import TIERS
from state.errors import UserError

GROUPED_BY = ("stratum", "source", "bench", "domain")  # the first that takes more than one value in the file
MOST_OF_A_NAME = 40
WANTED = '{"prompt", "tier"} or {"prompt", "weak", "strong"}'


class Asked(NamedTuple):
    """A prompt and what the file says of the conversation around it."""

    prompt: str
    context: dict[str, object]
    group: str
    place: str


class Tiered(NamedTuple):
    """The tier that a prompt wants, and every tier that is no mistake."""

    tier: str
    accept: frozenset[str]


class Paired(NamedTuple):
    """What a weak and a strong model scored on a prompt."""

    weak: float
    strong: float


class Dataset(NamedTuple):
    """One of `tiers` and `pairs` has a label for each of `asked`, the other is empty."""

    name: str
    grouped_by: str | None
    asked: list[Asked]
    tiers: list[Tiered]
    pairs: list[Paired]


class Models(NamedTuple):
    """Which of the models in a row's `scores` stand for the weak and the strong one."""

    weak: str
    strong: str


def read(path: Path, models: Models | None = None) -> Dataset:
    rows = list(_objects(path))
    if not rows:
        raise UserError(f"{path}: no rows: give lines of {WANTED}")
    labels = [(place, _label(row, place, models)) for place, row in rows]
    kind = type(labels[0][1])
    for place, label in labels:
        if type(label) is not kind:
            raise UserError(f"{place}: another kind of label than in the first row: put each kind in its own file")
    grouped_by = _grouping([row for _, row in rows])
    return Dataset(
        path.stem,
        grouped_by,
        [_asked(row, place, grouped_by) for place, row in rows],
        [label for _, label in labels if isinstance(label, Tiered)],
        [label for _, label in labels if isinstance(label, Paired)],
    )


def _objects(path: Path) -> list[tuple[str, dict[str, object]]]:
    """Every line that is not blank, with its place."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}: name a file of {WANTED}") from error
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return [(f"{path}:{i}", _object(line, f"{path}:{i}")) for i, line in enumerate(lines, 1) if line.strip()]


def _object(line: bytes, place: str) -> dict[str, object]:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise UserError(f"{place}: no JSON: each line must be one object of {WANTED}") from error
    if not isinstance(row, dict):
        raise UserError(f"{place}: no object: each line must be {WANTED}")
    return row


def _asked(row: dict[str, object], place: str, grouped_by: str | None) -> Asked:
    prompt, context = row.get("prompt"), row.get("context") or {}
    if not isinstance(prompt, str):
        raise UserError(f"{place}: prompt must be a text")
    if not isinstance(context, dict):
        raise UserError(f"{place}: context must be an object")
    group = row.get(grouped_by) if grouped_by else None
    return Asked(prompt, context, shown(group) if isinstance(group, str) else "", place)


def _label(row: dict[str, object], place: str, models: Models | None) -> Tiered | Paired:
    if "tier" in row:
        return _tiered(row, place)
    if "weak" in row or "strong" in row:
        return Paired(_number(row, "weak", place), _number(row, "strong", place))
    scores = row.get("scores")
    if not isinstance(scores, dict):
        raise UserError(f"{place}: no label: each line must be {WANTED}")
    if models is None:
        raise UserError(f"{place}: scores of several models: say which two with --weak MODEL --strong MODEL")
    return Paired(_number(scores, models.weak, place), _number(scores, models.strong, place))


def _tiered(row: dict[str, object], place: str) -> Tiered:
    """What the file lets pass always has the tier itself in it."""
    tier, accept = row["tier"], row.get("accept") or []
    if not isinstance(tier, str) or tier not in TIERS:
        raise UserError(f"{place}: tier must be one of {', '.join(TIERS)}")
    if not isinstance(accept, list) or not all(also in TIERS for also in accept):
        raise UserError(f"{place}: accept must be a list of {', '.join(TIERS)}")
    return Tiered(tier, frozenset([tier, *accept]))


def _number(row: dict[str, object], name: str, place: str) -> float:
    value = row.get(name)
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise UserError(f"{place}: {shown(name)} must be a number")
    return float(value)


def _grouping(rows: list[dict[str, object]]) -> str | None:
    for name in GROUPED_BY:
        if len({value for row in rows if isinstance(value := row.get(name), str)}) > 1:
            return name
    return None


def shown(name: str) -> str:
    """A name out of the file as a table can show it."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:MOST_OF_A_NAME]
