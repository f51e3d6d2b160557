"""A repository as far as we ask for it: its folders, its branch, and commits by what a user calls them."""

import os
import re
from pathlib import Path
from typing import NamedTuple

from orchestrate.memory.git_call import ask, call, complaint, refused, shown
from state.errors import NOT_FOUND, USAGE, UserError
from state.paths import Place, find_root

_SUBJECT_MOST = 500
_COMMIT_BYTES = 64 * 1024
_FOREIGN = "the repository belongs to another user: git must be told to trust it (safe.directory in `git help config`)"
_HASH = re.compile(r"[0-9a-f]{40,64}")
_PERSON = re.compile(rb"(.*?) ?<([^>]*)> [0-9]+ [+-][0-9]{4}")


class Repository(NamedTuple):
    folder: str  # where it was asked from
    git_dir: str
    common_dir: str  # of the main work tree, for a linked one
    top: str | None  # of the work tree; None: bare


class Commit(NamedTuple):
    hash: str
    author: str
    subject: str


def where(place: Place, cwd: str, home: str) -> str:
    """The folder in which the user works: a linked work tree is of the same project as its main one."""
    return cwd if find_root(cwd, home) == place.root else place.root


def find(folder: str) -> Repository:
    """The repository that `folder` is in."""
    found = around(folder)
    if found is None:
        raise UserError(f"{shown(folder)}: is in no git repository: go to one, or make one (`git init`)")
    return found


def around(folder: str) -> Repository | None:
    """As `find`, and None where there is none."""
    said = call(folder, "rev-parse", "--absolute-git-dir", "--git-common-dir", "--is-bare-repository")
    if said.code:
        if "not a git repository" in said.err:
            return None
        raise UserError(f"{shown(folder)}: {_FOREIGN if 'dubious ownership' in said.err else complaint(said)}")
    git_dir, common, bare = os.fsdecode(said.out).removesuffix("\n").rsplit("\n", 2)
    return Repository(folder, git_dir, str(Path(folder, common)), None if bare == "true" else _top(folder))


def require_work_tree(repository: Repository) -> str:
    if repository.top is None:
        raise UserError(f"{shown(repository.folder)}: is a bare repository: go to a work tree of it")
    return repository.top


def head(repository: Repository) -> str | None:
    """The hash of HEAD, or None where there is no commit yet."""
    return known(repository, "HEAD")


def require_head(repository: Repository) -> str:
    found = head(repository)
    if found is None:
        raise UserError(f"{shown(repository.folder)}: has no commit yet: make one first")
    return found


def verify(repository: Repository, revision: str) -> str:
    """The hash of the one commit that `revision` names."""
    if not revision or any(char in revision for char in "\0\n"):
        raise UserError("no revision given: name a commit, a branch or a tag", USAGE)
    found = known(repository, revision)
    if found is None:
        raise UserError(f"{shown(revision)}: no such commit in {shown(repository.folder)}", NOT_FOUND)
    return found


def known(repository: Repository, name: str) -> str | None:
    """As `verify`, and None where there is no such commit."""
    if "\0" in name:
        return None
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    said = call(repository.folder, *words)
    found = said.out.decode().strip()
    return found if said.code == 0 and _HASH.fullmatch(found) else None  # "^HEAD" is an answer to git, and no commit


def branch(repository: Repository) -> str | None:
    """None where HEAD is detached. A branch is one before its first commit too."""
    said = call(repository.folder, "symbolic-ref", "--quiet", "--short", "HEAD")
    return shown(os.fsdecode(said.out).rstrip("\n")) if said.code == 0 else None


def commit(repository: Repository, found: str) -> Commit:
    """`found`: a hash that was verified."""
    said = call(repository.folder, "cat-file", "commit", found, most_bytes=_COMMIT_BYTES)
    if said.code and not said.is_cut:
        raise refused(repository.folder, said)
    lines, _, message = said.out.partition(b"\n\n")
    fields = dict(_field(line) for line in lines.split(b"\n"))
    encoding = fields.get(b"encoding", b"utf-8").decode("ascii", "replace")
    return Commit(found, _author(fields.get(b"author", b""), encoding), _subject(message, encoding))


def between(repository: Repository, base: str, until: str, most: int) -> list[str]:
    """The hashes of what `until` has and `base` has not, oldest first; of more than `most` the newest."""
    words = ("rev-list", "--topo-order", f"--max-count={most}", until, f"^{base}", "--")
    return ask(repository.folder, *words).decode().split()[::-1]


def has_older(repository: Repository, found: str, than_s: int) -> bool:
    """Whether any commit up to `found` was made by then."""
    words = ("rev-list", "--max-count=1", f"--min-age={than_s}", found, "--")
    return bool(ask(repository.folder, *words).strip())


def empty_tree(repository: Repository) -> str:
    """Its hash, which every repository knows."""
    return ask(repository.folder, "hash-object", "-t", "tree", "--stdin").decode().strip()


def merge_base(repository: Repository, one: str, other: str) -> str | None:
    said = call(repository.folder, "merge-base", one, other)
    return said.out.decode().strip() if said.code == 0 else None


def _top(folder: str) -> str:
    said = call(folder, "rev-parse", "--show-toplevel")
    top = os.fsdecode(said.out).rstrip("\n")
    if said.code or not top:
        raise UserError(f"{shown(folder)}: is inside the repository's own folder: go to its work tree")
    # core.worktree may say anything, and the repository itself says it.
    if not Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(top)):
        raise UserError(f"{shown(folder)}: is not inside the work tree that its repository names ({shown(top)})")
    return top


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b" ")
    return name, value


def _author(raw: bytes, encoding: str) -> str:
    found = _PERSON.fullmatch(raw)
    name, address = found.groups() if found else (raw, b"")
    return shown(f"{_text(name, encoding)} <{_text(address, encoding)}>")


def _subject(message: bytes, encoding: str) -> str:
    """The first paragraph on one line, as git has it."""
    lines = _text(message.lstrip(b"\n"), encoding).split("\n\n", 1)[0]
    return shown(" ".join(lines.split()))[:_SUBJECT_MOST]


def _text(raw: bytes, encoding: str) -> str:
    """In the encoding that the commit names, if that is one; a byte that is none of it stays visible."""
    try:
        return raw.decode(encoding, "backslashreplace")
    except (LookupError, ValueError, UnicodeError):
        return raw.decode("utf-8", "backslashreplace")
