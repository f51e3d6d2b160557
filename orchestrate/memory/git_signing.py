"""Whether the user signs his commits, and by which program: his own configuration says so, not the repository's."""

import os
from typing import NamedTuple

from orchestrate.memory.git_call import call
from orchestrate.memory.git_repository import Repository

_OWN = ("local", "worktree")
_PROGRAMS = {
    "gpg.program": "gpg",
    "gpg.openpgp.program": "gpg",
    "gpg.x509.program": "gpgsm",
    "gpg.ssh.program": "ssh-keygen",
    "gpg.ssh.defaultkeycommand": "",
}


class Signing(NamedTuple):
    is_wanted: bool
    config: tuple[str, ...]


def of(repository: Repository) -> Signing:
    words = ("config", "--includes", "--type=bool", "--get", "commit.gpgSign")
    is_wanted = call(repository.folder, *words).out.strip() == b"true"
    return Signing(is_wanted, tuple(_by_the_user(repository)) if is_wanted else ())


def _by_the_user(repository: Repository) -> list[str]:
    """A program that the repository names is put back to the user's, or to git's own."""
    said = call(repository.folder, "config", "--includes", "--show-scope", "--null", "--get-regexp", r"^gpg\.")
    fields = os.fsdecode(said.out).split("\0")
    users: dict[str, str] = {}
    replaced: set[str] = set()
    for scope, entry in zip(fields[::2], fields[1::2], strict=False):
        key, _, value = entry.partition("\n")
        if key in _PROGRAMS and scope in _OWN:
            replaced.add(key)
        elif key in _PROGRAMS:
            users[key] = value
    return [f"{key}={users.get(key, _PROGRAMS[key])}" for key in sorted(replaced)]
