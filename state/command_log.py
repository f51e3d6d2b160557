"""What commands did that change no row of the store: a line each in a log beside those of the sessions.

The store may be locked, gone or on another machine, and there may be none yet; whoever lists or searches events reads
this log first, as those of the sessions.
"""

from pathlib import Path

import orjson

from state import codec, journal
from state.paths import FOLDER, Place, locate
from state.store.records import Event

FILE = "commands.jsonl"


def keep(place: Place, event: Event) -> None:
    journal.append(f"{place.state}/{FILE}", codec.dumps(entry(event, place.project)))


def entry(event: Event, project: str, session: str | None = None) -> dict[str, object]:
    """An event that is told already, as a log has it; `session`: whose log that is, if not that of who tells it."""
    return {
        "v": 1,
        "id": event.id,
        "ts": event.ts,
        "type": event.type,
        "project": project,
        "session": session or event.session,
        "prompt_id": event.prompt_id,
        "actor": event.actor,
        "entity": {"type": event.entity_type, "id": event.entity_id},
        "payload": orjson.loads(event.payload),
        "correlation": event.correlation,
    }


def at_home(place: Place) -> Place | None:
    """The user's home folder as a project: where that is told which belongs to no other."""
    if place.user is None:
        return None
    home = place.user.removesuffix(f"/{FOLDER}") or "/"
    return locate(home, {"HOME": home})


def is_begun(place: Place) -> bool:
    """Whether anything is kept of the project yet."""
    return Path(place.state).is_dir()
