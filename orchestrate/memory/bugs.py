"""Bugs as they are met: what a report becomes, what is told of it, and the record that others read."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from orchestrate.memory import bug_hash, bug_near, bug_text, bug_types
from orchestrate.memory.bug_near import Near
from state import redact
from state.errors import USAGE, UserError
from state.journal import stamp
from state.paths import Place
from state.store import Store
from state.store.bug_records import Bug, Logged
from state.store.records import Event
from state.telling import Teller

MESSAGE_MOST = 1000
TOLD_MOST = 300
CONTEXT_MOST = 32
VALUE_MOST = 1000
NAME_MOST = 64
FILE_MOST = 500
RESERVED = (
    "captured_at",
    "error_type",
    "occurrence_count",
    "last_seen",
    "last_task_code",
    "resolved_at",
    "resolution",
    "action",
)
ACTIONS = ("fix_now", "log_and_continue", "provide_context", "log_only")
RELATED = ("fix_now", "log_and_continue", "provide_context")
UNRELATED = ("log_only", "fix_now", "provide_context")


class Report(NamedTuple):
    """One occurrence, as it was reported."""

    message: str
    task: str | None = None
    file: str | None = None
    line: int | None = None
    stack: str = ""
    context: Mapping[str, str] = {}
    session: str | None = None  # of the task


def log(store: Store, place: Place, teller: Teller, report: Report, cwd: str) -> Logged:
    bug = found(report, place.root, cwd)
    return store.bugs.log(bug, lambda logged: _told(teller, logged, report))


def found(report: Report, root: str, cwd: str) -> Bug:
    """The bug of a report, seen once, now. Secrets are redacted before anything is made of it, so that the hash can be
    made again from what is kept."""
    message, stack = (_harmless(text).strip() for text in (report.message, report.stack))
    if not message:
        raise UserError("the error's text is empty: give what the error says", USAGE)
    top = _top(cwd, root)
    original, stack = (text.replace(f"{top}/", f"{root.rstrip('/')}/") for text in (message, stack))
    file = file_of(report.file, root, cwd)
    now = stamp(time.time())
    return Bug(
        bug_hash=bug_hash.of(original, file, report.line, stack, root),
        task_code=report.task,
        error_message=message[:MESSAGE_MOST],
        file_path=file,
        line_number=report.line,
        error_type=bug_types.of(original),
        occurrence_count=1,
        captured_at=now,
        last_seen=now,
        last_task_code=report.task,
        context=_kept(report.context),
        original=original,
        stack_trace=stack,
    )


def file_of(path: str | None, root: str, cwd: str) -> str | None:
    """As the record has it; what lies in the folder one is in is meant before what lies in the project's root."""
    if not path:
        return None
    path = bug_text.readable(path)[:FILE_MOST]
    named = os.path.normpath(Path(cwd, path))
    top = _top(cwd, root)
    is_there = Path(path).is_absolute() or os.path.exists(named)  # noqa: PTH110  to it a name too long is no error
    is_here = named.startswith(f"{top}/") and is_there
    return (bug_text.file_of(named, top) if is_here else bug_text.file_of(path, root)) or None


def given(pairs: tuple[str, ...]) -> dict[str, str]:
    """Pairs `key=value` as typed."""
    context = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        key = bug_text.readable(key).strip()
        if not sign or not key or len(key) > NAME_MOST:
            raise UserError(f"--context {pair[:80]!r}: expected key=value, the key of 1 to {NAME_MOST} letters", USAGE)
        if key in RESERVED:
            raise UserError(f"--context {key}: is kept by orchestrate itself: take another key", USAGE)
        context[key] = bug_text.readable(value)[:VALUE_MOST]
    if len(context) > CONTEXT_MOST:
        raise UserError(f"--context: {len(context)} keys: at most {CONTEXT_MOST} are taken", USAGE)
    return context


def choices(logged: Logged, task: str | None, is_related: bool | None) -> tuple[str, ...]:
    """What may be done now. A bug is related to the task that met it first; `is_related`: as the user says."""
    related = task is not None and logged.bug.task_code == task if is_related is None else is_related
    return RELATED if related else UNRELATED


def act(store: Store, teller: Teller, bug: Bug, action: str, more: Mapping[str, str], report: Report) -> Bug:
    """Keep what was chosen to be done about an occurrence, and what was said about it."""
    context = {**_kept(more), "action": action}
    payload: dict[str, object] = {"bug_hash": bug.bug_hash, "action": action, "context": sorted(more)}
    told = [teller.event("orchestration.bug.action", ("bug", bug.bug_hash), payload, report.task, report.session)]
    return store.bugs.explain(bug.bug_hash, context, told)


def resolve(store: Store, teller: Teller, bug: Bug, note: str | None) -> bool:
    note = None if note is None else _harmless(note)[:MESSAGE_MOST]
    payload = {**_facts(bug), "resolution": note}
    told = [teller.event("orchestration.bug.resolved", ("bug", bug.bug_hash), payload, bug.last_task_code)]
    return store.bugs.resolve(bug.bug_hash, stamp(time.time()), note, told)


def near(store: Store, place: Place, bug: Bug) -> list[Near]:
    return bug_near.near(bug, store.bugs.listed(most=bug_near.COMPARED_MOST), place.root)


def record(bug: Bug) -> dict[str, object]:
    resolved = {"resolved_at": bug.resolved_at, "resolution": bug.resolution} if bug.resolved_at else {}
    return {
        "bug_hash": bug.bug_hash,
        "task_code": bug.task_code,
        "error_message": bug.error_message,
        "file_path": bug.file_path,
        "line_number": bug.line_number,
        "context": {
            **bug.context,
            "captured_at": bug.captured_at,
            "error_type": bug.error_type,
            "occurrence_count": bug.occurrence_count,
            "last_seen": bug.last_seen,
            "last_task_code": bug.last_task_code,
            **resolved,
        },
    }


def _kept(context: Mapping[str, str]) -> dict[str, object]:
    harmless = {bug_text.readable(name): bug_text.readable(text)[:VALUE_MOST] for name, text in context.items()}
    return redact.redact_fields(harmless)


def _harmless(text: str) -> str:
    return bug_text.readable(redact.redact(bug_text.readable(text)))


def _top(cwd: str, root: str) -> str:
    """The folder that one works in: the project's, or that of a linked worktree of it, whose files are the same."""
    for folder in (Path(cwd), *Path(cwd).parents):
        if str(folder) == root or (folder / ".git").exists():
            return str(folder).rstrip("/")
    return root.rstrip("/")


def _told(teller: Teller, logged: Logged, report: Report) -> list[Event]:
    kinds = ["logged" if logged.is_new else "recurred", *(["reopened"] if logged.is_reopened else [])]
    entity, facts = ("bug", logged.bug.bug_hash), _facts(logged.bug)
    return [teller.event(f"orchestration.bug.{kind}", entity, facts, report.task, report.session) for kind in kinds]


def _facts(bug: Bug) -> dict[str, object]:
    return {
        "bug_hash": bug.bug_hash,
        "error_message": bug.error_message[:TOLD_MOST],
        "error_type": bug.error_type,
        "file_path": bug.file_path,
        "line_number": bug.line_number,
        "occurrence_count": bug.occurrence_count,
    }
