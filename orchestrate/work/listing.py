"""The items that somebody wants to see, as many of them as he wants."""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from orchestrate.work import standing
from orchestrate.work.standing import Standing
from state.store.work import Work
from state.store.work_listing import ENDED
from state.store.work_records import STATUSES, Item, Queue

_AT_ONCE = 500
_OPEN = tuple(status for status in STATUSES if status not in ENDED)


class Wanted(NamedTuple):
    """None: any."""

    state: str | None = None
    project: str | None = None
    tag: str | None = None


class Listed(NamedTuple):
    item: Item
    standing: Standing
    queue: Queue


def listed(work: Work, wanted: Wanted, most: int) -> tuple[list[Listed], bool]:
    """The oldest first, and whether there are more: what is open comes before what has ended, which is the newest."""
    statuses = STATUSES if wanted.state is None else (_status(wanted.state),)
    rows = {status: list(islice(_stream(work, status, wanted, most + 1), most + 1)) for status in statuses}
    still = sorted((row for status in _OPEN for row in rows.get(status, [])), key=_number)
    ended = sorted((row for status in ENDED for row in rows.get(status, [])), key=_number, reverse=True)
    found = [*still, *ended]
    return sorted(found[:most], key=_number), len(found) > most


def _stream(work: Work, status: str, wanted: Wanted, most: int) -> Iterator[Listed]:
    beyond, size = None, min(most, _AT_ONCE)
    while True:
        page = work.listing.page(status, size, beyond, wanted.project)
        stands = standing.of(page.queue)
        for item in page.items:
            if wanted.state in (None, stands[item.id].state) and (wanted.tag is None or wanted.tag in item.tags):
                yield Listed(item, stands[item.id], page.queue)
        if len(page.items) < size:
            return
        beyond = page.items[-1].number


def _status(state: str) -> str:
    return state if state in STATUSES else "queued"


def _number(row: Listed) -> int:
    return row.item.number
