"""The queue of work: added in an order that can be kept, claimed by one at a time, ended once."""

from collections.abc import Mapping, Sequence

import orjson

from state.errors import FAILED, NOT_FOUND, REFUSED, UserError
from state.store import clock, work_order
from state.store.appending import append
from state.store.claims import Claim, Claims
from state.store.engine import Engine
from state.store.values import storable
from state.store.work_listing import KIND, WorkListing, item_of
from state.store.work_records import Change, Claimed, Idle, Item, New, Tell

BACKOFF_MOST_S = 3600.0


class Work:
    def __init__(self, engine: Engine, claims: Claims, now: clock.Clock | None = None) -> None:
        self._engine = engine
        self._claims = claims
        self._now = now or clock.of(engine)
        self.listing = WorkListing(engine, claims, self._now)

    def add(self, new: Sequence[New], tell: Tell) -> list[Item]:
        """All of them or none. They may need one another."""
        _refuse_cycle(new)
        with self._engine.writing():
            self._refuse_missing(new)
            first = int(self._engine.rows("last_work_number")[0][0]) + 1
            now = self._now()
            items = [self._add(one, number, now) for number, one in enumerate(new, first)]
            self._engine.many("count_work_needs", [{"id": item.id} for item in items])
            needed = {name for one in new for name in one.needs}
            self._engine.many("count_work_dependents", [{"id": name} for name in sorted(needed)])
            added = [Change("added", item, {"depends": list(one.needs)}) for item, one in zip(items, new, strict=True)]
            append(self._engine, tell(added))
            return items

    def claim(self, owner: str, ttl_s: float, limit: int, tell: Tell) -> Claimed | Idle:
        """Of what may be begun now, that which most others wait for; then the most urgent; then the oldest. Nothing
        while `limit` items are claimed. Claims whose time is over are taken back first."""
        with self._engine.writing():
            now = self._now()
            changes = self._take_back(now)
            held = len(self._claims.held(KIND))
            found = self._next(now) if held < limit else None
            claimed = self._claim(found, owner, ttl_s, now) if found else None
            if claimed:
                details = {"owner": owner, "token": claimed.claim.token, "expires_at": claimed.claim.expires_at}
                changes.append(Change("claimed", claimed.item, details))
            append(self._engine, tell(changes))
            return claimed or self._idle(now, held, limit)

    def complete(self, item_id: str, token: int, result: str | None, tell: Tell) -> Item:
        with self._engine.writing():
            item, claim = self._let_go(item_id, token)
            item = item._replace(status="completed", ended_at=self._now(), result=result, reason=None, retry_at=None)
            self._keep(item, "completed", {**_of(claim), "result": result}, tell)
            self._engine.many("count_work_needs", self._ids("work_needed_by", item_id))
            return item

    def fail(self, item_id: str, token: int | None, reason: str, backoff_s: float | None, tell: Tell) -> Item:
        """`backoff_s`: it may be tried again so much later, twice as much after each further failure, as long as it has
        attempts left; None: never. Without a token only what nobody has claimed."""
        with self._engine.writing():
            item, claim = self._let_go(item_id, token)
            item = item._replace(reason=reason)
            details = {**_of(claim), "reason": reason}
            if backoff_s is None or item.attempts >= item.max_attempts:
                changes = self._buried(item, self._now(), "failed", details)
                append(self._engine, tell(changes))
                return changes[-1].item
            wait_s = min(BACKOFF_MOST_S, backoff_s * 2 ** max(0, item.attempts - 1))
            item = item._replace(status="queued", retry_at=clock.later(self._now(), wait_s))
            return self._keep(item, "failed", {**details, "retry_at": item.retry_at}, tell)

    def release(self, item_id: str, token: int, reason: str | None, after_s: float, tell: Tell) -> Item:
        """Give it back undone: no attempt is counted."""
        with self._engine.writing():
            item, claim = self._let_go(item_id, token)
            retry_at = clock.later(self._now(), min(after_s, BACKOFF_MOST_S)) if after_s > 0 else None
            item = item._replace(status="queued", retry_at=retry_at, attempts=item.attempts - 1, reason=reason)
            return self._keep(item, "released", {**_of(claim), "reason": reason, "retry_at": retry_at}, tell)

    def extend(self, item_id: str, token: int, ttl_s: float, tell: Tell = lambda _changes: ()) -> Claim:
        with self._engine.writing():
            item = self.one(item_id)
            claim = self._claims.renew(KIND, item_id, token, ttl_s)
            append(self._engine, tell([Change("extended", item, {**_of(claim), "expires_at": claim.expires_at})]))
            return claim

    def retry(self, item_id: str, tell: Tell) -> Item:
        with self._engine.writing():
            item = self.one(item_id)
            if item.status != "dead":
                raise UserError(f"{item_id}: is {item.status}: only what is dead is retried", FAILED)
            item = item._replace(status="queued", attempts=0, retry_at=None, ended_at=None)
            self._keep(item, "retried", {"reason": item.reason}, tell)
            self._engine.many("count_work_dependents", self._ids("work_needs_of", item_id))
            return item

    def one(self, item_id: str) -> Item:
        found = self._find(item_id)
        if found is None:
            raise UserError(f"{item_id}: no such item: `orchestrate work list`", NOT_FOUND)
        return found

    def _add(self, new: New, number: int, now: str) -> Item:
        item = _queued(new, new.id or self._free_id(number), number, now)
        if not self._engine.run("add_work", _row(item)):
            raise UserError(f"{item.id}: is in the queue already: give another id", FAILED)
        self._engine.many("add_work_need", [{"item": item.id, "needs": needed} for needed in new.needs])
        return item

    def _find(self, item_id: str) -> Item | None:
        found = self._engine.rows("work_item", {"id": item_id})
        return item_of(found[0], self._engine.where) if found else None

    def _free_id(self, number: int) -> str:
        while self._find(f"W-{number}"):  # a user may have called his so
            number += 1
        return f"W-{number}"

    def _ids(self, statement: str, item_id: str) -> list[dict[str, object]]:
        return [{"id": name} for (name,) in self._engine.rows(statement, {"id": item_id})]

    def _refuse_missing(self, new: Sequence[New]) -> None:
        coming = {one.id for one in new}
        for one in new:
            for needed in one.needs:
                if needed not in coming and self._find(needed) is None:
                    name = one.id or "the new item"
                    raise UserError(
                        f"{name}: depends on {needed}, which is not in the queue: add that first", NOT_FOUND
                    )

    def _take_back(self, now: str) -> list[Change]:
        changes: list[Change] = []
        for claim in self._claims.lapse(KIND):
            item = self._find(claim.key)
            if item is None or item.status != "claimed":  # the claim was made by something else than the queue
                continue
            busy_ms = item.busy_ms + clock.between_ms(claim.acquired_at, claim.expires_at)
            item = item._replace(status="queued", busy_ms=busy_ms, retry_at=None)
            details = {**_of(claim), "expired_at": claim.expires_at}
            if item.attempts < item.max_attempts:
                self._engine.run("revise_work", _row(item))
                changes.append(Change("expired", item, details))
            else:
                reason = f"its claim expired, and that was attempt {item.attempts} of {item.max_attempts}"
                changes += self._buried(item._replace(reason=reason), now, "expired", details)
        return changes

    def _next(self, now: str) -> Item | None:
        # What is to be retried later than any pause there is was put off by a clock that was set back since.
        found = self._engine.rows("next_work", {"now": now, "horizon": clock.later(now, BACKOFF_MOST_S)})
        return item_of(found[0], self._engine.where) if found else None

    def _claim(self, item: Item, owner: str, ttl_s: float, now: str) -> Claimed:
        claim = self._claims.take(KIND, [item.id], owner, ttl_s, lambda taking: []).claims[0]
        item = item._replace(status="claimed", attempts=item.attempts + 1, claimed_at=item.claimed_at or now)
        self._engine.run("revise_work", _row(item))
        return Claimed(item, claim)

    def _idle(self, now: str, held: int, limit: int) -> Idle:
        due = self._engine.rows("work_due", {"now": now})[0][0]
        queued = int(self._engine.rows("count_work", {"status": "queued"})[0][0])
        due_in_s = None if due is None else clock.between_ms(now, due) / 1000
        return Idle(held, queued, held >= limit, due_in_s)

    def _let_go(self, item_id: str, token: int | None) -> tuple[Item, Claim | None]:
        """The item out of its owner's hands, and the claim that he had."""
        item = self.one(item_id)
        if item.status in ("completed", "dead"):
            raise UserError(f"{item_id}: is {item.status} already, since {item.ended_at}", REFUSED)
        if token is None:
            if item.status == "claimed":
                raise UserError(f"{item_id}: is claimed: only its owner ends it, by the claim's --token", REFUSED)
            return item, None
        claim = self._claims.release(KIND, item_id, token, [])
        return item._replace(busy_ms=item.busy_ms + clock.between_ms(claim.acquired_at, self._now())), claim

    def _buried(self, item: Item, now: str, verb: str, details: Mapping[str, object]) -> list[Change]:
        item = item._replace(status="dead", ended_at=now, retry_at=None)
        self._engine.run("revise_work", _row(item))
        self._engine.many("count_work_dependents", self._ids("work_needs_of", item.id))
        return [Change(verb, item, details), Change("dead", item, {"reason": item.reason})]

    def _keep(self, item: Item, verb: str, details: Mapping[str, object], tell: Tell) -> Item:
        self._engine.run("revise_work", _row(item))
        append(self._engine, tell([Change(verb, item, details)]))
        return item


def _refuse_cycle(new: Sequence[New]) -> None:
    """What is in the queue already needs nothing that comes later, so a cycle is among the new."""
    found = work_order.cycle({one.id: one.needs for one in new if one.id is not None})
    if found:
        raise UserError(
            f"these wait for one another: {' -> '.join(found)}: leave one of these dependencies out", FAILED
        )


def _queued(new: New, item_id: str, number: int, now: str) -> Item:
    return Item(
        id=item_id,
        number=number,
        text=new.text,
        status="queued",
        priority=new.priority,
        project=new.project,
        tags=new.tags,
        session=new.session,
        not_before=new.not_before,
        retry_at=None,
        attempts=0,
        max_attempts=new.max_attempts,
        estimate_minutes=new.estimate_minutes,
        added_at=now,
        claimed_at=None,
        ended_at=None,
        busy_ms=0,
        result=None,
        reason=None,
    )


def _of(claim: Claim | None) -> dict[str, object]:
    return {"owner": claim.owner, "token": claim.token} if claim else {}


def _row(item: Item) -> dict[str, object]:
    return {**item._asdict(), "tags": orjson.dumps(storable(item.tags)).decode()}
