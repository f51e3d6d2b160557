"""Bugs that may be the same although their hashes differ. It is told, to one who can know, and nothing is merged."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from orchestrate.memory import bug_text
from state.store.bug_records import Bug

# Where the labelled pairs of the tests are told apart best without calling two bugs one that are not.
NEAR = 0.45
SAME_FILE = 0.08
SHOWN_MOST = 3
COMPARED_MOST = 1000  # those seen last
_TEXT_MOST = 400
_WORD = re.compile(r"[A-Za-z]+|#")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Near(NamedTuple):
    bug: Bug
    score: float


class _Marks(NamedTuple):
    words: frozenset[str]
    trigrams: frozenset[str]


def near(bug: Bug, others: Iterable[Bug], root: str) -> list[Near]:
    """The likest first."""
    marks = _marks(bug.original, root)
    scored = [Near(other, _score(bug, marks, other, root)) for other in others if other.bug_hash != bug.bug_hash]
    found = sorted((one for one in scored if one.score >= NEAR), key=lambda one: (-one.score, one.bug.bug_hash))
    return found[:SHOWN_MOST]


def likeness(one: str, other: str, root: str = "/") -> float:
    """Of two messages, 0 to 1."""
    return _alike(_marks(one, root), _marks(other, root))


def _score(bug: Bug, marks: _Marks, other: Bug, root: str) -> float:
    alike = _alike(marks, _marks(other.original, root))
    is_same_file = bug.file_path is not None and bug.file_path == other.file_path
    return min(1.0, round(alike + SAME_FILE * is_same_file, 2))


def _alike(one: _Marks, other: _Marks) -> float:
    """Words say what it is about, their letters forgive how it is spelt."""
    return (_jaccard(one.words, other.words) + _dice(one.trigrams, other.trigrams)) / 2


def _marks(message: str, root: str) -> _Marks:
    text = " ".join(_WORD.findall(_HUMP.sub(" ", bug_text.normalised(message[:_TEXT_MOST], root)))).lower()
    return _Marks(frozenset(text.split()), frozenset(text[at : at + 3] for at in range(max(1, len(text) - 2))))


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / (len(one | other) or 1)


def _dice(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / ((len(one) + len(other)) or 1)
