"""The lines of `sessions/<id>/feedback/`: what was right and wrong with decisions, and which tools failed.

`process.jsonl` has the user's word and what was derived of it, `tool.jsonl` the failures that hooks have seen. No text
of a prompt is in them unless `record_prompts` keeps it anyway.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from metrics.lines import json_object
from orchestrate.learning import events, failures, signals
from orchestrate.learning.events import Told
from orchestrate.learning.signals import USER, Signal
from state import codec, journal, locks
from state.errors import UserError
from state.files import failure
from state.paths import Place, session_dir
from state.telling import Teller

FOLDER, PROCESS, TOOL = "feedback", "process.jsonl", "tool.jsonl"
NOTE_MOST = 500
_WAIT_S = 10.0
Line = dict[str, object]


class Collected(NamedTuple):
    process: int
    tool: int


def give(place: Place, decided: Told, verdict: str, note: str, now: float, teller: Teller) -> Line:
    """The line, and the event beside it."""
    line = {**_line(decided, verdict, USER, journal.stamp(now)), **_extras(decided, note)}
    payload = {key: line[key] for key in ("verdict", "tier", "agent", "hash", "length", "source")}
    entity = ("prompt", decided.prompt_id or "")
    prompt = (decided.session, decided.prompt_id)
    event = journal.event(place, events.FEEDBACK, *prompt, entity, payload, now, teller.actor, teller.correlation)
    try:
        _append(place, decided.session, PROCESS, [line])
        journal.record(place, event)
    except OSError as error:
        raise failure(f"{session_dir(place, decided.session)}/{FOLDER}", error) from error
    return line


def of_prompt(place: Place, decided: Told) -> list[Line]:
    """What is kept of it, oldest first."""
    lines = kept(place, decided.session, PROCESS)
    return [line for line in lines if line.get("prompt_id") == decided.prompt_id]


def collect(place: Place) -> Collected:
    """Write down what can be derived of this project's logs and is not yet written."""
    told = events.read([place])
    derived = [signal for signal in signals.signals(told) if signal.source != USER]
    decided = {(each.session, each.prompt_id): each for each in told if each.kind == events.DECIDED}
    process = [(signal.session, _derived(signal, decided[signal.session, signal.prompt_id])) for signal in derived]
    tool = [(failed.session, failed.as_line()) for failed in failures.found(told)]
    return Collected(_add(place, PROCESS, process), _add(place, TOOL, tool))


def kept(place: Place, session: str, name: str) -> list[Line]:
    try:
        lines = Path(_path(place, session, name)).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise failure(_path(place, session, name), error, "read") from error
    return [line for raw in lines if (line := json_object(raw)) is not None]


def _add(place: Place, name: str, found: Iterable[tuple[str, Line]]) -> int:
    """Two that collect at once write nothing twice."""
    by_session: defaultdict[str, list[Line]] = defaultdict(list)
    for session, line in found:
        by_session[session].append(line)
    added = 0
    with locks.hold(f"{place.state}/cache/feedback.lock", _WAIT_S):
        for session, lines in by_session.items():
            known = {_key(line) for line in kept(place, session, name)}
            new = [line for line in lines if _key(line) not in known]
            try:
                _append(place, session, name, new)
            except OSError as error:
                raise failure(_path(place, session, name), error) from error
            added += len(new)
    return added


def _append(place: Place, session: str, name: str, lines: list[Line]) -> None:
    journal.refuse_link(f"{place.state}/sessions")
    journal.refuse_link(f"{session_dir(place, session)}/{FOLDER}")
    for line in lines:
        journal.append(_path(place, session, name), codec.dumps(line))


def _path(place: Place, session: str, name: str) -> str:
    return f"{session_dir(place, session)}/{FOLDER}/{name}"


def _key(line: Mapping[str, object]) -> tuple[object, ...]:
    return tuple(line.get(name) for name in ("ts", "prompt_id", "source", "verdict", "kind"))


def _line(decided: Told, verdict: str, source: str, ts: str) -> Line:
    payload = decided.payload
    return {
        "ts": ts,
        "prompt_id": decided.prompt_id,
        "verdict": verdict,
        "tier": payload.get("tier"),
        "agent": payload.get("agent"),
        "hash": payload.get("hash"),
        "length": payload.get("length"),
        "source": source,
    }


def _derived(signal: Signal, decided: Told) -> Line:
    return _line(decided, signal.verdict, signal.source, signal.ts)


def _extras(decided: Told, note: str) -> Line:
    extras: Line = {}
    if "text" in decided.payload:
        extras["text"] = decided.payload["text"]
    if note:
        from state.redact import redact  # noqa: PLC0415  16 ms that a verdict alone does not owe

        if len(note) > NOTE_MOST:
            raise UserError(f"--note: {len(note)} characters, at most {NOTE_MOST} are kept: say it shorter")
        extras["note"] = redact(note)
    return extras
