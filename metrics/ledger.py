"""The served-model ledger: what was asked for, what the client resolved, what served, and where they differ."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from metrics.days import Window
from metrics.ledger_facts import gather
from metrics.ledger_join import ENFORCED, Row, rows
from metrics.ledger_rules import MISMATCH, WORST
from state.store import Store

_UNSERVED = ("not_spawned", "wrong_agent_type")  # the user or the model refused: nobody served in the place of another


class Alarm(NamedTuple):
    """What was served against an order: where a rung asked for it that is to hold whatever the model does."""

    mismatches: int
    worst: str  # of their kinds
    rows: int  # all that such a rung answers for


def build(store: Store, window: Window) -> list[Row]:
    """Logs and transcripts have to be read before."""
    span = window.start, window.end
    return rows(gather(store.events_between(*span)), store.served_between(*span))


def alarm(store: Store, window: Window) -> Alarm | None:
    """None where nothing that was enforced is known to have been served otherwise."""
    return alarm_of(build(store, window))


def alarm_of(ledger: Iterable[Row]) -> Alarm | None:
    enforced = [row for row in ledger if row.rung in ENFORCED and row.requested is not None]
    kinds = [str(row.kind) for row in enforced if row.verdict == MISMATCH and row.kind not in _UNSERVED]
    return Alarm(len(kinds), min(kinds, key=WORST.index), len(enforced)) if kinds else None


def verdicts(ledger: Iterable[Row]) -> Counter[str]:
    return Counter(row.verdict for row in ledger)
