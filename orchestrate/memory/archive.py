"""Old events out of the store, into compressed files: each event is in one of the two, whatever is killed when.

A file is whole before the store lets its events go, and the store notes the file in the transaction in which it does.
A file that is not noted was left by an archiving that was stopped in between: the next one does the rest of it first.
"""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import NamedTuple

from orchestrate.memory import archive_file
from orchestrate.memory.archive_file import SUFFIX
from state import locks
from state.journal import stamp
from state.paths import Place
from state.store import Event, Store
from state.store.search_records import Archive

EVENTS = 20_000  # in a file, at most
FILE_BYTES = 64 << 20  # of payload in a file, about
Step = Callable[[str], None]


class Archived(NamedTuple):
    before: str
    events: int
    files: list[str]
    dry_run: bool


def archive(place: Place, store: Store, before: str, timeout_s: float, step: Step = lambda _name: None) -> Archived:
    """Events older than `before`. `step` is told how far it has got."""
    with locks.hold(f"{place.state}/{archive_file.FOLDER}/lock", timeout_s):
        moved, names = _finish(place, store, step)
        while batch := _batch(store, before):
            moved += len(batch)
            if name := _move(place, store, batch, step):
                names.append(name)
            step(f"{moved} events archived")
    return Archived(before, moved, names, dry_run=False)


def dry(store: Store, before: str) -> Archived:
    return Archived(before, store.archives.count_older(before).events, [], dry_run=True)


def _finish(place: Place, store: Store, step: Step) -> tuple[int, list[str]]:
    for draft in archive_file.drafts(place):
        draft.unlink(missing_ok=True)
    noted = {found.name for found in store.archives.listed()}
    moved, names = 0, []
    for name in archive_file.present(place):
        if name not in noted:
            found, ids = archive_file.describe(place, name, stamp(time.time()))
            moved += store.archives.take(found, ids)
            names.append(name)
            step(f"{name}: finished what was begun")
    return moved, names


def _batch(store: Store, before: str) -> list[Event]:
    batch: list[Event] = []
    size_bytes = 0
    with closing(store.archives.older(before, EVENTS)) as events:
        for event in events:
            batch.append(event)
            size_bytes += len(event.payload)
            if size_bytes >= FILE_BYTES:
                break
    return batch


def _move(place: Place, store: Store, batch: Sequence[Event], step: Step) -> str | None:
    """The name of the file; None where every event lies in one already: its log was read again."""
    known = _archived(place, store, batch)
    fresh = [event for event in batch if event.id not in known]
    found: Archive | None = None
    if fresh:
        name = f"events-{_day(fresh[0].ts)}-{_day(fresh[-1].ts)}-{os.urandom(4).hex()}{SUFFIX}"
        step("writing")
        found = archive_file.write(place, name, fresh, stamp(time.time()))
        step("written")
    store.archives.take(found, [event.id for event in batch])
    step("taken")
    return found.name if found else None


def _archived(place: Place, store: Store, batch: Sequence[Event]) -> set[str]:
    """The ids in files of the same time; there is rarely one."""
    first, last = batch[0].ts, batch[-1].ts
    here = set(archive_file.present(place))
    beside = [one.name for one in store.archives.listed() if one.first_ts <= last and one.last_ts >= first]
    return {event.id for name in beside if name in here for event in archive_file.read(place, name)}


def _day(ts: str) -> str:
    return "".join(char for char in ts[:10] if char.isdigit()) or "0"
