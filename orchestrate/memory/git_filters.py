"""The content filters that a repository's own configuration names: programs that git would run to read a file."""

import os
import re

from orchestrate.memory.git_call import call, shown
from orchestrate.memory.git_repository import Repository
from state.errors import UserError

_OWN = ("local", "worktree")
_KEY = re.compile(r"filter\.(.+)\.(?:clean|smudge|process|required)", re.S)


def own(repository: Repository) -> list[str]:
    """Their names. Those of the user's own configuration (git-lfs is one) are not among them."""
    said = call(repository.folder, "config", "--includes", "--show-scope", "--null", "--get-regexp", r"^filter\.")
    fields = os.fsdecode(said.out).split("\0")
    pairs = zip(fields[::2], fields[1::2], strict=False)
    keys = [entry.partition("\n")[0] for scope, entry in pairs if scope in _OWN]
    return sorted({found[1] for key in keys if (found := _KEY.fullmatch(key))})


def without(repository: Repository) -> list[str]:
    """The configuration under which git reads without them."""
    names = own(repository)
    for name in names:
        if "=" in name:  # git has no way to say anything of it for one call
            raise UserError(f"filter.{shown(name)}: the repository's own configuration names it: remove or rename it")
    return [f"filter.{name}.{key}" for name in names for key in ("clean=", "smudge=", "process=", "required=false")]
