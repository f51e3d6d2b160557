"""The lists of vocabulary.py as the table of slots that routing.facts.Lexicon reads."""

from array import array

import vocabulary

from routing.facts import GROUPS, OPENINGS, code_of, fingerprint
from routing.features import SLOTS

WIDE_FROM = "\u2e80"
STEM_BYTES = 8


def built() -> tuple[memoryview, list[tuple[int, ...]]]:
    terms = _terms()
    groups = sorted({tuple(sorted(places)) for places in terms.values()})
    if len(groups) > 64:
        raise ValueError(f"{len(groups)} combinations of groups: an entry of the lexicon tells 64 apart")
    slots = array("H", bytes(2 * SLOTS))
    for term, places in sorted(terms.items()):
        code = code_of(term)
        slot = code % SLOTS
        while slots[slot]:
            slot = (slot + 1) % SLOTS
        slots[slot] = fingerprint(code) << 6 | groups.index(tuple(sorted(places)))
    return memoryview(slots), groups


def _terms() -> dict[bytes, set[int]]:
    terms: dict[bytes, set[int]] = {}
    for place, name in enumerate(GROUPS):
        for term in vocabulary.GROUPS[name].split(","):
            terms.setdefault(term.encode(), set()).add(place)
        for part in vocabulary.SUBSTRINGS.get(name, ()):
            terms.setdefault(_beginning(part), set()).add(place)
    for place, name in enumerate(OPENINGS):
        for term in vocabulary.OPENINGS[name].split(","):
            terms.setdefault(b"^" + term.encode(), {place})
    return terms


def _beginning(part: str) -> bytes:
    """Of a script without spaces two characters are a term, of any other the beginning of a word."""
    return part[:2].encode() if part[0] > WIDE_FROM else b"~" + part.encode()[:STEM_BYTES]
