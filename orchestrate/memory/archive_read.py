"""Searching the archives: each line is looked at, the newest file first."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import orjson

from orchestrate.memory import archive_file
from orchestrate.memory.search_found import ARCHIVED, Item, Wanted
from orchestrate.memory.search_words import has_all
from state.paths import Place
from state.store import Event, Store
from state.store.search_records import Span
from state.store.search_terms import Scope, Term

_TEXT = 2048


def matching(place: Place, store: Store, wanted: Wanted, terms: Sequence[Term], most: int) -> list[Item]:
    found: list[Item] = []
    for name in reversed(_files(place, store, wanted.since)):
        hits = [
            _item(event) for event in _events(place, name, terms) if _is_in(event, wanted.where.scope, wanted.since)
        ]
        found += hits[::-1]
        if len(found) >= most:
            break
    return found[:most]


def summary(place: Place, store: Store, scope: Scope, since: str) -> tuple[Span, Counter[str]]:
    """Of the archived events alone."""
    types: Counter[str] = Counter()
    first, last = "", ""
    for name in _files(place, store, since):
        for event in archive_file.read(place, name):
            if _is_in(event, scope, since):
                types[event.type] += 1
                first, last = min(first or event.ts, event.ts), max(last, event.ts)
    return Span(types.total(), first or None, last or None), types


def of_entity(place: Place, entity: tuple[str, str]) -> Iterator[Event]:
    """What was told of one thing; an interrupted archive's events are in the store too."""
    wanted = orjson.dumps(entity[1])
    for name in archive_file.present(place):
        for line in archive_file.lines(place, name):
            event = archive_file.event_of(line) if wanted in line else None
            if event and (event.entity_type, event.entity_id) == entity and event.payload.startswith("{"):
                yield event


def missing(place: Place, store: Store) -> list[str]:
    """Files that the store knows of and that are not here: another machine may have them."""
    return sorted({one.name for one in store.archives.listed()} - set(archive_file.present(place)))


def _files(place: Place, store: Store, since: str) -> list[str]:
    """The oldest first."""
    known = {one.name: one.last_ts for one in store.archives.listed()}
    return [name for name in archive_file.present(place) if known.get(name, "~") >= since]


def _events(place: Place, name: str, terms: Sequence[Term]) -> Iterator[Event]:
    for line in _likely(archive_file.lines(place, name), terms):
        event = archive_file.event_of(line)
        if event and has_all(f"{event.type} {event.entity_id} {event.payload}", terms):
            yield event


def _likely(lines: Iterable[bytes], terms: Sequence[Term]) -> Iterator[bytes]:
    """Most lines are none, and are told by the longest word that is plain ASCII."""
    words = [word for term in terms for word in term.words if word.isascii()]
    wanted = max(words, key=len, default="").encode()
    return (line for line in lines if wanted in line.lower())


def _is_in(event: Event, scope: Scope, since: str) -> bool:
    return (
        event.ts >= since
        and (scope.sessions is None or event.session in scope.sessions)
        and (scope.tasks is None or event.task in scope.tasks)
    )


def _item(event: Event) -> Item:
    entity = (event.entity_type, event.entity_id)
    return Item(ARCHIVED, event.id, event.ts, event.type, event.session, event.task, entity, event.payload[:_TEXT])
