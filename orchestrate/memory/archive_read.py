"""Searching the archives: each line is looked at, the newest file first.

A file that is damaged ends nothing: what can be read of it is, and what is wrong with it is said beside the answer.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import orjson

from orchestrate.memory import archive_file
from orchestrate.memory.search_found import ARCHIVED, Item, Wanted
from orchestrate.memory.search_words import has_all
from state.paths import Place
from state.store import Event, Store
from state.store.search_records import Span
from state.store.search_terms import Scope, Term

_TEXT = 2048
Damaged = dict[str, str]  # files that are not whole: what is wrong with each, in a line for the user


class _File(NamedTuple):
    place: Place
    name: str
    sha256: str | None  # as the store has noted it

    @property
    def path(self) -> str:
        return archive_file.path_of(self.place, self.name)


def matching(
    place: Place, store: Store, wanted: Wanted, terms: Sequence[Term], most: int, damaged: Damaged
) -> list[Item]:
    found: list[Item] = []
    for file in reversed(_files(place, store, wanted.since)):
        events = _events(file, damaged, lambda lines: _likely(lines, terms))
        hits = [
            _item(event)
            for event in events
            if has_all(f"{event.type} {event.entity_id} {event.payload}", terms)
            and _is_in(event, wanted.where.scope, wanted.since)
        ]
        found += hits[::-1]
        if len(found) >= most:
            break
    return found[:most]


def summary(place: Place, store: Store, scope: Scope, since: str, damaged: Damaged) -> tuple[Span, Counter[str]]:
    """Of the archived events alone."""
    types: Counter[str] = Counter()
    first, last = "", ""
    for file in _files(place, store, since):
        for event in _events(file, damaged):
            if _is_in(event, scope, since):
                types[event.type] += 1
                first, last = min(first or event.ts, event.ts), max(last, event.ts)
    return Span(types.total(), first or None, last or None), types


def of_entity(place: Place, store: Store, entity: tuple[str, str], damaged: Damaged) -> Iterator[Event]:
    """What was told of one thing; an interrupted archive's events are in the store too."""
    wanted = orjson.dumps(entity[1])
    for file in _files(place, store, ""):
        for event in _events(file, damaged, lambda lines: (line for line in lines if wanted in line)):
            if (event.entity_type, event.entity_id) == entity and event.payload.startswith("{"):
                yield event


def missing(place: Place, store: Store) -> list[str]:
    """Files that the store knows of and that are not here: another machine may have them."""
    return sorted({one.name for one in store.archives.listed()} - set(archive_file.present(place)))


def _files(place: Place, store: Store, since: str) -> list[_File]:
    """The oldest first."""
    known = {one.name: one for one in store.archives.listed()}
    names = [name for name in archive_file.present(place) if name not in known or known[name].last_ts >= since]
    return [_File(place, name, known[name].sha256 if name in known else None) for name in names]


def _events(
    file: _File, damaged: Damaged, likely: Callable[[Iterable[bytes]], Iterable[bytes]] = lambda lines: lines
) -> Iterator[Event]:
    for line in likely(_lines(file, damaged)):
        if event := archive_file.event_of(line):
            yield event
        else:
            damaged.setdefault(file.name, _missing(file, "a line of it is no event"))


def _lines(file: _File, damaged: Damaged) -> Iterator[bytes]:
    """As far as it can be read."""
    try:
        yield from archive_file.lines(file.place, file.name)
    except archive_file.Damage as error:
        damaged[file.name] = _missing(file, error.why)
    else:
        if file.name not in damaged and not _is_as_archived(file):
            damaged[file.name] = _missing(file, "it is not as it was archived: its sha256 is another")


def _is_as_archived(file: _File) -> bool:
    """Also one that the store does not know: who was stopped while he archived has left it."""
    return file.sha256 is None or archive_file.digest(file.path) == file.sha256


def _missing(file: _File, why: str) -> str:
    return f"{file.path}: is damaged ({why}): events of it are missing or changed: put back a copy of it"


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
