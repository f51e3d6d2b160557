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
    clone = ("clone", "--quiet", "--shared", "--no-checkout", "--no-tags", "--template=", "--", root, path)
    _git(str(Path(path).parent), env, *clone)
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
        raise UserError(f"{folder}: git {words[0]} took longer than {_GIT_S:.0f} s") from None
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UserError(f"{folder}: git {words[0]}: {lines[-1] if lines else f'exit code {done.returncode}'}")
    return done.stdout.decode("utf-8", "replace")
