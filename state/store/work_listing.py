"""The queue of work as it is read: a page of it with what explains how its items stand, its sums, what has ended."""

from collections.abc import Sequence

from state.store import clock
from state.store.claims import Claims
from state.store.engine import Engine, Row
from state.store.values import check_numbers, json_value
from state.store.work_records import Item, Page, Queue, Sum, Totals, Waits

KIND = "work"
ENDED = ("completed", "dead")
LAST = 2**62  # behind every number


class WorkListing:
    def __init__(self, engine: Engine, claims: Claims, now: clock.Clock) -> None:
        self._engine = engine
        self._claims = claims
        self._now = now

    def page(self, status: str, most: int, beyond: int | None = None, project: str | None = None) -> Page:
        """Of one status and, if told, one project: what is open from the oldest on, what has ended from the newest
        back. `beyond`: the number of the last item of the page before."""
        is_ended = status in ENDED
        start = beyond if beyond is not None else LAST if is_ended else 0
        values = {"status": status, "project": project, "beyond": start, "most": most}
        with self._engine.writing():
            rows = self._engine.rows("work_page_back" if is_ended else "work_page", values)
            items = [self._item(row) for row in rows]
            return Page(tuple(items), self._around(items))

    def about(self, item: Item) -> tuple[Queue, list[str]]:
        """What explains how it stands, and the items that need it."""
        with self._engine.writing():
            needed_by = [str(name) for (name,) in self._engine.rows("work_needed_by", {"id": item.id})]
            return self._around([item]), needed_by

    def totals(self) -> Totals:
        with self._engine.writing():
            now = self._now()
            sums = {str(row[0]): _sum(row) for row in self._engine.rows("work_sums", {"now": now})}
            waits = self._engine.rows("work_waits")
            return Totals(
                sums,
                blocked=int(self._engine.rows("count_blocked_work")[0][0]),
                waits=Waits(*map(int, waits[0])) if waits else None,
                claims=tuple(self._claims.held(KIND)),
                now=now,
            )

    def _around(self, items: Sequence[Item]) -> Queue:
        """They and all that those of them which are queued wait for, through others too."""
        found = {item.id: item for item in items}
        needs: dict[str, tuple[str, ...]] = {}
        unread = list(items)
        while unread:
            item = unread.pop()
            names = tuple(str(name) for (name,) in self._engine.rows("work_needs_of", {"id": item.id}))
            if names:
                needs[item.id] = names
            missing = [name for name in names if name not in found] if item.status == "queued" else []
            for name in missing:
                found[name] = self._item(self._engine.rows("work_item", {"id": name})[0])
                unread.append(found[name])
        claims = {claim.key: claim for claim in self._claims.held(KIND)}
        return Queue(tuple(sorted(found.values(), key=lambda one: one.number)), needs, claims, self._now())

    def _item(self, row: Row) -> Item:
        return item_of(row, self._engine.where)


def count_before(engine: Engine, ts: str) -> int:
    return int(engine.rows("count_work_before", {"ts": ts})[0][0])


def forget_before(engine: Engine, ts: str) -> int:
    """Within a transaction of the caller's: what ended before, as far as nothing open needs it. The newest number
    stays, so that none is given twice, and so do the tokens of claims."""
    removed = engine.run("forget_work_before", {"ts": ts})
    engine.run("forget_work_needs")
    return removed


def item_of(row: Row, where: str) -> Item:
    item = Item(*row)
    check_numbers(where, "work", (item.number, item.attempts, item.max_attempts, item.busy_ms))
    tags = json_value(where, f"work: {item.id}: tags", str(item.tags))
    return item._replace(tags=tuple(map(str, tags)) if isinstance(tags, list) else ())


def _sum(row: Row) -> Sum:
    _, items, ready, attempts, busy_ms, estimated, unestimated, *times = row
    first, last = (None if ts is None else str(ts) for ts in times)
    minutes = None if estimated is None else int(estimated)
    return Sum(int(items), int(ready), int(attempts), int(busy_ms), minutes, int(unestimated), first, last)
