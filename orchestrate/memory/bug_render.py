"""Bugs as a person reads them."""

from collections.abc import Callable, Mapping, Sequence

from orchestrate.memory.bug_near import Near
from state.store.bug_records import Bug, Logged

HASH_SHOWN = 12
MESSAGE_SHOWN = 100
_MARKDOWN = str.maketrans({char: f"\\{char}" for char in "\\`*_[]<>|#"})

Clean = Callable[[str], str]


def logged(found: Logged) -> str:
    bug = found.bug
    if found.is_new:
        return f"new bug {short(bug)} ({bug.error_type})"
    again = "reopened" if found.is_reopened else "known"
    return f"{again} bug {short(bug)} ({bug.error_type}), seen {bug.occurrence_count} times, since {bug.captured_at}"


def line(bug: Bug, clean: Clean) -> str:
    state = "resolved" if bug.resolved_at else "open"
    message = clean(bug.error_message)[:MESSAGE_SHOWN]
    return f"{short(bug)}  {bug.occurrence_count:>4}x  {bug.error_type:<10}  {state:<8}  {clean(where(bug))}  {message}"


def near(found: Sequence[Near], clean: Clean) -> list[str]:
    return [
        f"perhaps the same as {short(one.bug)} ({one.score:.2f}): {clean(one.bug.error_message)[:MESSAGE_SHOWN]}"
        for one in found
    ]


def details(bug: Bug, tasks: Mapping[str, int], clean: Clean) -> list[str]:
    rows = {
        "hash": bug.bug_hash,
        "error": bug.error_message,
        "type": bug.error_type,
        "where": where(bug),
        "seen": f"{bug.occurrence_count} times, first {bug.captured_at}, last {bug.last_seen}",
        "tasks": ", ".join(f"{task} ({count})" for task, count in tasks.items()) or "-",
        "resolved": f"{bug.resolved_at} {bug.resolution or ''}".strip() if bug.resolved_at else "no",
        **{f"context {key}": str(value) for key, value in bug.context.items()},
    }
    shown = [f"{clean(name)}: {clean(value)}" for name, value in rows.items()]
    return shown + [f"  {clean(line)}" for line in bug.stack_trace.splitlines()]


def markdown(bugs: Sequence[Bug], task: str | None, clean: Clean) -> str:
    """A page such as BUGS.md; what the errors say is text in it, whatever it contains."""
    lines = [f"# Bugs{f' of {task}' if task else ''}", ""]
    for bug in bugs:
        mark = "x" if bug.resolved_at else " "
        message = clean(bug.error_message)[:MESSAGE_SHOWN].translate(_MARKDOWN)
        lines.append(f"- [{mark}] {message}")
        place = clean(where(bug)).translate(_MARKDOWN)
        lines.append(f"  {bug.error_type}, {place}, seen {bug.occurrence_count} times, {short(bug)}")
    return "\n".join([*lines, *([] if bugs else ["None."])])


def where(bug: Bug) -> str:
    if bug.file_path is None:
        return "-" if bug.line_number is None else f"line {bug.line_number}"
    return bug.file_path if bug.line_number is None else f"{bug.file_path}:{bug.line_number}"


def short(bug: Bug) -> str:
    return bug.bug_hash[:HASH_SHOWN]
