"""How well a text answers, and how new it is. Pure: the same on every engine, and each part can be shown.

The text's part is BM25 over what was found: a term that few of the texts have counts more, its tenth time in a text
counts less than its second, and a short text more than a long one. It is 1 where every term is there very often.
"""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from state.store.search_terms import Term

TEXT_WEIGHT = 0.75
RECENCY_WEIGHT = 0.25
HALF_LIFE_DAYS = 14.0
FURTHER = 0.3  # so much does a term weigh that nobody asked for himself
TITLE = 2  # so much does a term in the type or the entity count
_SATURATION = 1.2
_LENGTH = 0.5


class Candidate(NamedTuple):
    title: str
    text: str
    age_days: float
    sure: int  # so many of the first terms an index says are there, perhaps beyond the part of the text that is here
    near: float = 0.0  # in meaning, which stands for the text where it is more


class Parts(NamedTuple):
    score: float
    text: float
    recency: float
    counts: tuple[int, ...]  # how often each term is there


def rank(candidates: Sequence[Candidate], terms: Sequence[Term], asked: int | None = None) -> list[Parts]:
    """In the order of the candidates. The first terms were asked for; the rest are further words."""
    columns = _columns(candidates, terms)
    weights = _weights(columns, len(candidates), len(terms) if asked is None else asked)
    mean = sum(len(candidate.text) for candidate in candidates) / (len(candidates) or 1) or 1.0
    damping = [_SATURATION * (1 - _LENGTH + _LENGTH * len(candidate.text) / mean) for candidate in candidates]
    said = [0.0] * len(candidates)
    for weight, counts in zip(weights, columns, strict=True):
        said = [
            whole + weight * count / (count + damp) for whole, count, damp in zip(said, counts, damping, strict=True)
        ]
    texts = [max(candidate.near, value) for candidate, value in zip(candidates, said, strict=True)]
    ages = [recency(candidate.age_days) for candidate in candidates]
    counted = list(zip(*columns, strict=True)) if columns else [()] * len(candidates)
    return [
        Parts(TEXT_WEIGHT * text + RECENCY_WEIGHT * new, text, new, counts)
        for text, new, counts in zip(texts, ages, counted, strict=True)
    ]


def recency(age_days: float) -> float:
    """1 now, half of it after each half-life."""
    return float(0.5 ** (max(age_days, 0.0) / HALF_LIFE_DAYS))


def _counter(term: Term) -> re.Pattern[str] | str:
    """What a term of one word is looked for with is much cheaper than what may stand between several."""
    if len(term.words) < 2:
        return "".join(term.words) or term.text
    return re.compile(r"[\W_]+".join(map(re.escape, term.words)))


def _columns(candidates: Sequence[Candidate], terms: Sequence[Term]) -> list[list[int]]:
    """For each term how often each candidate has it. Whole columns at a time: thousands are ranked for one search."""
    titles, texts = [each.title.lower() for each in candidates], [each.text.lower() for each in candidates]
    columns = []
    for at, counter in enumerate(map(_counter, terms)):
        sure = [int(at < each.sure) for each in candidates]
        said, titled = _counts(counter, texts), _counts(counter, titles)
        columns.append([a + TITLE * b or c for a, b, c in zip(said, titled, sure, strict=True)])
    return columns


def _counts(counter: re.Pattern[str] | str, texts: Sequence[str]) -> list[int]:
    if isinstance(counter, str):
        return [text.count(counter) for text in texts]
    return [len(counter.findall(text)) for text in texts]


def _weights(columns: Sequence[Sequence[int]], candidates: int, asked: int) -> list[float]:
    having = [candidates - counts.count(0) for counts in columns]
    weights = [math.log(1 + (candidates - number + 0.5) / (number + 0.5)) + 0.1 for number in having]
    weights = [weight * (1.0 if at < asked else FURTHER) for at, weight in enumerate(weights)]
    whole = sum(weights) or 1.0
    return [weight / whole for weight in weights]
