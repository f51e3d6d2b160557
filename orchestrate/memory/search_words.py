"""Whether a text has what is asked for, where no index knows: as the index would say."""

import re
from collections.abc import Sequence
from functools import lru_cache

from state.store.search_terms import Term

_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)")


def has_all(text: str, terms: Sequence[Term]) -> bool:
    """Each term, by the beginnings of its words; punctuation alone as it was typed. `text` may be JSON."""
    low = _ESCAPE.sub(" ", text.lower()) if "\\" in text else text.lower()
    return bool(terms) and all(_pattern(term).search(low) for term in terms)


@lru_cache(64)
def _pattern(term: Term) -> re.Pattern[str]:
    if not term.words:
        return re.compile(re.escape(term.text))
    return re.compile(r"(?<![^\W_])" + r"[\W_]+".join(map(re.escape, term.words)))
