"""One search as a document: from the cache where nothing has changed since, with the figures of the scope if wanted."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime

from orchestrate.memory import archive_file, archive_read, search_cache
from orchestrate.memory.archive_read import Damaged
from orchestrate.memory.search import search
from orchestrate.memory.search_found import Wanted
from state import snapshot
from state.paths import Place
from state.store import Store
from state.store.search_records import Span

TYPES_SHOWN = 10
Document = dict[str, object]


def answer(
    place: Place,
    store: Store,
    wanted: Wanted,
    key_more: Mapping[str, object],
    is_summary: bool,
    ttl_s: float,
    clean: Callable[[str], str],
    damaged: Damaged | None = None,
) -> Document:
    """`key_more`: what was typed that the answer depends on, such as the age of --since. What is wrong with an archive
    is put into `damaged`, and what lacks its events is not kept."""
    damaged = {} if damaged is None else damaged
    began = time.perf_counter()
    key = search_cache.key_of({**_key(wanted), "summary": is_summary, **key_more})
    mark = _mark(place, store, wanted)
    found = search_cache.found(place, key, mark, ttl_s)
    is_kept = found is not None
    if found is None:
        found = _made(place, store, wanted, is_summary, clean, damaged)
        if ttl_s > 0 and not damaged and not (wanted.archived and archive_read.missing(place, store)):
            search_cache.keep(place, key, mark, found)
    head = {"query": wanted.query, "scope": wanted.where.kind, "id": wanted.where.id, "driver": wanted.driver}
    took_ms = round((time.perf_counter() - began) * 1000, 2)
    return {**head, "since": wanted.since or None, **found, "from_cache": is_kept, "took_ms": took_ms}


def _made(
    place: Place, store: Store, wanted: Wanted, is_summary: bool, clean: Callable[[str], str], damaged: Damaged
) -> Document:
    figures = _summary(place, store, wanted, damaged) if is_summary else {}
    hits = search(place, store, wanted, clean, damaged=damaged).as_json() if wanted.query.strip() else {}
    return {**figures, **hits}


def _mark(place: Place, store: Store, wanted: Wanted) -> tuple[object, ...]:
    """An archive that comes, goes or is changed makes it another too, where archives are searched."""
    names = archive_file.present(place) if wanted.archived else []
    archives = [snapshot.stamp(archive_file.path_of(place, name)) for name in names]
    return (*store.search.mark(wanted.where.scope), archives)


def _key(wanted: Wanted) -> Document:
    values = wanted._asdict()
    values["where"] = list(wanted.where[:2])
    return {name: value for name, value in values.items() if name != "since"}


def _summary(place: Place, store: Store, wanted: Wanted, damaged: Damaged) -> Document:
    span, types = (
        store.search.span(wanted.where.scope, wanted.since),
        store.search.types(wanted.where.scope, wanted.since),
    )
    if wanted.archived:
        old, old_types = archive_read.summary(place, store, wanted.where.scope, wanted.since, damaged)
        span = _joined(span, old)
        types = {kind: types.get(kind, 0) + old_types.get(kind, 0) for kind in {**types, **old_types}}
    most = sorted(types.items(), key=lambda pair: (-pair[1], pair[0]))[:TYPES_SHOWN]
    return {
        "total_events": span.events,
        "event_types": dict(most),
        "first_event": span.first,
        "last_event": span.last,
        "time_span_hours": _hours(span),
    }


def _joined(one: Span, other: Span) -> Span:
    firsts, lasts = filter(None, (one.first, other.first)), filter(None, (one.last, other.last))
    return Span(one.events + other.events, min(firsts, default=None), max(lasts, default=None))


def _hours(span: Span) -> float:
    if span.first is None or span.last is None:
        return 0.0
    try:
        return round((datetime.fromisoformat(span.last) - datetime.fromisoformat(span.first)).total_seconds() / 3600, 2)
    except (ValueError, TypeError):  # a hand-edited time
        return 0.0
