"""The files of a task: where they are looked for, and what is kept of them.

A file counts where it was put on record by hand or in this session, in the session's own folder, or in the project's
root if it was written since the session began: what an earlier task has left there proves nothing.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from orchestrate.phases import machine
from orchestrate.phases.machine import Session
from orchestrate.phases.site import Site
from state import files
from state.errors import FAILED, NOT_FOUND, UserError
from state.paths import Place, session_dir
from state.store.task_records import Metadata, Task

BY_HAND = "by_hand"
_MATCHES_MOST = 100
_WILD = frozenset("*?[")


class Artifact(NamedTuple):
    name: str
    file: str  # absolute, and without links on the way
    path: str  # as it is kept and shown: from the project's root where it is inside
    is_old: bool = False  # there, but of the time before the session


def folder_of(place: Place, session: Session) -> str:
    return f"{session_dir(place, session.session_key)}/artifacts"


def find(site: Site, task: Task, session: Session, pattern: str) -> list[Artifact]:
    """Every file of this name or pattern, each name once: as recorded, of the session, of the project."""
    found: dict[str, Artifact] = {}
    for artifact in _candidates(site, task, session, pattern):
        if artifact.name not in found or found[artifact.name].is_old > artifact.is_old:
            found[artifact.name] = artifact
    return list(found.values())[:_MATCHES_MOST]


def recorded(artifact: Artifact, phase: str | None, session_key: str | None, now: float) -> dict[str, object]:
    """What metadata.artifacts keeps of it."""
    digest, size = measured(artifact.file)
    return {
        "path": artifact.path,
        "sha256": digest,
        "size_bytes": size,
        "phase": phase,
        "session_key": session_key,
        "recorded_at": machine.stamp(now),
    }


def named(site: Site, given: str, cwd: str) -> Artifact:
    """A file that the user names."""
    file = Path(cwd, given)
    inside = _inside(site, file)
    if inside is None and not os.path.exists(file):  # noqa: PTH110  Path.exists raises for a name that is too long
        raise UserError(f"{given}: there is no such file", NOT_FOUND)
    if inside is None:
        raise UserError(f"{given}: lies outside of the project {site.place.root}: copy it there", FAILED)
    if not _is_filled(inside):
        raise UserError(f"{given}: is no file, or empty: write it first", FAILED)
    return Artifact(file.name, str(inside), _shown(site, inside))


def still_there(site: Site, entry: Metadata) -> Path | None:
    """The file of a recorded artifact."""
    inside = _inside(site, Path(site.place.root, str(entry.get("path", ""))))
    return inside if inside and _is_filled(inside) else None


def is_of(entry: Metadata, session: Session) -> bool:
    """Whether an entry of metadata.artifacts counts in this session."""
    return entry.get("added") == BY_HAND or str(entry.get("recorded_at", "")) >= session.started_at


def begun_s(session: Session) -> float:
    return datetime.fromisoformat(session.started_at).timestamp()


def is_pattern(name: str) -> bool:
    return not _WILD.isdisjoint(name)


def _candidates(site: Site, task: Task, session: Session, pattern: str) -> Iterator[Artifact]:
    yield from _on_record(site, task, session, pattern)
    own = folder_of(site.place, session)
    for folder in (own, *site.roots()):
        for path in _matching(Path(folder), pattern):
            inside = _inside(site, path)
            if inside and _is_filled(inside):
                is_old = folder != own and inside.stat().st_mtime < begun_s(session)
                yield Artifact(str(path.relative_to(folder)), str(inside), _shown(site, inside), is_old)


def _on_record(site: Site, task: Task, session: Session, pattern: str) -> Iterator[Artifact]:
    entries: Mapping[str, Metadata] = task.metadata.get("artifacts", {})
    for name, entry in entries.items():
        if fnmatchcase(name, pattern) and is_of(entry, session) and (inside := still_there(site, entry)):
            yield Artifact(name, str(inside), _shown(site, inside))


def _matching(folder: Path, pattern: str) -> Sequence[Path]:
    if not is_pattern(pattern):
        return [folder / pattern]
    try:
        return sorted(folder.glob(pattern))[:_MATCHES_MOST]
    except OSError:
        return []


def _inside(site: Site, path: Path) -> Path | None:
    """Where it leads, if that is in the project or in what is kept of it."""
    try:
        real = path.resolve(strict=True)
        roots = [Path(folder).resolve() for folder in (*site.roots(), f"{site.place.state}/sessions")]
    except (OSError, RuntimeError, ValueError):  # not there, a circle of links, a NUL
        return None
    return real if any(real.is_relative_to(root) for root in roots) else None


def _is_filled(path: Path) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size > 0


def _shown(site: Site, path: Path) -> str:
    root = Path(site.place.root).resolve()
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def measured(file: str) -> tuple[str, int]:
    """Its sha256, and how many bytes it has."""
    try:
        with open(file, "rb") as source:  # noqa: PTH123  file_digest wants an open one, and Path.open adds nothing
            return hashlib.file_digest(source, "sha256").hexdigest(), source.tell()
    except OSError as error:
        raise files.failure(file, error, "read") from error
