"""Commits of exactly the named paths, made beside the user's index, which then learns of those paths alone.

The hooks of the repository are not run: commit-tree runs none. One that would have checked the commit is a reason to
refuse, not a thing to pass over.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from orchestrate.memory import git_capture, git_filters, git_repository, git_signing, git_status
from orchestrate.memory.git_call import WRITE_S, ask, call, shown
from orchestrate.memory.git_capture import Record
from orchestrate.memory.git_repository import Repository, require_work_tree
from orchestrate.memory.git_status import Entry, Status
from state import message_template
from state.errors import FAILED, LOCK_TIMEOUT, REFUSED, USAGE, UserError
from state.snapshot import Value
from state.store.task_records import Task

_TOLD_PATHS = 100
CHECKING_HOOKS = ("pre-commit", "prepare-commit-msg", "commit-msg")
_IN_THE_MIDDLE = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
    "BISECT_LOG": "a bisection",
}


class Made(NamedTuple):
    commit: Record
    paths: tuple[str, ...]
    left_out: tuple[str, ...]  # changed and tracked, but with something else staged than the file now says


class Lock:
    """Git's own lock on an index: a file beside it that the next one is made in."""

    def __init__(self, target: Path, draft: Path) -> None:
        self._target = target
        self.draft = draft
        self._is_held = True

    def put(self) -> None:
        """The draft becomes the index. From then on the name of the lock is another's to take."""
        self.draft.replace(self._target)
        self._is_held = False

    def drop(self) -> None:
        if self._is_held:
            self.draft.unlink(missing_ok=True)


def as_told(made: Made) -> dict[str, object]:
    """For an event; of many paths the first."""
    paths = [shown(path) for path in made.paths]
    return {"commit": made.commit, "paths": paths[:_TOLD_PATHS], "files": len(paths)}


def commit(
    folder: str, text: str, paths: Sequence[str] = (), phase: str | None = None, past_hooks: bool = False
) -> Made:
    """Commit `paths` (from `folder`), or all that is tracked and changed, as the files stand now."""
    repository = git_repository.find(folder)
    top = require_work_tree(repository)
    _require_quiet(repository)
    if not past_hooks:
        _require_no_hooks(repository)
    status = git_status.read(repository)
    chosen = named(repository, status, paths) if paths else _changed(status.entries)
    if not chosen:
        raise UserError(f"{shown(top)}: nothing to commit: no tracked file has changed", FAILED)
    return _make(repository, status, chosen, text, phase)


def auto(folder: str, task: Task, phase: str, settings: Mapping[str, Value]) -> Made | None:
    """What `git.auto_commit` asks for at the end of a phase; None where it asks for nothing or nothing has changed. A
    UserError says why no commit was made; the phase is not to hang on it.

    A file in which the user has staged something else than it now says is left to him.
    """
    if not (settings["git.enabled"] and settings["git.auto_commit"]):
        return None
    repository = git_repository.around(folder)
    if repository is None or repository.top is None:
        return None
    status = git_status.read(repository)
    staged = {path for entry in status.entries if "." not in entry.staged + entry.changed for path in _paths(entry)}
    chosen = [path for path in _changed(status.entries) if path not in staged]
    if not chosen:
        return None
    _require_quiet(repository)
    _require_no_hooks(repository)
    _require_no_filters(repository)
    if status.branch is None:
        raise UserError(f"{shown(repository.top)}: HEAD is detached, and nothing was committed: go to a branch")
    made = _make(repository, status, chosen, message(task, phase, settings), phase)
    return made._replace(left_out=tuple(sorted(staged)))


def message(task: Task, phase: str | None, settings: Mapping[str, Value]) -> str:
    values = {
        "sprint_code": task.sprint or "",
        "task_code": task.code,
        "task_title": shown(" ".join(task.title.split())),
        "phase": phase or "",
    }
    template = str(settings["git.commit_message_template"])
    problem = message_template.wrong(template)  # of a variable that nothing has validated yet
    if problem:
        raise UserError(f"git.commit_message_template: {problem}")
    return message_template.expand(template, values)


