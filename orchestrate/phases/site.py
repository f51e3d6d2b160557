"""Where the files of a task are: the project, and the linked worktree of it that the user works in, if it is one."""

from pathlib import Path
from typing import NamedTuple

from state.paths import Place, find_root


class Site(NamedTuple):
    place: Place
    top: str  # of the work tree that the user works in; the project's root in its main one

    def roots(self) -> list[str]:
        return list(dict.fromkeys([self.top, self.place.root]))


def of(place: Place, cwd: str, home: str) -> Site:
    """A linked worktree has a `.git` of its own, and belongs to the project of its main one."""
    if find_root(cwd, home) != place.root:  # --project-root names another
        return Site(place, place.root)
    for folder in [Path(cwd), *Path(cwd).parents]:
        if str(folder) == place.root:  # it may itself lie in a repository of something else
            break
        if (folder / ".git").exists():
            return Site(place, str(folder))
    return Site(place, place.root)
