"""What a night tells of itself, in the user's store: the one source of its report.

All of it is of the session night-<evening>, however often the night was begun again; orchestration.overnight.<verb> of
the entity ("night", evening) or ("night_job", id).
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import orjson

from orchestrate.overnight.dispatch import ACTOR, End
from orchestrate.overnight.job import Change
from orchestrate.overnight.telling import Telling
from orchestrate.overnight.window import Reading
from state.store import Event, Store
from state.store.night_records import Tell
from state.store.search_records import Filter
from state.telling import Teller

NIGHT = "night"
BEGAN, ENDED, LEFT, RECOVERED = "began", "ended", "left", "recovered"
PREFIX = "orchestration.overnight."
MOST = 100_000  # events of a night
_TAIL = 1_000


def session(evening: date | str) -> str:
    return f"night-{evening}"


class Chronicle:
    def __init__(self, store: Store, evening: date) -> None:
        self._store = store
        self._evening = str(evening)
        self._teller = Teller(ACTOR, session(evening), session(evening))
        self._telling = Telling(self._teller)

    @property
    def correlation(self) -> str:
        return self._teller.correlation

    def last(self, key: str) -> Mapping[str, Any] | None:  # Any: what JSON holds
        """What the night has last told under that key, whichever process told it; None where none has."""
        found = self._store.listing.newest(Filter(session=session(self._evening), prefix=PREFIX), MOST)
        payloads = (orjson.loads(each.event.payload) for each in reversed(found))
        return next((payload[key] for payload in payloads if key in payload), None)

    def tell(self, verb: str, payload: Mapping[str, object]) -> None:
        self._store.emit([self._teller.event(f"{PREFIX}{verb}", (NIGHT, self._evening), dict(payload))])

    def __call__(self, changes: Sequence[Change]) -> list[Event]:
        """As the verbs of the store take it."""
        return self._told(changes, {})

    def adding(self, more: Mapping[str, object]) -> Tell:
        """The same, with what the store does not know."""
        return lambda changes: self._told(changes, more)

    def _told(self, changes: Sequence[Change], more: Mapping[str, object]) -> list[Event]:
        night = {NIGHT: self._evening, **more}
        return self._telling([change._replace(details={**change.details, **night}) for change in changes])


def of_end(end: End) -> dict[str, object]:
    """What is worth knowing of an attempt in the morning."""
    made = end.made
    told: dict[str, object] = {"outcome": end.kind, "verdict": end.verdict, "reset_at": end.reset_at}
    if made is not None:
        told |= {
            "run": made.run,
            "decision": made.decided,
            "model": made.model or None,
            "base": made.base,
            "commit": made.commit,
            "took_s": made.took_s,
            "answer": made.answer,
            "decisions": list(made.decisions),
        }
    ran = [{"command": each.command, "code": each.code, "tail": each.tail[-_TAIL:]} for each in end.ran]
    return {**told, "checks": ran}


def of_readings(readings: Sequence[Reading]) -> list[dict[str, object]]:
    return [reading._asdict() for reading in readings]