def named(repository: Repository, status: Status, paths: Sequence[str]) -> list[str]:
    """The changed paths that a user means: a file by its name, also one that git does not track yet; of a folder what
    is tracked in it."""
    changed = _changed(status.entries)
    found: dict[str, None] = {}
    for given in paths:
        path = _inside(repository, given)
        within = [one for one in changed if one == path or one.startswith(f"{path}/") or path == "."]
        if not within and Path(require_work_tree(repository), path).is_dir():
            raise UserError(f"{shown(given)}: no tracked file in it has changed: name a new one itself")
        found.update(dict.fromkeys(within or [_new(repository, given, path)]))
    return list(found)


def _make(repository: Repository, status: Status, paths: list[str], text: str, phase: str | None) -> Made:
    body = _body(text)
    # What is no file any more goes first: another may lie in a folder of its name.
    in_order = sorted(paths, key=lambda path: Path(require_work_tree(repository), path).is_file())
    listed = b"".join(os.fsencode(path) + b"\0" for path in in_order)
    with _locked_index(repository) as lock, tempfile.TemporaryDirectory(prefix="orchestrate-") as scratch:
        tree = _tree(repository, status.head, listed, f"{scratch}/index")
        if tree == _tree_of(repository, status.head):
            raise UserError(f"{shown(repository.folder)}: nothing to commit: the files are as the last commit has them")
        is_known = _knows(repository, tree, paths)
        if not is_known:
            _take(require_work_tree(repository), listed, str(lock.draft))
        made = _commit_tree(repository, tree, status.head, body)
        subject, old = git_repository.commit(repository, made).subject, status.head or "0" * len(made)
        ask(repository.folder, "update-ref", "-m", f"commit: {subject}", "HEAD", made, old)
        if not is_known:
            lock.put()
    return Made(git_capture.record(repository, made, phase), tuple(paths), ())


def _tree(repository: Repository, head: str | None, listed: bytes, index: str) -> str:
    """The last commit's tree with the named paths as they stand in the work tree."""
    top = require_work_tree(repository)
    if head:
        ask(top, "-c", "core.splitIndex=false", "read-tree", head, index=index, timeout_s=WRITE_S)
    _take(top, listed, index)
    return ask(top, "write-tree", index=index).decode().strip()


def _take(top: str, listed: bytes, index: str) -> None:
    words = ("update-index", "--add", "--remove", "--replace", "-z", "--stdin")
    ask(top, *words, given=listed, index=index, timeout_s=WRITE_S)


@contextmanager
def _locked_index(repository: Repository) -> Iterator[Lock]:
    """Hold git's own lock on the index, with a copy of it to put in its place."""
    index = Path(os.path.realpath(Path(repository.git_dir, "index")))
    draft = index.with_name("index.lock")
    try:
        draft.touch(mode=0o644, exist_ok=False)
    except FileExistsError as error:
        what = f"{shown(str(draft))}: another git process is at work: try again, or remove it if none is"
        raise UserError(what, LOCK_TIMEOUT) from error
    except OSError as error:
        raise UserError(f"cannot write {shown(str(draft))}: {(error.strerror or str(error)).lower()}") from error
    lock = Lock(index, draft)
    try:
        if index.exists():
            shutil.copy2(index, draft)  # with its time: by it git knows which files it must look at again
        else:
            ask(repository.folder, "read-tree", "--empty", index=str(draft))
        yield lock
    finally:
        lock.drop()


def _knows(repository: Repository, tree: str, paths: list[str]) -> bool:
    """Whether the user's index already has these paths as `tree` has them: then it stays as it is."""
    words = (
        "diff-index",
        "--cached",
        "--no-renames",
        "--no-ext-diff",
        "--no-relative",
        "--name-only",
        "-z",
        tree,
        "--",
    )
    return not _listed(ask(require_work_tree(repository), *words)) & set(paths)


def _commit_tree(repository: Repository, tree: str, head: str | None, body: bytes) -> str:
    signing = git_signing.of(repository)
    words = ["commit-tree", tree, *(("-p", head) if head else ()), *(("-S",) if signing.is_wanted else ()), "-F", "-"]
    config = [*signing.config, "i18n.commitEncoding=utf-8"]
    said = call(repository.folder, *words, given=body, config=config, timeout_s=WRITE_S)
    if said.code:
        raise UserError(f"{shown(repository.folder)}: no commit was made: git: {_why(said.err)}")
    return said.out.decode().strip()


