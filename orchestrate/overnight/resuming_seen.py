"""What the records of a session say: where its client keeps it, the limit that stands in its way, and who is at work.

The hooks record that a limit ended a turn; the client's transcript knows when it resets, and its register who is open.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from orchestrate.agents import processes
from orchestrate.overnight.resuming_reset import Limit
from state import codec, quota
from state.journal import tail
from state.paths import LOG, Place, session_dir
from state.store.resume_records import RATE_LIMITED, Attempt

ERROR = "rate_limit"  # the client's word
TAIL_BYTES = 1 << 20
_PREFIX = "orchestration."
_FAILED = f"{_PREFIX}turn.failed"
_BEGUN = f"{_PREFIX}session.start"
# Somebody, or the client itself, has gone on.
_SIGNS = (_BEGUN, f"{_PREFIX}prompt.decided", f"{_PREFIX}prompt.skipped", f"{_PREFIX}turn.end", _FAILED)
_NAMED = 150  # characters: a longer name is cut by the client
_SLACK_S = 60.0  # the transcript's line comes a moment before the hook's

Entry = dict[str, Any]  # Any: as JSON is


class Kept(NamedTuple):
    """Where the client keeps the session."""

    client_session: str
    transcript: str
    cwd: str


class Seen(NamedTuple):
    kept: Kept | None  # None: no record says where
    limit: Limit | None  # None also where something came after it
    client: int | None
    lacking: str


def look(place: Place, session: str, attempts: Sequence[Attempt], env: Mapping[str, str]) -> Seen:
    entries = _entries(place, session)
    kept = _kept(entries)
    if kept is None:
        return Seen(None, None, None, "no record says where the client keeps it")
    limit = _limit(entries, kept, attempts)
    return Seen(kept, limit, client(kept, _config(env)), _lacking(kept, _config(env)))


def client(kept: Kept, config: str) -> int | None:
    """The pid of a client that is open on it, as the clients themselves tell."""
    for path in Path(config, "sessions").glob("*.json"):
        told = codec.load(str(path))
        pid = told.get("pid")
        if told.get("sessionId") == kept.client_session and isinstance(pid, int) and _runs(pid, told.get("procStart")):
            return pid
    return None


def _runs(pid: int, started: object) -> bool:
    found = processes.find(pid)
    if found is None or found.is_dead:
        return False
    # Ticks on Linux; elsewhere nothing that could be compared.
    return not isinstance(started, str) or not started.isdecimal() or found.started == float(started)


def _config(env: Mapping[str, str]) -> str:
    return env.get("CLAUDE_CONFIG_DIR") or f"{env.get('HOME', '')}/.claude"


def _lacking(kept: Kept, config: str) -> str:
    """A log may have come with a repository: what it says of the transcript must be so."""
    folder = Path(kept.transcript).parent
    if not Path(kept.transcript).is_file():
        return f"its transcript is gone: {kept.transcript}"
    if not Path(kept.cwd).is_dir():
        return f"its folder is gone: {kept.cwd}"
    if folder.parent != Path(config, "projects"):
        return f"its transcript is not below {config}: set CLAUDE_CONFIG_DIR as it was"
    is_of_it = folder.name[:_NAMED] in {_named(kept.cwd)[:_NAMED], _named(os.path.realpath(kept.cwd))[:_NAMED]}
    return "" if is_of_it else f"its transcript is not of its folder, {kept.cwd}"


def _named(path: str) -> str:
    """As a client names the folder of transcripts."""
    return re.sub(r"[^A-Za-z0-9]", "-", path)


def _entries(place: Place, session: str) -> list[Entry]:
    path = f"{session_dir(place, session)}/{LOG}"
    raws = [line for log in (f"{path}.1", path) for line in tail(log, TAIL_BYTES)]
    return list(_parsed(line for line in raws if b"orchestration." in line))


def _kept(entries: Sequence[Entry]) -> Kept | None:
    for entry in reversed(entries):
        told = entry.get("payload")
        if entry.get("type") == _BEGUN and isinstance(told, dict):
            transcript, cwd = told.get("transcript_path"), told.get("cwd")
            if isinstance(transcript, str) and isinstance(cwd, str) and transcript.endswith(".jsonl"):
                return Kept(Path(transcript).stem, transcript, cwd)
    return None


def _limit(entries: Sequence[Entry], kept: Kept, attempts: Sequence[Attempt]) -> Limit | None:
    """The last one, if nothing came after it; that of our own last attempt where its client did not record it."""
    last = next((entry for entry in reversed(entries) if entry.get("type") in _SIGNS), None)
    own = next((each for each in reversed(attempts) if each.outcome == RATE_LIMITED), None)
    limit = _recorded(last)
    if own and own.ended_at and _at(last) <= own.ended_at + 1:
        ended = Limit(f"{own.limit_id}+", own.ended_at)
        is_its = limit is not None and _at(last) >= (own.started_at or 0.0) - 1
        limit = (limit if limit and is_its else ended)._replace(resets_at=own.resets_at)
    return _from_transcript(limit, kept.transcript) if limit else None


def _recorded(entry: Entry | None) -> Limit | None:
    told = entry.get("payload") if entry else None
    is_limit = entry and entry.get("type") == _FAILED and isinstance(told, dict) and told.get("error") == ERROR
    return Limit(str(entry.get("id")), _at(entry)) if entry and is_limit else None


def _at(entry: Entry | None) -> float:
    return _seconds(entry.get("ts")) if entry else 0.0


def _from_transcript(limit: Limit, path: str) -> Limit | None:
    """With the reset as the client was told it; nothing where somebody has spoken since."""
    said = [
        entry
        for entry in _parsed(tail(path, TAIL_BYTES))
        if entry.get("type") in ("user", "assistant") and not entry.get("isSidechain") and not entry.get("isMeta")
    ]
    places = [number for number, entry in enumerate(said) if _is_limit(entry)]
    if not places or _seconds(said[places[-1]].get("timestamp")) < limit.at - _SLACK_S:
        return limit
    if len(said) > places[-1] + 1:
        return None
    resets_at, window = _reset(said[places[-1]])
    return limit if resets_at is None else limit._replace(resets_at=resets_at, window=window)


def _is_limit(entry: Entry) -> bool:
    return entry.get("isApiErrorMessage") is True and entry.get("error") == ERROR


def _reset(entry: Entry) -> tuple[float | None, str | None]:
    told = entry.get("apiErrorParams")
    info = told.get("rate_limit_info") if isinstance(told, dict) else None
    if not isinstance(info, dict):
        return None, None
    window = info.get("rateLimitType")
    return quota.number(info.get("resetsAt")), window if isinstance(window, str) else None


def _parsed(lines: Iterable[bytes]) -> Iterable[Entry]:
    for line in lines:
        try:
            entry = codec.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict):
            yield entry


def _seconds(ts: object) -> float:
    try:
        return datetime.fromisoformat(str(ts)).timestamp()
    except ValueError:  # by hand: as old as can be
        return 0.0
