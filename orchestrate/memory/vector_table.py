"""What words mean, as numbers: a static table made from a sentence model (bench/search/distill.py), not the model.

A text is the sum of its words. A word that the table lacks is read by its parts, as the model's vocabulary has them.
"""

import re
import struct
import zlib
from collections.abc import Sequence
from functools import cache
from operator import add, mul
from pathlib import Path

FILE = Path(__file__).with_name("vectors.bin")
MOST_WORDS = 120  # of a text
MOST_LETTERS = 40  # of a word
_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_HEAD = struct.Struct("<HII")
Numbers = Sequence[int]


class Table:
    """`words` leads to the place of each entry; a part that does not begin a word has ## before it."""

    def __init__(self, raw: bytes) -> None:
        body = zlib.decompress(raw)
        self.dimensions, count, size = _HEAD.unpack_from(body)
        start = _HEAD.size
        self.words = {word: at for at, word in enumerate(body[start : start + size].decode().split("\n"))}
        self._levels = body[start + size : start + size + count]
        self._packed = body[start + size + count :]
        self._known: dict[int, Numbers] = {}

    def numbers(self, at: int) -> Numbers:
        if at not in self._known:
            step, level = self.dimensions // 2, self._levels[at]
            packed = self._packed[at * step : (at + 1) * step]
            self._known[at] = [level * ((byte >> shift & 15) - 8) for byte in packed for shift in (4, 0)]
        return self._known[at]

    def entries(self, word: str) -> list[int]:
        """Of the word, or of the longest parts it can be read as."""
        if word in self.words:
            return [self.words[word]]
        word = word[:MOST_LETTERS]
        found: list[int] = []
        at, before = 0, ""
        while at < len(word):
            end = next((end for end in range(len(word), at, -1) if before + word[at:end] in self.words), 0)
            if not end:
                return found
            found.append(self.words[before + word[at:end]])
            at, before = end, "##"
        return found


@cache
def table() -> Table:
    return Table(FILE.read_bytes())


def vector(text: str) -> bytes:
    """A signed byte for each dimension, all of one length; empty where no word is known."""
    known = table()
    words = dict.fromkeys(part.lower() for part in _PART.findall(text)[: 4 * MOST_WORDS])
    rows = [known.numbers(at) for word in list(words)[:MOST_WORDS] if len(word) > 1 for at in known.entries(word)]
    if not rows:
        return b""
    whole = list(rows[0])
    for row in rows[1:]:
        whole = list(map(add, whole, row))
    length = sum(number * number for number in whole) ** 0.5 or 1.0
    return bytes(max(-127, min(127, round(number * 254 / length))) & 255 for number in whole)


def nearness(one: bytes, other: bytes) -> float:
    """The cosine of the angle between two vectors: 1 is the same."""
    return _dot(memoryview(one).cast("b"), memoryview(other).cast("b")) / (254 * 254)


def _dot(one: Sequence[int], other: Sequence[int]) -> int:
    return sum(map(mul, one, other))
