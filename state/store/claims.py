"""Who holds what until when: each claim has a token that only grows, so that a late owner is known by his.

A claim is told from a dead owner's by its time alone. A clock that was set back does not prolong it: from the moment
that this is seen it has its own length left, and no more.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from state.errors import REFUSED, USAGE, UserError
from state.store import clock
from state.store.appending import append
from state.store.engine import Engine
from state.store.records import Event
from state.store.values import check_numbers
from state.store.values import key as indexed

KINDS = ("work", "task", "file")


class Claim(NamedTuple):
    kind: str
    key: str
    owner: str | None  # None: nobody holds it any more
    token: int
    acquired_at: str
    renewed_at: str
    expires_at: str


class Taking(NamedTuple):
    """All that was asked for, or nothing and what stood in the way."""

    claims: tuple[Claim, ...]
    conflicts: tuple[Claim, ...] = ()
    expired: tuple[Claim, ...] = ()  # of others, whose time was over


class Claims:
    def __init__(self, engine: Engine, now: clock.Clock | None = None) -> None:
        self._engine = engine
        self._now = now or clock.of(engine)

    def take(
        self, kind: str, keys: Sequence[str], owner: str, ttl_s: float, tell: Callable[[Taking], Sequence[Event]]
    ) -> Taking:
        """Also from an owner of the same name: who holds a claim proves it by its token, and renews it."""
        if kind not in KINDS or not keys:
            raise UserError(f"{kind}: a claim is on one of {', '.join(KINDS)}, and on one thing at the least", USAGE)
        with self._engine.writing():
            wanted = list(dict.fromkeys(map(indexed, keys)))
            expired = tuple(self.lapse(kind, wanted))
            held = tuple(one for name in wanted if (one := self.find(kind, name)) and one.owner is not None)
            claims = () if held else tuple(self._take(kind, name, owner, ttl_s) for name in wanted)
            taking = Taking(claims, held, expired)
            append(self._engine, tell(taking))
            return taking

    def renew(self, kind: str, key: str, token: int, ttl_s: float) -> Claim:
        """Tells nothing: a heartbeat is no news. Also after its time, as long as nobody has taken it over."""
        with self._engine.writing():
            self.check(kind, key, token)
            now = self._now()
            values = {"kind": kind, "key": indexed(key), "now": now, "expires_at": clock.later(now, ttl_s)}
            self._engine.run("renew_claim", values)
            return self.check(kind, key, token)

    def release(self, kind: str, key: str, token: int, told: Sequence[Event]) -> Claim:
        """The claim as it was."""
        with self._engine.writing():
            claim = self.check(kind, key, token)
            self._free(claim)
            append(self._engine, told)
            return claim

    def find(self, kind: str, key: str) -> Claim | None:
        """The last claim on it, whether it is still held or not."""
        found = self._engine.rows("claim", {"kind": kind, "key": indexed(key)})
        if not found:
            return None
        claim = Claim(*found[0])
        check_numbers(self._engine.where, "claims", (claim.token,))
        return claim

    def held(self, kind: str) -> list[Claim]:
        """The oldest first; those whose time is over too, until somebody takes them over."""
        return [Claim(*row) for row in self._engine.rows("claims_held", {"kind": kind})]

    def check(self, kind: str, key: str, token: int) -> Claim:
        """The claim of this token; refused where it is another's by now, or nobody's."""
        claim = self.find(kind, key)
        if claim is None:
            raise UserError(f"{key}: is not claimed by anybody", REFUSED)
        if claim.owner is not None and claim.token == token:
            return claim
        raise UserError(f"{key}: token {token} {_gone(claim, token)}", REFUSED)

    def lapse(self, kind: str, keys: Sequence[str] | None = None) -> list[Claim]:
        """Within a transaction of the caller's: free those whose time is over, of these keys or of all. They are given
        as they were, and known to nobody else: what depends on them is the caller's to mend."""
        now = self._now()
        over = []
        for row in self._engine.rows("claims_untimely", {"kind": kind, "now": now}):
            claim = Claim(*row)
            if keys is not None and claim.key not in keys:
                continue
            if claim.renewed_at > now:  # the clock was set back, nobody knows how long ago
                length_s = clock.between_ms(claim.renewed_at, claim.expires_at) / 1000
                again = {"kind": kind, "key": claim.key, "now": now, "expires_at": clock.later(now, length_s)}
                self._engine.run("renew_claim", again)
            else:
                self._free(claim)
                over.append(claim)
        return over

    def _take(self, kind: str, key: str, owner: str, ttl_s: float) -> Claim:
        now = self._now()
        values = {"kind": kind, "key": key, "owner": owner, "now": now, "expires_at": clock.later(now, ttl_s)}
        self._engine.run("take_claim", values)
        return Claim(*self._engine.rows("claim", {"kind": kind, "key": key})[0])

    def _free(self, claim: Claim) -> None:
        self._engine.run("free_claim", {"kind": claim.kind, "key": claim.key})


def _gone(claim: Claim, token: int) -> str:
    if token > claim.token:
        return f"was never given: the last is {claim.token}"
    if claim.owner is None:
        return f"holds it no more: that claim has ended (at the latest {claim.expires_at}), and nobody has it now"
    return f"is stale: {claim.owner} took it over with token {claim.token} at {claim.acquired_at}"
