"""Cutting the texts of a JSON value so that it fits: the longest are cut, all to the same size, and each says so."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence

from state import codec

MARK = "\n[truncated]"


def fit(value: object, limit: int) -> tuple[object, list[str]]:
    """The value in at most so many bytes of JSON, as far as cutting its texts can do that; and where it was cut."""
    texts, size = dict(_texts(value)), _size(value)
    if size <= limit:
        return value, []
    short = fitted(list(texts.values()), limit - size + sum(map(_size, texts.values())), _size)
    cuts = [path for path, new in zip(texts, short, strict=True) if new is not texts[path]]
    return _with_texts(value, iter(short)), cuts


def fitted(texts: Sequence[str], budget: int, size: Callable[[str], int]) -> list[str]:
    """As `size` measures them; those that stay whole are the same objects. What is cut keeps at least the mark."""
    sizes = [size(text) for text in texts]
    most = _level(sizes, budget)
    return [_cut(text, most, size) if each > most else text for text, each in zip(texts, sizes, strict=True)]


def _cut(text: str, limit: int, size: Callable[[str], int]) -> str:
    """The longest beginning that fits together with the mark."""
    lengths = range(min(len(text), max(0, limit)) + 1)
    fitting = bisect_right(lengths, limit, key=lambda length: size(text[:length] + MARK))
    return text[: max(0, fitting - 1)] + MARK


def _level(sizes: Sequence[int], budget: int) -> int:
    """The size that none may exceed so that all fit."""
    ordered = sorted(sizes)
    for index, size in enumerate(ordered):
        share = max(0, budget) // (len(ordered) - index)
        if size > share:
            return share
        budget -= size
    return ordered[-1] if ordered else 0


def _texts(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield from _texts(member, f"{path}.{key}" if path else str(key))


def _with_texts(value: object, texts: Iterator[str]) -> object:
    if isinstance(value, str):
        return next(texts)
    if isinstance(value, dict):
        return {key: _with_texts(member, texts) for key, member in value.items()}
    return [_with_texts(member, texts) for member in value] if isinstance(value, list) else value


def _size(value: object) -> int:
    return len(codec.dumps(value))
