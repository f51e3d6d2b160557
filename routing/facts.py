"""What a prompt says about its work, as places in the tables of weights: facts that have names, and hashed words."""

from routing.features import BUCKETS, CODES, SLOTS, Text

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

# Each list of limits is a thermometer: one fact for each limit that is passed. The last one passed stands for all.
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
    (_FIRST_MEASURED + sum(len(limits) for _, limits in _MEASURED[:i]) - 1, limits)
    for i, (_, limits) in enumerate(_MEASURED)
)
_HIGH = bytes(range(128, 256))


class Lexicon:
    """Which groups a word or pair belongs to: open addressing, two bytes a slot, ten bits of them a fingerprint."""

    __slots__ = ("groups", "slots")

    def __init__(self, slots: memoryview, groups: list[tuple[int, ...]]) -> None:
        self.slots = slots
        self.groups = groups

    def found(self, codes: list[int]) -> list[tuple[int, ...]]:
        """The groups of each code that is in it."""
        slots, groups, found = self.slots, self.groups, []
        for code in codes:
            if entry := slots[slot := code % SLOTS]:
                mark = code // SLOTS % _FINGERPRINTS or 1
                while entry and entry >> 6 != mark:
                    slot = (slot + 1) % SLOTS
                    entry = slots[slot]
                if entry:
                    found.append(groups[entry & 63])
        return found


def fingerprint(code: int) -> int:
    return code // SLOTS % _FINGERPRINTS or 1  # an entry of 0 is an empty slot


def code_of(term: bytes) -> int:
    return int.from_bytes(term) % CODES


def read(text: Text, lexicon: Lexicon) -> tuple[list[int], list[int]]:
    """The places of the facts that hold, of a thermometer the last, and of the terms among the hashed weights."""
    terms = text.terms.union(_wide_pairs(text)) if text.wide else text.terms
    codes = [number % CODES for number in map(int.from_bytes, (*terms, *text.stems))]
    # In ASCII the lexicon has no beginnings of words.
    hits = lexicon.found(codes[: len(terms)] if text.ask.isascii() else codes)
    return _facts(text, hits, _opening(text, lexicon)), [code % BUCKETS for code in codes]


def _wide_pairs(text: Text) -> list[bytes]:
    """Two characters each of a script that has no spaces between words."""
    wide = text.ask.decode("utf-8", "replace")
    return [(one + other).encode() for one, other in zip(wide, wide[1:], strict=False) if one > "\u2e80"]  # noqa: RUF007


def says_nothing(facts: list[int]) -> bool:
    """No word of a known group is among them."""
    return not any(0 < fact < _FIRST_MEASURED for fact in facts)


def _opening(text: Text, lexicon: Lexicon) -> int:
    word, pair = text.first
    for groups in lexicon.found([code_of(b"^" + pair), code_of(b"^" + word)]):
        if groups[0] < len(OPENINGS):  # else another term has its fingerprint
            return groups[0]
    return -1


def expanded(facts: list[int]) -> list[int]:
    """With all that a thermometer has passed."""
    firsts = {before + step: before + 1 for before, limits in _STEPS for step in range(1, len(limits) + 1)}
    return [place for fact in facts for place in range(firsts.get(fact, fact), fact + 1)]


def _facts(text: Text, hits: list[tuple[int, ...]], opening: int) -> list[int]:
    size = text.size
    counts = [0] * len(GROUPS)
    for groups in hits:
        for group in groups:
            counts[group] += 1
    if opening == _RUN and size <= 14:
        counts[_TEST] = 0  # to run tests is not to write them
    facts, kinds = [0], 0
    if hits:
        facts += [_COUNTED * i + (count if count < _COUNTED else _COUNTED) for i, count in enumerate(counts) if count]
        kinds = sum([counts[group] > 0 for group in _DEEP])
    if opening >= 0:
        facts.append(_FIRST_OPENING + opening)
    for value, (before, limits) in zip(_measured(text, kinds), _STEPS, strict=True):
        if value > limits[0]:
            facts.append(before + _passed(value, limits))
    facts += _seen(text, kinds, size, counts, opening)
    return facts


def _seen(text: Text, kinds: int, size: int, counts: list[int], opening: int) -> list[int]:
    ask, raw = text.ask, text.raw
    asks = b"?" in ask
    has_lines = b"\n" in raw
    seen = (
        text.idents,
        text.quoted,
        asks,
        asks and ask.rstrip().endswith(b"?"),
        text.pasted and any(mark in raw for mark in _TRACES),
        not ask.isascii() and (len(ask) - len(ask.translate(None, _HIGH))) * 33 > len(ask),
        text.wide,
        has_lines and (b"\n- " in raw or b"\n1. " in raw or b"\n* " in raw),
        (has_lines and (b"\nB. " in raw or b"\nB) " in raw or b"\n(B)" in raw)) or b" (B) " in raw,
        (b"\\" in raw and (b"boxed" in raw or b"\\frac" in raw)) or raw.count(b"$") > 3,
        size <= 14 and counts[_MECHANICAL] and not kinds,
        size <= 22 and not kinds and not counts[_DESTRUCTIVE],
        size <= 14 and not kinds and opening == _RUN,
        kinds and counts[_STAKES],
        asks and kinds > 1,
        size < 20 and text.pasted > 3,
    )
    return [place for place, fact in enumerate(seen, _FIRST_SEEN) if fact]


def _passed(value: int, limits: tuple[int, ...]) -> int:
    passed = 0
    for limit in limits:
        if value <= limit:
            return passed
        passed += 1
    return passed


def _measured(text: Text, kinds: int) -> tuple[int, ...]:
    count = text.ask.count
    return (
        text.size,
        text.letters,
        text.pasted,
        count(b",") + count(b";") + text.words.count(b"and") + count(b" - "),
        count(b". ") + count(b"? ") + count(b".\n") + count(b"\n\n"),
        text.numbers,
        text.paths,
        kinds,
    )
