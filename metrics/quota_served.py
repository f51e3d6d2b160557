"""What was served on this machine: the ledgers of this project and of those that keep their state with the user."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from metrics import transcripts
from metrics.days import stamp
from metrics.ingest import ingest
from metrics.quota_tokens import Tokens, Work
from state.errors import UserError
from state.paths import LOG, Place
from state.store import Served, open_store

_PROMPT_S = 86_400.0  # a message is kept under the time of its prompt, which may be as much older


def gather(place: Place, since: float, until: float) -> Work:
    """Up to date: what is new in logs and transcripts is read first."""
    messages = {message.message_id: message for each in _projects(place, since) for message in _of(each, since, until)}
    tokens = filter(None, map(_tokens, messages.values()))
    return Work(token for token in tokens if since <= token.ts <= until)


def _projects(place: Place, since: float) -> Iterator[Place]:
    yield place
    for folder in sorted(Path(place.user or "", "projects").glob("*/")) if place.user else ():
        if str(folder) != place.state and _is_busy(folder, since):
            yield Place("", folder.name, str(folder), place.user, False)


def _is_busy(folder: Path, since: float) -> bool:
    return any(log.stat().st_mtime >= since for log in folder.glob(f"sessions/*/{LOG}"))


def _of(place: Place, since: float, until: float) -> list[Served]:
    """Nothing from a project whose records cannot be read: that is as if another device had done the work."""
    with suppress(UserError), open_store(place) as store:
        ingest(place, store)
        transcripts.take(store)
        return store.served_between(_stamp(since - _PROMPT_S), _stamp(until + _PROMPT_S))
    return []


def _tokens(message: Served) -> Tokens | None:
    """None for a copy of what was served elsewhere, and for what no model said."""
    if message.is_copy or message.served is None:
        return None
    try:
        at = datetime.fromisoformat(message.ts).timestamp()
    except ValueError:
        return None
    counts = (message.input_tokens, message.output_tokens, message.cache_read_tokens, message.cache_write_tokens)
    return Tokens(at, message.served, *counts)


def _stamp(moment: float) -> str:
    return stamp(datetime.fromtimestamp(moment, UTC))
