"""Searching what was told: look, look wider while too little is found, rank what is newest of it.

Each look takes the newest MOST that it finds, however many there are: a word that half of all events have costs no more
than one that few have. What a look finds is ranked together with what the looks before it found.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from orchestrate.memory import archive_read, search_rank, search_sources, vector_driver
from orchestrate.memory.archive_read import Damaged
from orchestrate.memory.search_found import ARCHIVED, EVENT, Answer, Item, Ranked, Wanted
from orchestrate.memory.search_rank import Parts
from orchestrate.memory.search_snippet import snippet
from state.paths import Place
from state.store import Store
from state.store.search_records import Hit
from state.store.search_terms import HOW, Term, terms

MOST = 2000
WITHIN = "within words"
MORE = "further words"
VECTOR = "meaning"
DRIVERS = ("fulltext", "vector")


def search(
    place: Place,
    store: Store,
    wanted: Wanted,
    clean: Callable[[str], str],
    now: float | None = None,
    damaged: Damaged | None = None,
) -> Answer:
    """What is wrong with an archive is put into `damaged`."""
    asked = terms(wanted.query)
    found: dict[str, Item] = {}
    stages: dict[str, int] = {}
    for name, items in _looks(place, store, wanted, asked, {} if damaged is None else damaged):
        before = len(found)
        for item in items:
            known = found.setdefault(item.id, item)
            if item.near > known.near:
                found[item.id] = known._replace(near=item.near)
        stages[name] = len(found) - before
    every = [*asked, *_more(wanted)]
    hits = _ranked(found.values(), every, len(asked), time.time() if now is None else now)[: wanted.limit]
    shown = _with_snippets(store, hits, every, clean)
    return Answer(tuple(asked), stages, len(found), tuple(shown))


def _looks(
    place: Place, store: Store, wanted: Wanted, asked: Sequence[Term], damaged: Damaged
) -> Iterable[tuple[str, list[Item]]]:
    yield from _events(store, wanted, asked)
    if wanted.driver == "vector":
        near = vector_driver.nearest(store, wanted.query, wanted.where.scope, wanted.since, wanted.limit)
        yield VECTOR, [_item(hit, VECTOR)._replace(near=value) for hit, value in near]
    if wanted.archived:
        yield ARCHIVED, archive_read.matching(place, store, wanted, asked, MOST, damaged)
    yield "bugs and knowledge", search_sources.matching(store, wanted.where, wanted.since, asked)


def _events(store: Store, wanted: Wanted, asked: Sequence[Term]) -> Iterable[tuple[str, list[Item]]]:
    scope, since, enough = wanted.where.scope, wanted.since, wanted.limit
    count = 0
    for how in HOW if len(asked) > 1 else HOW[:2]:
        hits = store.search.matching(asked, how, scope, since, MOST)
        yield how, [_item(hit, how) for hit in hits]
        if (count := max(count, len(hits))) >= enough:
            return
    if more := _more(wanted):
        yield MORE, [_item(hit, MORE) for hit in store.search.matching(more, "any", scope, since, MOST)]
    if count == 0 and asked:
        longest = max((term.text for term in asked), key=len)
        yield WITHIN, [_item(hit, WITHIN) for hit in store.search.holding(longest, scope, since, MOST)]


def _more(wanted: Wanted) -> list[Term]:
    return [term for word in wanted.more for term in terms(word)]


def _item(hit: Hit, how: str) -> Item:
    entity = (hit.entity_type, hit.entity_id)
    return Item(EVENT, hit.id, hit.ts, hit.type, hit.session, hit.task, entity, hit.text, hit.seq, how)


def _ranked(items: Iterable[Item], terms: Sequence[Term], asked: int, now: float) -> list[tuple[Item, Parts]]:
    """The first terms are what was asked; the rest are further words."""
    known = list(items)
    candidates = [item.candidate(_age_days(item.ts, now), asked if item.how in HOW[:2] else 0) for item in known]
    pairs = list(zip(known, search_rank.rank(candidates, terms, asked), strict=True))
    return sorted(pairs, key=lambda pair: (-pair[1].score, _later_first(pair[0])))


def _later_first(item: Item) -> tuple[int, str]:
    return -(item.seq or 0), item.id


def _age_days(ts: str, now: float) -> float:
    return (now - _seconds(ts)) / 86400


def _seconds(ts: str) -> float:
    """What a hand-edited store has for a time is as old as can be."""
    try:
        return datetime.fromisoformat(ts).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _with_snippets(
    store: Store, hits: Sequence[tuple[Item, Parts]], asked: Sequence[Term], clean: Callable[[str], str]
) -> list[Ranked]:
    texts = store.search.texts_of([item.seq for item, _ in hits if item.seq is not None])
    return [Ranked(item, parts, snippet(texts.get(item.seq or 0, item.text), asked, clean)) for item, parts in hits]
