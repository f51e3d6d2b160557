"""What a prompt says about its work, as places in the tables of weights: facts that have names, and hashed words."""

from routing.features import CODES, SLOTS, Text

# Order matters: a fact's place is its number in the tables of weights. bench/routing/vocabulary.py has the words.
GROUPS = (
    "mechanical words",
    "lookup words",
    "run words",
    "small words",
    "feature words",
    "test words",
    "bug words",
    "restructuring words",
    "review words",
    "explanation words",
    "operations words",
    "concurrency words",
    "memory words",
    "security words",
    "proof words",
    "design words",
    "scale words",
    "incident words",
    "stakes words",
    "destructive words",
    "breadth words",
    "reasoning words",
    "constraint words",
    "hedged words",
    "generated code words",
)
OPENINGS = (
    "asks a short fact",
    "asks a mechanical edit",
    "asks to run something",
    "asks to build something",
    "asks for a repair",
    "asks for restructuring",
    "asks for a judgement",
    "asks for an explanation",
    "asks for a design",
)
_TEST, _MECHANICAL, _STAKES, _DESTRUCTIVE = (
    GROUPS.index(name + " words") for name in ("test", "mechanical", "stakes", "destructive")
)
_DEEP = (*range(GROUPS.index("concurrency words"), GROUPS.index("proof words") + 1), 16, 17)
_RUN = OPENINGS.index("asks to run something")
_COUNTED = 3  # of a group's words: more say nothing more
_FINGERPRINTS = 1024

# Each list of limits is a thermometer: one fact for each limit that is passed.
_LENGTHS = (2, 4, 6, 9, 14, 22, 34, 50, 75, 120, 200)
_SIZES = (40, 80, 120, 160, 200, 250, 300, 360, 430, 520, 640, 800, 1000, 1300, 1800, 2600)
_PASTED = (0, 1, 5, 15, 40)
_CLAUSES = (0, 1, 2, 4, 8)
_SENTENCES = (0, 1, 2, 4, 8)
_NUMBERS = (0, 1, 2, 3, 4, 5, 6, 8, 11)
_PATHS = (0, 1, 2)
_TRACES = (b"Traceback", b"Error:", b"Exception", b"panic:", b"    at ", b"fatal:", b"FAILED", b"==ERROR", b"npm ERR")
_MEASURED = (
    ("length", _LENGTHS),
    ("size", _SIZES),
    ("pasted lines", _PASTED),
    ("clauses", _CLAUSES),
    ("sentences", _SENTENCES),
    ("numbers", _NUMBERS),
    ("files named", _PATHS),
    ("deep words of several kinds", (0, 1, 2)),
)
_SEEN = (
    "names an identifier",
    "quotes a text",
    "is a question",
    "ends as a question",
    "stack trace",
    "not English",
    "wide script",
    "lists items",
    "offers answers to choose from",
    "mathematical notation",
    "short and mechanical",
    "short, nothing deep",
    "short and to be run",
    "deep words and high stakes",
    "question with deep words",
    "pasted, few words",
)
NAMES: tuple[str, ...] = (
    "baseline",
    *(name for name in GROUPS for _ in range(_COUNTED)),
    *OPENINGS,
    *(name for name, limits in _MEASURED for _ in limits),
    *_SEEN,
)
_FIRST_OPENING = 1 + _COUNTED * len(GROUPS)
_FIRST_MEASURED = _FIRST_OPENING + len(OPENINGS)
_FIRST_SEEN = len(NAMES) - len(_SEEN)
_STEPS = tuple(
    (_FIRST_MEASURED + sum(len(limits) for _, limits in _MEASURED[:i]), limits)
    for i, (_, limits) in enumerate(_MEASURED)
)
_HIGH = bytes(range(128, 256))


class Lexicon:
    """Which groups a word or pair belongs to: open addressing, two bytes a slot, ten bits of them a fingerprint."""

    __slots__ = ("groups", "slots")

    def __init__(self, slots: memoryview, groups: list[tuple[int, ...]]) -> None:
        self.slots = slots
        self.groups = groups

    def of(self, code: int) -> tuple[int, ...]:
        slot, mark = code % SLOTS, fingerprint(code)
        while entry := self.slots[slot]:
            if entry >> 6 == mark:
                return self.groups[entry & 63]
            slot = (slot + 1) % SLOTS
        return ()


