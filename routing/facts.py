"""What a prompt says about its work, as places in the tables of weights: facts that have names, and hashed words."""

from routing.features import BUCKETS, CODES, LINE, SLOTS, WORD_LIMIT, WORDS_AT_END, Text

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
_DEEP = frozenset((*range(GROUPS.index("concurrency words"), GROUPS.index("proof words") + 1), 16, 17))
_AND = b"and"
_QUESTION, _BACKSLASH, _DASH, _DOT, _BRACKET, _DOLLAR = b"?\\-.($"
_ITEMS = frozenset((b"- ", b"* ", b"1. "))  # at the beginning of a line
_CHOICES = frozenset((b"B. ", b"B) ", b"(B)"))
_RUN = OPENINGS.index("asks to run something")
_COUNTED = 3  # of a group's words: more say nothing more
_MARKS = 1023  # all bits of a fingerprint

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
        slots, groups, found, size = self.slots, self.groups, [], SLOTS
        for code in codes:
            if entry := slots[slot := code % size]:
                mark = code // size & _MARKS or 1
                while entry >> 6 != mark:
                    slot += 1
                    entry = slots[slot % size]
                    if not entry:
                        break
                else:
                    found.append(groups[entry & 63])
        return found


def fingerprint(code: int) -> int:
    return code // SLOTS & _MARKS or 1  # an entry of 0 is an empty slot


def code_of(term: bytes) -> int:
    return int.from_bytes(term) % CODES


def read(text: Text, lexicon: Lexicon) -> tuple[list[int], list[int]]:
    """The places of the facts that hold, of a thermometer the last, and of the terms among the hashed weights."""
    terms = text.terms.union(_wide_pairs(text)) if text.wide else text.terms
    codes = [number % CODES for number in map(int.from_bytes, terms)]
    stems = [*map(int.from_bytes, text.stems)]
    # In ASCII the lexicon has no beginnings of words.
    hits = lexicon.found(codes if text.ask.isascii() else codes + [number % CODES for number in stems])
    return _facts(text, hits, _opening(text, lexicon)), [number % BUCKETS for number in codes + stems]


def _wide_pairs(text: Text) -> list[bytes]:
    """Two characters each of a script that has no spaces between words."""
    *parts, last = text.ask.decode("utf-8", "replace").split(" ")
    # Of a part in ASCII no pair begins; without it the one before is still followed by a space, or by the last.
    wide = " ".join([*[part for part in parts if not part.isascii()], last])
    if len(wide) > 2 * WORD_LIMIT:
        wide = wide[: 2 * (WORD_LIMIT - WORDS_AT_END)] + wide[-2 * WORDS_AT_END :]
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
    counts: dict[int, int] = {}
    for groups in hits:
        for group in groups:
            counts[group] = counts.get(group, 0) + 1
    if opening == _RUN and size <= 14:
        counts.pop(_TEST, None)  # to run tests is not to write them
    facts, kinds = [0], 0
    if counts:
        for group in sorted(counts):
            count = counts[group]
            facts.append(_COUNTED * group + (count if count < _COUNTED else _COUNTED))
        kinds = len(_DEEP.intersection(counts))
    if opening >= 0:
        facts.append(_FIRST_OPENING + opening)
    for value, (before, limits) in zip(_measured(text, kinds), _STEPS, strict=True):
        if value > limits[0]:
            place = before
            for limit in limits:
                if value <= limit:
                    break
                place += 1
            facts.append(place)
    facts += _seen(text, kinds, size, counts, opening)
    return facts


def _seen(text: Text, kinds: int, size: int, counts: dict[int, int], opening: int) -> list[int]:
    ask, raw = text.ask, text.raw
    asks = _QUESTION in ask
    starts = _line_starts(raw) if LINE in raw else ()
    seen = (
        text.idents,
        text.quoted,
        asks,
        asks and ask.rstrip().endswith(b"?"),
        text.pasted and any(mark in raw for mark in _TRACES),
        not ask.isascii() and (len(ask) - len(ask.translate(None, _HIGH))) * 33 > len(ask),
        text.wide,
        not _ITEMS.isdisjoint(starts),
        not _CHOICES.isdisjoint(starts) or (_BRACKET in raw and raw.find(b" (B) ") >= 0),
        (_BACKSLASH in raw and (b"boxed" in raw or b"\\frac" in raw)) or (_DOLLAR in raw and raw.count(b"$") > 3),
        size <= 14 and not kinds and _MECHANICAL in counts,
        size <= 22 and not kinds and _DESTRUCTIVE not in counts,
        size <= 14 and not kinds and opening == _RUN,
        kinds and _STAKES in counts,
        asks and kinds > 1,
        size < 20 and text.pasted > 3,
    )
    return [place for place, fact in enumerate(seen, _FIRST_SEEN) if fact]


def _line_starts(raw: bytes) -> set[bytes]:
    """The first two and the first three bytes of every line but the first."""
    starts = {line[:3] for line in raw.split(b"\n")[1:]}
    return starts.union([start[:2] for start in starts])


def _measured(text: Text, kinds: int) -> tuple[int, ...]:
    ask = text.ask
    count = ask.count
    clauses = count(b",") + count(b";") + (count(b" - ") if _DASH in ask else 0)
    sentences = (count(b". ") if _DOT in ask else 0) + (count(b"? ") if _QUESTION in ask else 0)
    return (
        text.size,
        text.letters,
        text.pasted,
        clauses + text.words.count(_AND) if _AND in text.terms else clauses,
        sentences + count(b".\n") + count(b"\n\n") if LINE in ask else sentences,
        text.numbers,
        text.paths,
        kinds,
    )
