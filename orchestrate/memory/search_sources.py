"""What is searched beside the events: one entry for each kind of record that is kept on its own."""

from collections.abc import Callable, Iterable, Sequence

from orchestrate.memory.search_found import Item
from orchestrate.memory.search_scope import Where
from orchestrate.memory.search_words import has_all
from state.store import Store
from state.store.search_terms import Term

NEWEST = 2000  # of each kind


def matching(store: Store, where: Where, since: str, terms: Sequence[Term]) -> list[Item]:
    """Those of the scope that have every term; a session has none of its own."""
    if where.kind == "session":
        return []
    known = (item for source in SOURCES for item in source(store, where.scope.tasks))
    return [item for item in known if item.ts >= since and has_all(f"{item.entity[1]} {item.text}", terms)]


def _bugs(store: Store, tasks: Sequence[str] | None) -> Iterable[Item]:
    seen = set()
    for task in [None] if tasks is None else tasks:
        for bug in store.bugs.listed(task, most=NEWEST):
            if bug.bug_hash not in seen:
                seen.add(bug.bug_hash)
                place = bug.file_path or ""
                text = " ".join((bug.error_message, place, bug.error_type, bug.stack_trace))
                yield Item("bug", bug.bug_hash, bug.last_seen, "bug", None, bug.task_code, ("bug", bug.bug_hash), text)


def _knowledge(store: Store, tasks: Sequence[str] | None) -> Iterable[Item]:
    newest = sorted(store.knowledge.beginning(""), key=lambda known: known.recorded_at, reverse=True)[:NEWEST]
    for known in newest:
        if tasks is None or known.task_code in tasks:
            key, entity = f"knowledge:{known.name}", ("knowledge", known.name)
            text = f"{known.content} {known.source or ''}"
            yield Item("knowledge", key, known.recorded_at, "knowledge", None, known.task_code, entity, text)


SOURCES: tuple[Callable[[Store, Sequence[str] | None], Iterable[Item]], ...] = (_bugs, _knowledge)
