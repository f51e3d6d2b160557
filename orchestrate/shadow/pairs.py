"""What was tried out, a line for each pair. No text of a prompt, of an answer or of a change is in them."""

from collections.abc import Iterable
from pathlib import Path

from metrics.lines import json_object
from orchestrate.shadow.evidence import Pair
from state import codec, journal
from state.files import failure
from state.paths import Place

FILE = "shadow/pairs.jsonl"
Line = dict[str, object]


def path(place: Place) -> str:
    return f"{place.state}/{FILE}"


def read(place: Place) -> list[Line]:
    try:
        lines = Path(path(place)).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise failure(path(place), error, "read") from error
    return [line for raw in lines if (line := json_object(raw)) is not None]


def keep(place: Place, line: Line) -> None:
    try:
        journal.refuse_link(f"{place.state}/shadow")
        journal.append(path(place), codec.dumps(line))
    except OSError as error:
        raise failure(path(place), error) from error


def forget(place: Place, name: str | None) -> int:
    """Of one class, or of all; how many lines that were."""
    from state import files  # noqa: PLC0415  as rare as it is final

    lines = read(place)
    kept = [line for line in lines if name is not None and line.get("class") != name]
    if lines:
        files.replace(path(place), b"".join(codec.dumps(line) + b"\n" for line in kept))
    return len(lines) - len(kept)


def of(lines: Iterable[Line], name: str, basis: str) -> list[Line]:
    """What counts for a class: made with these weights and this correction, and not void."""
    return [line for line in lines if line.get("class") == name and line.get("basis") == basis and not line.get("void")]


def evidence(lines: Iterable[Line]) -> list[Pair]:
    return [
        Pair(
            line.get("as_good") is True,
            line.get("regression") is True,
            line.get("green") is True,
            saw if isinstance(saw := line.get("saw_control"), bool) else None,
        )
        for line in lines
    ]
