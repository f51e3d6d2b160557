"""Bugs: one row for each, however often and from wherever it is logged."""

from collections.abc import Callable, Mapping, Sequence

import orjson

from state.errors import FAILED, NOT_FOUND, UserError
from state.store.appending import append
from state.store.bug_records import Bug, Logged, Merged, TypeCount
from state.store.engine import Engine, Row
from state.store.records import Event
from state.store.values import json_object

_HASH_END = "g"  # behind every hexadecimal digit
_NAMED_MOST = 5
_ALL = 1_000_000


class Bugs:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def log(self, bug: Bug, tell: Callable[[Logged], Sequence[Event]]) -> Logged:
        """`bug` as seen once now: the first of its hash is kept as it is, each further one is counted there."""
        with self._engine.writing():
            is_new = bool(self._engine.run("add_bug", _row(bug)))
            is_reopened = not is_new and bool(self._engine.run("reopen_bug", (bug.bug_hash,)))
            if not is_new:
                seen = {"bug_hash": bug.bug_hash, "task_code": bug.task_code, "last_seen": bug.last_seen}
                self._engine.run("count_bug", seen)
            if bug.task_code is not None:
                self._engine.run("count_bug_task", (bug.bug_hash, bug.task_code, 1))
            if not is_new and bug.context:
                self._keep_context(bug.bug_hash, bug.context)
            logged = Logged(self.one(bug.bug_hash), is_new, is_reopened)
            append(self._engine, tell(logged))
            return logged

    def explain(self, bug_hash: str, context: Mapping[str, object], told: Sequence[Event]) -> Bug:
        """Add to what is known of it; a key that is there already is said anew."""
        with self._engine.writing():
            self._keep_context(bug_hash, context)
            append(self._engine, told)
            return self.one(bug_hash)

    def resolve(self, bug_hash: str, at: str, note: str | None, told: Sequence[Event]) -> bool:
        """False, and nothing told, where it is resolved already."""
        with self._engine.writing():
            values = {"bug_hash": bug_hash, "resolved_at": at, "resolution": note}
            if not self._engine.run("resolve_bug", values):
                return False
            append(self._engine, told)
            return True

    def one(self, bug_hash: str) -> Bug:
        found = self._engine.rows("bug", (bug_hash,))
        if not found:
            raise UserError(f"{bug_hash}: no such bug: `orchestrate bug list`", NOT_FOUND)
        return _bug(self._engine.where, found[0])

    def named(self, prefix: str) -> Bug:
        """The one whose hash begins so."""
        low = prefix.lower()
        values = {"low": low, "high": low + _HASH_END, "most": _NAMED_MOST}
        found = [_bug(self._engine.where, row) for row in self._engine.rows("bugs_between", values)]
        if not found or not low:
            raise UserError(f"{prefix}: no bug's hash begins so: `orchestrate bug list` shows them", NOT_FOUND)
        if len(found) > 1:
            more = ", ".join(bug.bug_hash[:12] for bug in found)
            raise UserError(f"{prefix}: several bugs' hashes begin so ({more}): give more of it", FAILED)
        return found[0]

    def listed(self, task: str | None = None, least: int = 1, is_open: bool = False, most: int = _ALL) -> list[Bug]:
        """Those that `task` met, seen at least so often; the one seen last comes first."""
        values = {"task": task, "any_task": int(task is None), "least": least, "is_open": int(is_open), "most": most}
        return [_bug(self._engine.where, row) for row in self._engine.rows("bugs_listed", values)]

    def tasks(self, bug_hash: str) -> dict[str, int]:
        """How often each task met it."""
        return {row[0]: row[1] for row in self._engine.rows("bug_tasks", (bug_hash,))}

    def counts(self) -> list[TypeCount]:
        return [TypeCount(*row) for row in self._engine.rows("bug_counts")]

    def rehash(
        self, plan: Callable[[list[Bug]], list[Merged]], tell: Callable[[list[Merged]], Sequence[Event]]
    ) -> list[Merged]:
        """Put what `plan` makes of all bugs in their place; no other writer comes between."""
        with self._engine.writing():
            merges = plan(self.listed())
            met = [self._take_out(merged) for merged in merges]
            for merged, tasks in zip(merges, met, strict=True):
                self._engine.run("add_bug", _row(merged.bug))
                rows = [(merged.bug.bug_hash, task, count) for task, count in tasks]
                self._engine.many("count_bug_task", rows)
            append(self._engine, tell(merges))
            return merges

    def _take_out(self, merged: Merged) -> list[tuple[str, int]]:
        tasks = [pair for bug_hash in merged.was for pair in self.tasks(bug_hash).items()]
        for bug_hash in merged.was:
            self._engine.run("forget_bug", (bug_hash,))
            self._engine.run("forget_bug_tasks", (bug_hash,))
        return tasks

    def _keep_context(self, bug_hash: str, context: Mapping[str, object]) -> None:
        known = {**self.one(bug_hash).context, **context}
        self._engine.run("keep_bug_context", {"bug_hash": bug_hash, "context": orjson.dumps(known).decode()})


def _row(bug: Bug) -> dict[str, object]:
    return {**bug._asdict(), "context": orjson.dumps(dict(bug.context)).decode()}


def _bug(where: str, row: Row) -> Bug:
    bug = Bug(*row)
    return bug._replace(context=json_object(where, f"bugs: {bug.bug_hash}: context", str(bug.context)))
