"""Which files differ between a commit and another, or the work tree, and by how many lines."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from orchestrate.memory import git_filters
from orchestrate.memory.git_call import Said, call, refused
from orchestrate.memory.git_repository import Repository, require_work_tree
from state.errors import UserError

_DIFF_S = 60.0
_MOST_BYTES = 8 * 1024 * 1024
# No program of the repository's, no entering of submodules. A larger file counts as binary.
_PLAIN = (
    "--no-ext-diff",
    "--no-textconv",
    "--no-relative",
    "--ignore-submodules=dirty",
    "--submodule=short",
    "--no-color",
    "-z",
)
_RENAMES = ("--find-renames=50%", "-l1000")
_BIG_FILES = "core.bigFileThreshold=16m"


class Change(NamedTuple):
    path: str  # from the top of the work tree, as the file system has it
    added: int | None  # lines; None where there are none to count: a binary file, or more than can be counted
    deleted: int | None
    from_path: str | None = None


class Difference(NamedTuple):
    changes: tuple[Change, ...]
    untracked: tuple[str, ...] = ()
    is_counted: bool = True  # False: too much to count lines
    is_cut: bool = False  # there are more files than these


def of_commits(repository: Repository, base: str, until: str) -> Difference:
    return _difference(repository, ("diff-tree", "-r"), (base, until), None)


def of_work_tree(repository: Repository, base: str, untracked: tuple[str, ...]) -> Difference:
    """What git tracks in the work tree against `base`. The user's index is read, and never written."""
    require_work_tree(repository)
    index = Path(repository.git_dir, "index")
    with tempfile.TemporaryDirectory(prefix="orchestrate-") as folder:
        copy = Path(folder, "index")
        if index.exists():
            shutil.copy2(index, copy)  # with its time: by it git knows which files it must look at again
        refresh = ("update-index", "-q", "--refresh")
        config = git_filters.without(repository)
        call(repository.folder, *refresh, index=str(copy), config=config, timeout_s=_DIFF_S)
        return _difference(repository, ("diff-index",), (base,), str(copy))._replace(untracked=untracked)


def parse(raw: bytes) -> Iterator[Change]:
    """The output of `--numstat -z`."""
    fields = iter(raw.split(b"\0"))
    for field in fields:
        counts = field.split(b"\t", 2)
        if len(counts) < 3:  # the end, or where it was cut
            return
        source, path = None, counts[2]
        if not path:  # of a rename: both paths follow
            source, path = os.fsdecode(next(fields, b"")), next(fields, b"")
        yield Change(os.fsdecode(path), _lines(counts[0]), _lines(counts[1]), source)


def summary(found: Difference) -> str:
    """As git says it."""
    files = f"{'more than ' if found.is_cut else ''}{_counted(len(found.changes), 'file')} changed"
    if not found.is_counted:
        return f"{files}, lines not counted"
    added = sum(change.added or 0 for change in found.changes)
    deleted = sum(change.deleted or 0 for change in found.changes)
    parts = [files]
    if added or not deleted:
        parts.append(_counted(added, "insertion") + "(+)")
    if deleted or not added:
        parts.append(_counted(deleted, "deletion") + "(-)")
    return ", ".join(parts if found.changes else parts[:1])


def _difference(repository: Repository, verb: tuple[str, ...], what: tuple[str, ...], index: str | None) -> Difference:
    try:
        said = _run(repository, (*verb, *_PLAIN, *_RENAMES, "--numstat"), what, index)
        if not said.is_cut:
            return Difference(tuple(parse(said.out)))
    except UserError:  # it took too long
        pass
    said = _run(repository, (*verb, *_PLAIN, "--no-renames", "--name-only"), what, index)
    names = said.out.split(b"\0")[:-1]
    changes = tuple(Change(os.fsdecode(name), None, None) for name in names)
    return Difference(changes, is_counted=False, is_cut=said.is_cut)


def _run(repository: Repository, options: tuple[str, ...], what: tuple[str, ...], index: str | None) -> Said:
    config = [_BIG_FILES, *(git_filters.without(repository) if index else [])]
    said = call(
        repository.folder, *options, *what, "--", config=config, index=index, timeout_s=_DIFF_S, most_bytes=_MOST_BYTES
    )
    if said.code and not said.is_cut:
        raise refused(repository.folder, said)
    return said


def _lines(raw: bytes) -> int | None:
    return int(raw) if raw.isdigit() else None


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
