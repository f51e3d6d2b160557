"""Where workflows lie, by name or by path: nothing that is included leads out of those folders, by dots or by links."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from state import trust, workflow_folder
from state.errors import NOT_FOUND, UserError
from state.paths import Place
from state.workflow_folder import FOLDER, SUFFIXES

PROJECT, USER = "project", "user"
USERS, TRUSTED, WAITS, OUTSIDE = "user's", "trusted", "waits", "outside"


class Named(NamedTuple):
    name: str
    source: str
    path: str


def roots(place: Place) -> list[tuple[str, str]]:
    """The strongest first; one that is a link, or lies behind one of the repository's, is none."""
    found = [(PROJECT, place.state), *([(USER, place.user)] if place.user else [])]
    folders = [(source, f"{os.path.realpath(state)}/{FOLDER}") for source, state in found]
    return [(source, folder) for source, folder in folders if os.path.realpath(folder) == folder]


def find(place: Place, word: str) -> str:
    """A file by its path, or by its name in one of the folders."""
    if "/" in word or word.endswith((*SUFFIXES, ".yml")):
        path = str(Path(word).absolute())
        if os.path.lexists(path):
            return path
    for _, folder in roots(place):
        for name in _spelled(word):
            if _is_plain(name) and os.path.lexists(f"{folder}/{name}"):
                return f"{folder}/{name}"
    folders = " or ".join(folder for _, folder in roots(place))
    raise UserError(f"{word}: there is no such file, nor a workflow of that name in {folders}", NOT_FOUND)


def beside(place: Place, word: str, path: str) -> str:
    """A file that the one at `path` names: in its own folder where that is one of the workflows', else in those."""
    if not _is_plain(word):
        raise UserError(f"{word}: leads out of the folder of workflows: name a file within it")
    folders = [folder for _, folder in roots(place)]
    own = os.path.realpath(Path(path).parent)
    own_first = [own] if any(_is_under(own, folder) for folder in folders) else []
    for folder in dict.fromkeys([*own_first, *folders]):
        for name in _spelled(word):
            found = f"{folder}/{name}"
            if os.path.lexists(found):
                if os.path.realpath(found) != found:
                    raise UserError(f"{word}: {found} is a link or lies behind one: a workflow is a file of its own")
                return found
    raise UserError(f"{word}: no such file in {' or '.join(dict.fromkeys(folders))}")


def named(place: Place) -> Iterator[Named]:
    """What lies in the folders themselves; what is in folders below is for workflows to include."""
    for source, folder in roots(place):
        for path in sorted(Path(folder).iterdir() if Path(folder).is_dir() else ()):
            if path.name.endswith(SUFFIXES) and not path.name.startswith(".") and path.is_file():
                yield Named(path.stem, source, str(path))


def standing(place: Place, path: str) -> str:
    """Whose word a file is: the user's, or the repository's: trusted, waiting for trust, or where it cannot have it."""
    real = os.path.realpath(path)
    if place.user and _is_under(real, os.path.realpath(place.user)):
        return USERS
    root = os.path.realpath(place.root)
    seen = {real} if real == os.path.normpath(path) else {real, path}  # without a link on its way, dots say nothing
    if not any(_is_under(one, folder) for one in seen for folder in (root, place.root)):
        return USERS
    if not trust.is_repositorys_own(place) or not _is_under(real, f"{os.path.realpath(place.state)}/{FOLDER}"):
        return OUTSIDE
    return TRUSTED if trust.has_workflows(place, workflow_folder.digest(place.state)) else WAITS


def _spelled(word: str) -> list[str]:
    return [word] if word.endswith((*SUFFIXES, ".yml")) else [f"{word}{suffix}" for suffix in SUFFIXES]


def _is_plain(word: str) -> bool:
    return not word.startswith(("/", "~")) and ".." not in word.split("/") and "\\" not in word and "\0" not in word


def _is_under(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")
