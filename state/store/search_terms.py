"""What is asked for, as words, and how each engine is asked for them.

An event is found by the beginnings of its words. A word is letters and digits; case does not count. What is between,
as in `snake_case`, `src/app.py` or `TSK-001`, makes several words of a term, which have to follow one another.
Nothing of a query is an operator: it reaches an engine as letters and digits alone.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

MOST_TERMS = 16
MOST_CHARS = 1000
SHORTEST_PREFIX = 3  # shorter beginnings are found in half of all events, and are taken for whole words
_TERM = re.compile(r'"([^"]*)"|(\S+)')
_WORD = re.compile(r"[^\W_]+")
HOW = ("words", "beginnings", "any")  # all terms as whole words; by their beginnings; any of them so


class Term(NamedTuple):
    text: str  # as it was typed, in small letters
    words: tuple[str, ...]  # none where it is punctuation alone


class Scope(NamedTuple):
    """Where to search; None: not narrowed so."""

    sessions: tuple[str, ...] | None = None
    tasks: tuple[str, ...] | None = None


def terms(query: str) -> list[Term]:
    """Each once, in their order. What stands in double quotes is one term."""
    text = unicodedata.normalize("NFC", query[:MOST_CHARS].replace("\0", " ")).lower()
    found = [(quoted or word).strip() for quoted, word in _TERM.findall(text)]
    made = dict.fromkeys(Term(term, tuple(_WORD.findall(term))) for term in found if term)
    return list(made)[:MOST_TERMS]


def expression(dialect: str, terms: Sequence[Term], how: str, scope: Scope) -> str:
    """Empty where no term has a word."""
    spoken = [term for term in terms if term.words]
    return _EXPRESSIONS[dialect](spoken, how, scope) if spoken else ""


def pattern(text: str) -> str:
    """For LIKE with `!` as its escape."""
    return "%" + re.sub(r"([!%_])", r"!\1", text) + "%"


def _fts5(terms: Sequence[Term], how: str, scope: Scope) -> str:
    phrases = [f'"{" ".join(term.words)}"{" *" if _is_prefix(term, how) else ""}' for term in terms]
    said = f"said : ({(' OR ' if how == 'any' else ' AND ').join(phrases)})"
    names = [f"s{_name(name)}" for name in scope.sessions or ()] + [f"t{_name(name)}" for name in scope.tasks or ()]
    return f"scope : ({' OR '.join(names)}) AND {said}" if names else said


def _tsquery(terms: Sequence[Term], how: str, _scope: Scope) -> str:
    phrases = []
    for term in terms:
        *first, last = (f"'{word}'" for word in term.words)
        phrases.append("(" + " <-> ".join([*first, f"{last}:*" if _is_prefix(term, how) else last]) + ")")
    return (" | " if how == "any" else " & ").join(phrases)


_EXPRESSIONS = {"sqlite": _fts5, "postgres": _tsquery}


def _is_prefix(term: Term, how: str) -> bool:
    return how != "words" and len(term.words[-1]) >= SHORTEST_PREFIX


def _name(name: str) -> str:
    """A session or a task as one word, as the index has it."""
    return name[:128].encode("utf-8", "replace").hex()