def _why(err: str) -> str:
    """Git tells at length that it does not know the author."""
    if "tell me who you are" in err or "empty ident name" in err:
        return "it does not know who you are: set user.name and user.email"
    return shown(" ".join(err.split())[:300]) or "it does not say why"


def _body(text: str) -> bytes:
    try:
        body = text.strip().encode()
    except UnicodeEncodeError as error:
        raise UserError("the message is not UTF-8", USAGE) from error
    if not body or b"\0" in body:
        raise UserError("the message is empty: give one by -m", USAGE)
    return body + b"\n"


def _changed(entries: Sequence[Entry]) -> list[str]:
    return list(dict.fromkeys(path for entry in entries for path in _paths(entry)))


def _paths(entry: Entry) -> list[str]:
    is_moved = entry.from_path and "R" in entry.staged + entry.changed
    return [entry.path, *([entry.from_path] if entry.from_path and is_moved else [])]


def _new(repository: Repository, given: str, path: str) -> str:
    top = require_work_tree(repository)
    if not os.path.lexists(Path(top, path)):
        raise UserError(f"{shown(given)}: no such file, and git does not miss it")
    if call(top, "ls-files", "--error-unmatch", "--", path).code == 0:
        raise UserError(f"{shown(given)}: has not changed")
    others = ("ls-files", "--others", "--exclude-standard", "-z")
    if path in _listed(ask(top, *others, "--", path)):
        return path
    if path in _listed(ask(top, *others, "--ignored", "--", path)):
        raise UserError(f"{shown(given)}: is ignored by git: `git add --force` it first", REFUSED)
    raise UserError(f"{shown(given)}: is not of this repository")  # but git's own, or that of one within


def _listed(raw: bytes) -> set[str]:
    return {os.fsdecode(name) for name in raw.split(b"\0")}


def _inside(repository: Repository, given: str) -> str:
    """`given` from the top of the work tree; a link as its last part is itself meant."""
    top = os.path.realpath(require_work_tree(repository))
    whole = Path(os.path.normpath(Path(repository.folder, given)))
    path = Path(os.path.realpath(whole.parent), whole.name)
    if str(path) == top:
        return "."
    if not path.is_relative_to(top) or "\0" in given:
        raise UserError(f"{shown(given)}: is outside the work tree {shown(top)}", USAGE)
    return path.relative_to(top).as_posix()


def _require_quiet(repository: Repository) -> None:
    for name, what in _IN_THE_MIDDLE.items():
        if Path(repository.git_dir, name).exists():
            raise UserError(f"{shown(repository.folder)}: {what} is under way: finish it first", REFUSED)


def _require_no_hooks(repository: Repository) -> None:
    found = [name for name in CHECKING_HOOKS if _is_hook(repository, name)]
    if found:
        what = f"{', '.join(found)} would not be run: commit by git itself, or say --no-verify"
        raise UserError(f"{shown(repository.folder)}: its hook {what}", REFUSED)


def _require_no_filters(repository: Repository) -> None:
    """They are programs, and nobody asked for them to be run."""
    found = git_filters.own(repository)
    if found:
        what = f"its own configuration names the filter {shown(found[0])}, which would run: commit by git itself"
        raise UserError(f"{shown(repository.folder)}: {what}", REFUSED)


def _is_hook(repository: Repository, name: str) -> bool:
    """Where git itself would look: core.hooksPath of any configuration, else the repository's own folder."""
    said = call(repository.folder, "config", "--null", "--type=path", "--get-all", "core.hooksPath")
    folders = [os.fsdecode(one) for one in said.out.split(b"\0")[:-1]][:-1]  # the last is what we say ourselves
    hook = Path(repository.top or "", folders[-1] if folders else f"{repository.common_dir}/hooks", name)
    return hook.is_file() and os.access(hook, os.X_OK)


def _tree_of(repository: Repository, head: str | None) -> str | None:
    return ask(repository.folder, "rev-parse", "--verify", f"{head}^{{tree}}").decode().strip() if head else None
