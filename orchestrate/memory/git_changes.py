"""CHANGES.md: what a task changed, in the words of its template. One that somebody wrote is never overwritten."""

import hashlib
import re
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from orchestrate.memory import git_capture, git_diff, git_repository, git_status
from orchestrate.memory.git_call import shown
from orchestrate.memory.git_diff import Difference
from orchestrate.memory.git_repository import Repository
from state import files, redact
from state.errors import REFUSED, UserError
from state.store.task_records import Task

NAME = "CHANGES.md"
_FILES_MOST = 500
_WORK_PHASE = "execute"
_MARK = re.compile(r"\n<!-- Written by `orchestrate git changes`, sha256 ([0-9a-f]{64}) -->\n\Z")
_SPECIAL = re.compile(r"[\\`*\[\]<]|(?<![^\W_])_|_(?![^\W_])|~(?=~)|&(?=#?\w+;)")
_DEFAULT_BRANCHES = ("refs/remotes/origin/HEAD", "refs/heads/main", "refs/heads/master")


class Base(NamedTuple):
    hash: str
    why: str


class Changes(NamedTuple):
    text: str
    base: Base
    files: int


def render(folder: str, task: Task, base: str | None = None, head: str | None = None) -> str:
    """The text of CHANGES.md, for `write`."""
    return collect(folder, task, base, head).text


def collect(folder: str, task: Task, base: str | None = None, head: str | None = None) -> Changes:
    """What differs between `base` and `head`; without a head, the work tree with what is not committed."""
    repository = git_repository.find(folder)
    until = _until(repository, head)
    since = Base(git_repository.verify(repository, base), "as given") if base else find_base(repository, task, until)
    if until and (head or repository.top is None):
        found = git_diff.of_commits(repository, since.hash, until)
    else:
        found = _without(git_diff.of_work_tree(repository, since.hash, git_status.read(repository).untracked), NAME)
    related = _related(repository, task, since.hash, until)
    return Changes(page(task, found, related, time.localtime()), since, len(found.changes) + len(found.untracked))


def _until(repository: Repository, head: str | None) -> str | None:
    """None: the work tree of a repository that has no commit yet."""
    if head:
        return git_repository.verify(repository, head)
    return git_repository.head(repository) if repository.top else git_repository.require_head(repository)


def find_base(repository: Repository, task: Task, until: str | None) -> Base:
    """Where the task's work began: at the first commit kept in execute, else where the branch left another."""
    if until is None:
        return Base(git_repository.empty_tree(repository), "an empty tree: there is no commit yet")
    if _began_empty(repository, task, until):
        return Base(git_repository.empty_tree(repository), "an empty tree: no commit is older than the session")
    for one in task.metadata.get("commits", []):
        if one["phase"] == _WORK_PHASE and git_repository.known(repository, one["hash"]):
            began = git_repository.merge_base(repository, one["hash"], until) or one["hash"]
            return Base(began, f"kept when {_WORK_PHASE} began")
    for name in ("@{upstream}", *_DEFAULT_BRANCHES):
        tip = git_repository.known(repository, name)
        left = git_repository.merge_base(repository, tip, until) if tip else None
        if left:
            return Base(left, f"where it left {name.removeprefix('refs/').removeprefix('heads/')}")
    return Base(until, "the last commit, for want of an earlier one that is known")


def _began_empty(repository: Repository, task: Task, until: str) -> bool:
    """Nothing could be kept when such a session came to execute."""
    started_at = (task.metadata.get("session") or {}).get("started_at")
    if started_at is None:
        return False
    started_s = int(datetime.fromisoformat(started_at).timestamp())
    return not git_repository.has_older(repository, until, started_s)