def fingerprint(code: int) -> int:
    return code // SLOTS % _FINGERPRINTS or 1  # an entry of 0 is an empty slot


def code_of(term: bytes) -> int:
    return int.from_bytes(term, "little") % CODES


def read(text: Text, lexicon: Lexicon) -> tuple[list[int], list[int]]:
    """The places of the facts that hold, and the codes of the terms."""
    number, slots = int.from_bytes, lexicon.slots
    terms = text.terms.union(_wide_pairs(text)) if text.wide else text.terms
    codes = [number(term, "little") % CODES for term in terms]
    counts = [0] * len(GROUPS)
    for code in [code for code in codes if slots[code % SLOTS]]:
        for group in lexicon.of(code):
            counts[group] += 1
    return _facts(text, counts, _opening(text, lexicon)), codes


def _wide_pairs(text: Text) -> list[bytes]:
    """Two characters each of a script that has no spaces between words."""
    wide = text.ask.decode("utf-8", "replace")
    return [(one + other).encode() for one, other in zip(wide, wide[1:], strict=False) if one > "\u2e80"]  # noqa: RUF007


def says_nothing(facts: list[int]) -> bool:
    """No word of a known group is among them."""
    return not any(0 < fact < _FIRST_MEASURED for fact in facts)


def _opening(text: Text, lexicon: Lexicon) -> int:
    word, pair = text.first_words()
    for start in (pair, word):
        for group in lexicon.of(code_of(b"^" + start)):
            return group
    return -1


def _facts(text: Text, counts: list[int], opening: int) -> list[int]:
    size, ask, raw = text.size, text.ask, text.raw
    if opening == _RUN and size <= 14:
        counts[_TEST] = 0  # to run tests is not to write them
    kinds = sum(counts[group] > 0 for group in _DEEP)
    facts = [0]
    facts += [1 + _COUNTED * i + min(count, _COUNTED) - 1 for i, count in enumerate(counts) if count]
    if opening >= 0:
        facts.append(_FIRST_OPENING + opening)
    for value, (first, limits) in zip(_measured(text, kinds), _STEPS, strict=True):
        if value > limits[0]:
            facts += range(first, first + _passed(value, limits))
    foreign = 0 if ask.isascii() else len(ask) - len(ask.translate(None, _HIGH))
    asks = b"?" in ask
    seen = (
        text.idents,
        text.quoted,
        asks,
        asks and ask.rstrip().endswith(b"?"),
        text.pasted and any(mark in raw for mark in _TRACES),
        foreign * 33 > len(ask),
        text.wide,
        b"\n- " in raw or b"\n1. " in raw or b"\n* " in raw,
        b"\nB. " in raw or b"\nB) " in raw or b" (B) " in raw or b"\n(B)" in raw,
        (b"\\" in raw and (b"boxed" in raw or b"\\frac" in raw)) or raw.count(b"$") > 3,
        size <= 14 and counts[_MECHANICAL] and not kinds,
        size <= 22 and not kinds and not counts[_DESTRUCTIVE],
        size <= 14 and not kinds and opening == _RUN,
        kinds and counts[_STAKES],
        asks and kinds > 1,
        text.pasted > 3 and size < 20,
    )
    facts += [_FIRST_SEEN + i for i, fact in enumerate(seen) if fact]
    return facts


def _passed(value: int, limits: tuple[int, ...]) -> int:
    for i, limit in enumerate(limits):
        if value <= limit:
            return i
    return len(limits)


def _measured(text: Text, kinds: int) -> tuple[int, ...]:
    ask = text.ask
    return (
        text.size,
        text.letters,
        text.pasted,
        ask.count(b",") + ask.count(b";") + text.words.count(b"and") + ask.count(b" - "),
        ask.count(b". ") + ask.count(b"? ") + ask.count(b".\n") + ask.count(b"\n\n"),
        text.numbers,
        text.paths,
        kinds,
    )
