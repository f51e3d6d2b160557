"""New rules for old bugs: every hash made again from what is kept, and records that now agree made one."""

from collections.abc import Sequence

from orchestrate.memory import bug_hash, bug_types
from state.paths import Place
from state.store import Store
from state.store.bug_records import Bug, Merged
from state.store.records import Event
from state.telling import Teller


def rehash(store: Store, place: Place, teller: Teller, dry_run: bool) -> list[Merged]:
    if dry_run:
        return planned(store.bugs.listed(), place.root)
    return store.bugs.rehash(
        lambda bugs: planned(bugs, place.root), lambda merges: [_told(teller, merged) for merged in merges]
    )


def planned(bugs: Sequence[Bug], root: str) -> list[Merged]:
    """Those that change; a record that stays as it is is not among them."""
    together: dict[str, list[Bug]] = {}
    for bug in sorted(bugs, key=lambda bug: (bug.captured_at, bug.bug_hash)):
        now = bug_hash.of(bug.original, bug.file_path, bug.line_number, bug.stack_trace, root)
        together.setdefault(now, []).append(bug)
    merges = [Merged(_merged(now, group), tuple(bug.bug_hash for bug in group)) for now, group in together.items()]
    return [merged for merged, group in zip(merges, together.values(), strict=True) if [merged.bug] != group]


def _merged(bug_hash: str, group: Sequence[Bug]) -> Bug:
    """`group`, oldest first: the first one's, with what the others add; it is resolved when all of them are."""
    first, last = group[0], max(group, key=lambda bug: bug.last_seen)
    resolved = max(
        (bug for bug in group if bug.resolved_at), key=lambda bug: (bug.resolved_at or "", bug.last_seen), default=None
    )
    is_resolved = all(bug.resolved_at for bug in group)
    return first._replace(
        bug_hash=bug_hash,
        task_code=next((bug.task_code for bug in group if bug.task_code), None),
        error_type=bug_types.of(first.original),
        occurrence_count=sum(bug.occurrence_count for bug in group),
        last_seen=last.last_seen,
        last_task_code=last.last_task_code,
        context={key: value for bug in group for key, value in bug.context.items()},
        resolved_at=resolved.resolved_at if resolved and is_resolved else None,
        resolution=resolved.resolution if resolved and is_resolved else None,
    )


def _told(teller: Teller, merged: Merged) -> Event:
    payload: dict[str, object] = {
        "bug_hash": merged.bug.bug_hash,
        "was": list(merged.was),
        "occurrence_count": merged.bug.occurrence_count,
        "error_type": merged.bug.error_type,
    }
    return teller.event("orchestration.bug.rehashed", ("bug", merged.bug.bug_hash), payload, merged.bug.task_code)
