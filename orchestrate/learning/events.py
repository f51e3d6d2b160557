"""What the sessions of a user tell of his prompts, read from their logs."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import orjson

from metrics.lines import parse_event
from metrics.logs import session_logs
from state import codec
from state.errors import NOT_FOUND, UserError
from state.paths import FOLDER, Place

DECIDED = "orchestration.prompt.decided"
FEEDBACK = "orchestration.feedback.given"
LAUNCHED = "orchestration.spawn.launched"
RUN_STARTED = "orchestration.run.started"
RUN_FINISHED = "orchestration.run.finished"
TURN_ENDED = "orchestration.turn.end"
TURN_FAILED = "orchestration.turn.failed"
SESSION_STARTED = "orchestration.session.start"
KINDS = (DECIDED, FEEDBACK, LAUNCHED, RUN_STARTED, RUN_FINISHED, TURN_ENDED, TURN_FAILED, SESSION_STARTED)
_MARKS = tuple(f'"{kind}"'.encode() for kind in KINDS)


class Told(NamedTuple):
    id: str  # begins with its time
    ts: str
    kind: str
    session: str
    prompt_id: str | None
    entity_id: str
    payload: Mapping[str, object]

    def word(self, name: str) -> str | None:
        value = self.payload.get(name)
        return value if isinstance(value, str) and value else None


def read(places: Iterable[Place], session: str | None = None) -> list[Told]:
    """In the order they came; `session`: the folder of one, else all."""
    found: dict[str, Told] = {}
    for place in places:
        for log in session_logs(place):
            if session is None or log.name == f"sessions/{session}":
                found |= {told.id: told for told in _of_file(log.path)}
    return sorted(found.values(), key=_time)


def _time(told: Told) -> str:
    """To the millisecond; within one a log has its own order."""
    return told.id[:12]


def _of_file(path: str) -> list[Told]:
    found: list[Told] = []
    with suppress(OSError), Path(path).open("rb") as file:  # it may be removed, or another's
        for line in file:
            if any(mark in line for mark in _MARKS) and (told := _told(line)):
                found.append(told)
    return found


def _told(line: bytes) -> Told | None:
    event = parse_event(line)
    if event is None or event.type not in KINDS:
        return None
    payload = orjson.loads(event.payload)
    return Told(event.id, event.ts, event.type, event.session, event.prompt_id, event.entity_id, payload)


def last_decided(events: Iterable[Told]) -> Told | None:
    return next((told for told in reversed([*events]) if told.kind == DECIDED and told.prompt_id), None)


def find(events: Iterable[Told], prompt: str) -> Told:
    """The newest decision of the prompt with this id, or this unique beginning of one."""
    decided = {told.prompt_id: told for told in events if told.kind == DECIDED and told.prompt_id}
    names = [prompt] if prompt in decided else [name for name in decided if name.startswith(prompt) and prompt]
    if len(names) == 1:
        return decided[names[0]]
    if names:
        raise UserError(f"prompt {prompt!r}: {len(names)} prompts begin so: give more of the id", NOT_FOUND)
    raise UserError(
        f"prompt {prompt!r}: no decision is recorded here: see `orchestrate metrics ledger` for ids", NOT_FOUND
    )


def places(here: Place) -> list[Place]:
    """This project, those in the user's folder, and those that he has initialised, as their settings are compiled."""
    found = {here.state: here}
    if here.user:
        for folder in sorted(Path(here.user, "projects").glob("*/sessions")):
            state = str(folder.parent)
            found.setdefault(state, Place("", folder.parent.name, state, here.user, False))
        for path in sorted(Path(here.user, "cache").glob("*.json")):
            for state in _states(codec.load(str(path)), here.user):
                found.setdefault(state, Place(state.rpartition("/")[0], path.stem, state, here.user, True))
    return [*found.values()]


def _states(snapshot: Mapping[str, object], user: str) -> list[str]:
    """A compiled snapshot names the files that it was made of, and so the project's folder."""
    sources = snapshot.get("sources")
    paths = (
        [source[0] for source in sources if isinstance(source, list) and source] if isinstance(sources, list) else []
    )
    folders = {str(path).rpartition("/")[0] for path in paths}
    return sorted(name for name in folders if name.endswith(f"/{FOLDER}") and name != user and Path(name).is_dir())
