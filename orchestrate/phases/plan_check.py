"""Whether a plan is complete: it names steps, and leaves nothing to be decided."""

import re
from collections.abc import Iterator
from pathlib import Path

_READ_BYTES = 1_000_000
_STEP = re.compile(r"^\s*(?:[-*+]|\d{1,4}[.)])\s+\S", re.MULTILINE)
_OPEN = re.compile(r"\bTBD\b|\?\?\?|\bto be (?:decided|determined|defined)\b", re.IGNORECASE)


def problems(name: str, file: str) -> Iterator[str]:
    with Path(file).open("rb") as source:
        text = source.read(_READ_BYTES).decode("utf-8", "replace")
    if not _STEP.search(text):
        yield f"{name} names no step: list them, one a line"
    for number, line in enumerate(text.splitlines(), 1):
        if found := _OPEN.search(line):
            yield f"{name}:{number}: {found[0]} is left to be decided"
