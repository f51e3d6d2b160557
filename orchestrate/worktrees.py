"""A working copy of the project as it was at a commit, for one agent alone.

It is a clone that borrows the objects and has no remote, rather than a linked worktree: an agent in one of those could
move the branches of its user. Nothing is written into the user's repository.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from state import files
from state.errors import UserError

DIFF_MOST = 24_000
_GIT_S = 300.0
_SAID_MOST = 600  # characters of what git says is wrong
_NOBODY = "orchestrate"
_QUIET = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "advice.detachedHead=false")


class Commit(NamedTuple):
    name: str
    how: str  # "before the prompt", or "head" where none is known to be older


def before(root: str, ts: str, env: Mapping[str, str]) -> Commit:
    """The newest commit of the current branch that is older than this time."""
    name = _try(root, env, "rev-list", "-1", f"--before={ts}", "HEAD")
    if name:
        return Commit(name, "before the prompt")
    head = _try(root, env, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if not head:
        raise UserError(f"{root}: no commit to start from: commit something first, or name another --project-root")
    return Commit(head, "head")


def make(root: str, commit: str, path: str, env: Mapping[str, str]) -> None:
    files.folder(str(Path(path).parent))
    clone = ("clone", "--quiet", "--shared", "--no-checkout", "--no-tags", "--template=")
    # After an agent's commit git would go on in the background, and write into what is being removed.
    alone = ("--config", "maintenance.auto=false", "--config", "gc.auto=0")
    _git(str(Path(path).parent), env, *clone, *alone, "--", root, path)
    _git(path, env, "remote", "remove", "origin")
    _git(path, env, "checkout", "--quiet", "--detach", commit)


def changes(path: str, commit: str, env: Mapping[str, str]) -> str:
    """All that differs from the commit, committed or not, new files included; for reading."""
    return patch(path, commit, env)[:DIFF_MOST]


def patch(path: str, commit: str, env: Mapping[str, str]) -> str:
    """As `changes`, whole and as `git apply` takes it."""
    _git(path, env, "add", "--all")
    return _git(path, env, "diff", "--cached", "--binary", "--no-ext-diff", "--no-textconv", "--no-color", commit)


def head(root: str, env: Mapping[str, str]) -> str:
    name = _try(root, env, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if not name:
        raise UserError(f"{root}: no commit to start from: commit something first")
    return name


def begin_branch(path: str, name: str, env: Mapping[str, str]) -> None:
    """Of the working copy, where the user's repository has none of it."""
    _inside(path, env, "checkout", "--quiet", "-B", name)


def reset(path: str, commit: str, env: Mapping[str, str]) -> None:
    """As the commit has it; what git is told to ignore stays."""
    _inside(path, env, "reset", "--quiet", "--hard", commit)
    _inside(path, env, "clean", "--quiet", "-fd")


def keep(path: str, branch: str, base: str, message: str, env: Mapping[str, str]) -> str | None:
    """All that differs from the commit `base`, as the newest commit of the working copy's branch: its name, or None
    where nothing differs. What the agent has committed itself, on whatever branch, stays below it."""
    _inside(path, env, "add", "--all")
    tree = _inside(path, env, "write-tree").strip()
    newest = _inside(path, env, "rev-parse", "HEAD").strip()
    if tree != _inside(path, env, "rev-parse", f"{newest}^{{tree}}").strip():
        who = _author(path, env)
        newest = _inside(path, env, *who, "commit-tree", tree, "-p", newest, "-m", message).strip()
    _inside(path, env, "update-ref", f"refs/heads/{branch}", newest)
    _inside(path, env, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    return None if tree == _inside(path, env, "rev-parse", f"{base}^{{tree}}").strip() else newest


def is_had(root: str, path: str, env: Mapping[str, str]) -> bool:
    """Whether the repository at `root` has all that was committed in the working copy, and nothing else is there."""
    try:
        newest = _inside(path, env, "rev-parse", "--verify", "HEAD^{commit}").strip()
        is_clean = not _inside(path, env, "status", "--porcelain")
    except UserError:
        return False
    return is_clean and bool(_try(root, env, "rev-parse", "--verify", "--quiet", f"{newest}^{{commit}}"))


def remove(path: str) -> None:
    """An agent may have left folders that nobody may write in."""
    shutil.rmtree(path, ignore_errors=True)
    for below, folders, _ in os.walk(path):
        for name in folders:
            with suppress(OSError):
                Path(below, name).chmod(0o700)
    shutil.rmtree(path, ignore_errors=True)
    if os.path.lexists(path):
        raise UserError(f"{path}: cannot be removed: remove it by hand")


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """Without what would lead git, or an agent, elsewhere than to the working copy."""
    ours = ("GIT_", "ORCHESTRATOR_CTX_", "ORCHESTRATOR_CONTEXT_", "ORCHESTRATOR_ROOT", "ORCHESTRATOR_SESSION")
    kept = {name: value for name, value in env.items() if not name.startswith(ours)}
    return {**kept, "GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1", "GIT_OPTIONAL_LOCKS": "0"}


def _inside(path: str, env: Mapping[str, str], *words: str) -> str:
    """Of this working copy, and of no repository around it where an agent has removed its own."""
    return _git(path, env, f"--git-dir={path}/.git", f"--work-tree={path}", *words)


def _author(path: str, env: Mapping[str, str]) -> tuple[str, ...]:
    """The user, where git knows who that is."""
    try:
        _inside(path, env, "var", "GIT_AUTHOR_IDENT")
    except UserError:
        return ("-c", f"user.name={_NOBODY}", "-c", f"user.email={_NOBODY}@localhost")
    return ()


def _try(root: str, env: Mapping[str, str], *words: str) -> str:
    try:
        return _git(root, env, *words).strip()
    except UserError:
        return ""


def _git(folder: str, env: Mapping[str, str], *words: str) -> str:
    try:
        done = subprocess.run(
            ["git", *_QUIET, "-C", folder, *words],
            capture_output=True,
            timeout=_GIT_S,
            stdin=subprocess.DEVNULL,
            env=environment(env),
            check=False,
        )
    except FileNotFoundError:
        raise UserError("git is not to be found: install it, or put it on PATH") from None
    except subprocess.TimeoutExpired:
        raise UserError(f"{folder}: git {_verb(words)} took longer than {_GIT_S:.0f} s") from None
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit code {done.returncode}"]
        said = "; ".join(line for line in lines if line.startswith(("error:", "fatal:"))) or lines[-1]
        raise UserError(f"{folder}: git {_verb(words)}: {said[:_SAID_MOST]}")
    return done.stdout.decode("utf-8", "replace")


def _verb(words: tuple[str, ...]) -> str:
    return next((word for word in words if not word.startswith("-") and "=" not in word), "")
