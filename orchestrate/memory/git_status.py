"""What differs from the last commit, in the index and in the work tree."""

import os
from typing import NamedTuple

from orchestrate.memory import git_filters
from orchestrate.memory.git_call import call, refused
from orchestrate.memory.git_repository import Repository, require_work_tree

_INDEX, _TREE = 0, 1


class Entry(NamedTuple):
    path: str  # from the top of the work tree, as the file system has it
    staged: str  # the letter git gives to the index against HEAD, "." for the same
    changed: str  # the same of the work tree against the index
    from_path: str | None = None  # of a rename or a copy
    is_unmerged: bool = False
    is_submodule: bool = False


class Status(NamedTuple):
    branch: str | None  # None: HEAD is detached
    head: str | None  # None: no commit yet
    entries: tuple[Entry, ...]
    untracked: tuple[str, ...]

    @property
    def modified(self) -> list[str]:
        return sorted(one.path for one in self.entries if _kind(one) == "modified")

    @property
    def added(self) -> list[str]:
        return sorted(one.path for one in self.entries if _kind(one) == "added")

    @property
    def deleted(self) -> list[str]:
        """Also what was renamed away."""
        gone = [one.path for one in self.entries if _kind(one) == "deleted"]
        return sorted(
            gone + [one.from_path for one in self.entries if one.from_path and "R" in one.staged + one.changed]
        )


def read(repository: Repository) -> Status:
    top = require_work_tree(repository)
    words = ("status", "--porcelain=v2", "-z", "--branch", "--no-ahead-behind", "--find-renames", "--no-ignored")
    # What a submodule holds is its own: only that it stands on another commit is told.
    more = ("--untracked-files=normal", "--ignore-submodules=dirty")
    said = call(top, *words, *more, config=git_filters.without(repository))
    if said.code or said.is_cut:
        raise refused(repository.folder, said)
    return parse(said.out)


def parse(raw: bytes) -> Status:
    fields = iter(raw.split(b"\0"))
    heads: dict[str, str] = {}
    entries: list[Entry] = []
    untracked: list[str] = []
    for field in fields:
        kind, _, rest = os.fsdecode(field).partition(" ")
        if kind == "#":
            name, _, value = rest.partition(" ")
            heads[name] = value
        elif kind == "1":
            entries.append(_entry(rest.split(" ", 7)))
        elif kind == "2":
            entries.append(_entry(rest.split(" ", 8))._replace(from_path=os.fsdecode(next(fields))))
        elif kind == "u":
            entries.append(_entry(rest.split(" ", 9))._replace(is_unmerged=True))
        elif kind == "?":
            untracked.append(rest)
    branch, oid = heads.get("branch.head", ""), heads.get("branch.oid", "")
    return Status(
        None if branch == "(detached)" else branch,
        None if oid == "(initial)" else oid,
        tuple(entries),
        tuple(sorted(untracked)),
    )


def _entry(parts: list[str]) -> Entry:
    return Entry(parts[-1], parts[0][_INDEX], parts[0][_TREE], is_submodule=parts[1].startswith("S"))


def _kind(entry: Entry) -> str:
    letters = entry.staged + entry.changed
    if not entry.is_unmerged and "D" in letters:
        return "deleted" if entry.staged != "A" else ""  # it was added and is gone again: nothing is left of it
    if not entry.is_unmerged and (set(letters) & set("ARC")):
        return "added"
    return "modified"