def page(task: Task, found: Difference, related: Iterable[Mapping[str, Any]], today: time.struct_time) -> str:
    """Document 001's template."""
    return "\n".join(
        [
            "# Changes Summary",
            "",
            f"**Task**: {_inline(task.title)} ({task.code})",
            f"**Date**: {time.strftime('%Y-%m-%d', today)}",
            "",
            "## Overview",
            _block(task.description) or "No description.",
            "",
            "## Modified Files",
            *(_listed(found) or ["None."]),
            "",
            "## Diff Summary",
            git_diff.summary(found),
            "",
            "## Related Commits",
            *([_commit_line(one) for one in related] or ["None."]),
            "",
        ]
    )


def write(path: str, text: str) -> bool:
    """False where it stands there already. What somebody wrote, or changed since we did, is his."""
    if Path(path).is_symlink():
        raise UserError(f"{shown(path)}: is a link: remove it, and it is written in its place", REFUSED)
    before = files.read(path)
    if before is not None and not _is_ours(before):
        raise UserError(f"{shown(path)}: somebody wrote or changed it by hand: move it away, or keep it", REFUSED)
    marked = f"{text}\n<!-- Written by `orchestrate git changes`, sha256 {_digest(text)} -->\n"
    if before == marked.encode():
        return False
    files.replace(path, marked.encode())
    Path(path).chmod(0o644)
    return True


def _is_ours(raw: bytes) -> bool:
    text = raw.decode("utf-8", "replace")
    mark = _MARK.search(text)
    return mark is not None and mark[1] == _digest(text[: mark.start()])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _related(repository: Repository, task: Task, since: str, until: str | None) -> list[Mapping[str, Any]]:
    """The commits of the span, oldest first, and what else is kept with the task; but not where its work began.

    One that is kept for several phases is of the first: in the others it was HEAD still.
    """
    if until is None:
        return []
    kept = {one["hash"]: one for one in reversed(task.metadata.get("commits", [])) if one["hash"] != since}
    kept = dict(reversed(kept.items()))
    hashes = git_repository.between(repository, since, until, git_capture.MOST)
    made = {one: kept.get(one) or git_capture.record(repository, one, None) for one in hashes}
    return list({**{name: one for name, one in kept.items() if name not in made}, **made}.values())


def _without(found: Difference, name: str) -> Difference:
    return found._replace(
        changes=tuple(one for one in found.changes if one.path != name),
        untracked=tuple(path for path in found.untracked if path != name),
    )


def _listed(found: Difference) -> list[str]:
    lines = [f"- {_inline(change.path)}{_source(change)}" for change in found.changes]
    lines += [f"- {_inline(path)} (not tracked by git)" for path in found.untracked]
    more = len(lines) - _FILES_MOST
    return [*lines[:_FILES_MOST], f"- and {more} more"] if more > 0 else lines


def _source(change: git_diff.Change) -> str:
    return f" (from {_inline(change.from_path)})" if change.from_path else ""


def _commit_line(one: Mapping[str, Any]) -> str:
    phase = f" (Phase: {one['phase']})" if one["phase"] else ""
    return f"- {one['short_hash']} - {_inline(one['message'])}{phase}"


def _inline(text: str) -> str:
    """On one line, and read by Markdown as it stands."""
    text = _SPECIAL.sub(r"\\\g<0>", shown(redact.redact(text)))
    return re.sub(r"^([#>+=-]|\d+(?=[.)]\s))", lambda found: _stopped(found[0]), text)


def _stopped(start: str) -> str:
    """A number cannot be escaped: it is kept from beginning a list by what stands before it."""
    return f"&#{ord(start[0])};{start[1:]}" if start[0].isdigit() else f"\\{start}"


def _block(text: str) -> str:
    """A description: its paragraphs and lists stay, but it makes no heading, rule, fence, markup or image."""
    lines = [shown(line.expandtabs(4)).rstrip() for line in redact.redact(text).strip().splitlines()]
    return "\n".join(_tamed(line) for line in lines)


def _tamed(line: str) -> str:
    line = re.sub(r"<|!(?=\[)", r"\\\g<0>", line)
    return re.sub(r"^(\s*)(?=#|=|```|~~~|(?:[-_*]\s*){3,}$|-+\s*$)", r"\1\\", line)
