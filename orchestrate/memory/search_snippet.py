"""The part of a text where the terms are, and where in it they stand."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from state.store.search_terms import SHORTEST_PREFIX, Term

CHARS = 160
_BEFORE = 40
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|(.))")
_BLANK = re.compile(r"\s+")
_SHOWN = {"n": " ", "r": " ", "t": " ", "b": " ", "f": " "}


class Snippet(NamedTuple):
    text: str
    marks: tuple[tuple[int, int], ...]  # beginning and end of each place where a term is


def snippet(payload: str, terms: Sequence[Term], clean: Callable[[str], str]) -> Snippet:
    """`payload` is JSON. `clean` takes out what would steer a terminal, and leaves all else in its place."""
    pattern = _pattern([_anywhere(term) for term in terms])
    found = pattern.search(payload) if pattern else None
    start = max(0, found.start() - _BEFORE) if found else 0
    text = _BLANK.sub(" ", clean(_readable(payload[start : start + 2 * CHARS]))).strip()
    ends = start + 2 * CHARS < len(payload) or len(text) > CHARS
    shown = ("…" if start else "") + text[:CHARS] + ("…" if ends else "")
    marks = _pattern([_in(shown, term) for term in terms])
    return Snippet(shown, tuple(match.span() for match in marks.finditer(shown)) if marks else ())


def marked(found: Snippet, mark: Callable[[str], str]) -> str:
    parts, at = [], 0
    for begin, end in found.marks:
        parts += [found.text[at:begin], mark(found.text[begin:end])]
        at = end
    return "".join([*parts, found.text[at:]])


def _pattern(looks: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(sorted(looks, key=len, reverse=True)), re.IGNORECASE) if looks else None


def _anywhere(term: Term) -> str:
    """Punctuation as it was typed."""
    return r"[\W_]+".join(map(re.escape, term.words)) or re.escape(term.text)


def _in(text: str, term: Term) -> str:
    """How a term stands in a text: at the beginnings of words, else within them; a short one as a word alone."""
    look = _anywhere(term)
    if not term.words:
        return look
    is_short = len(term.words[-1]) < SHORTEST_PREFIX
    begins = rf"(?<![^\W_]){look}" + (r"(?![^\W_])" if is_short else "")
    if is_short or re.search(begins, text, re.IGNORECASE):
        return begins
    return look


def _readable(text: str) -> str:
    """Without the escapes of JSON."""
    return _ESCAPE.sub(lambda match: _SHOWN.get(match[1], match[1]) if match[1] else " ", text)
