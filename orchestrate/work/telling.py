"""What happens to the queue, as events in the store and in the log of the session that added an item.

The log's copy, with the same id, is what the session's `work_queue` is folded from. It is written when the store has
committed: whoever is killed between the two leaves a session that shows the item longer, and a queue that is right.
"""

from collections.abc import Sequence
from pathlib import Path

from state import codec, command_log, journal
from state.paths import LOG, Place, session_dir
from state.store.records import Event
from state.store.work_records import Change, Item
from state.telling import Teller

FOLDED = ("added", "retried", "completed", "dead")


class Telling:
    """Of one verb of the queue: given to it as `tell`, and copied when it is done."""

    def __init__(self, place: Place, teller: Teller) -> None:
        self._place = place
        self._teller = teller
        self._told: list[tuple[Change, Event]] = []

    def __call__(self, changes: Sequence[Change]) -> list[Event]:
        self._told = [(change, self._event(change)) for change in changes]
        return [event for _, event in self._told]

    def copy(self) -> None:
        told, self._told = self._told, []
        for change, event in told:
            session = change.item.session
            if change.verb in FOLDED and session:
                path = f"{session_dir(self._place, session)}/{LOG}"
                if Path(path).is_file():  # else the session has been cleaned up
                    journal.append(path, codec.dumps(command_log.entry(event, self._place.project, session)))

    def _event(self, change: Change) -> Event:
        kind, payload = f"orchestration.work.{change.verb}", {"id": change.item.id, **change.details}
        if change.verb in ("added", "retried"):
            payload |= described(change.item)
        return self._teller.event(kind, ("work", change.item.id), payload)


def described(item: Item) -> dict[str, object]:
    """What it is, whatever became of it."""
    return {
        "id": item.id,
        "text": item.text,
        "priority": item.priority,
        "project": item.project,
        "tags": list(item.tags),
        "not_before": item.not_before,
        "max_attempts": item.max_attempts,
        "estimate_minutes": item.estimate_minutes,
    }
