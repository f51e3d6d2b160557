"""Checks of what is kept: the folders, the space for them, the settings and what the hooks read of these."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from orchestrate.doctor import finding
from orchestrate.doctor.finding import Finding
from orchestrate.doctor.scene import Scene
from state import snapshot, trust
from state.errors import UserError
from state.store import opening

MB = 1 << 20
LOW_BYTES, EMPTY_BYTES = 500 * MB, 20 * MB
_SECRET_FILES = ("config.yaml", "config.json", "store.db", "trust.json", "sessions", "install", "secrets", "cache")


def state(scene: Scene) -> Iterator[Finding]:
    yield _folder("state", Path(scene.place.state))


def user(scene: Scene) -> Iterator[Finding]:
    if scene.place.user is None:
        remedy = "set HOME to a folder that can be written: trust, quota and the settings of your own live there"
        yield finding.warn("user folder", f"none: HOME is {scene.env.get('HOME') or 'not set'}", remedy)
    else:
        yield _folder("user folder", Path(scene.place.user))


def disk(scene: Scene) -> Iterator[Finding]:
    folder = _there(Path(scene.place.state))
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        yield finding.unknown("disk", f"{folder}: {(error.strerror or str(error)).lower()}")
        return
    yield room(free, folder)


def room(free_bytes: int, folder: Path) -> Finding:
    fact = f"{free_bytes / MB:,.0f} MB free at {folder}"
    remedy = "free some space: what is not recorded is not counted"
    if free_bytes < EMPTY_BYTES:
        return finding.fail("disk", fact, remedy)
    return finding.warn("disk", fact, remedy) if free_bytes < LOW_BYTES else finding.ok("disk", fact)


def config(scene: Scene) -> Iterator[Finding]:
    for line in scene.error.splitlines():
        yield finding.fail("config", line, "mend it: until then the last good settings are in force")
    for line in scene.warnings:
        if "orchestrate trust" not in line:
            yield finding.warn("config", line, "`orchestrate config show` lists the keys")
    if not scene.error:
        from_files = sorted({origin for origin in scene.origins.values() if origin != "default"})
        yield finding.ok("config", f"valid ({', '.join(from_files) or 'defaults only'})")


def compiled(scene: Scene) -> Iterator[Finding]:
    """What the hooks read."""
    kept = snapshot.read(scene.place, dict(scene.env))
    if kept.stale:
        remedy = "`orchestrate config compile`; the next prompt has it done as well"
        yield finding.warn("snapshot", "is older than the settings: the hooks go on with what it says", remedy)
    elif Path(snapshot.file(scene.place)).exists():
        yield finding.ok("snapshot", "up to date")
    else:
        yield finding.ok("snapshot", "none yet, and no settings to compile")


def trusted(scene: Scene) -> Iterator[Finding]:
    waiting = [line for line in scene.warnings if "orchestrate trust" in line]
    for line in waiting:
        yield finding.warn("trust", line, "read that file; `orchestrate trust` lets it take effect")
    if not waiting:
        is_known = any(entry.root == scene.place.root for entry in trust.trusted(scene.place))
        yield finding.ok("trust", "this repository is trusted" if is_known else "nothing here needs it")


def store(scene: Scene) -> Iterator[Finding]:
    """Where events, tasks and the rest are kept, and whether it answers; nothing is made there."""
    url = str(scene.values["store.url"])
    try:
        said = opening.probe(scene.place, url)
    except UserError as error:
        yield finding.fail("store", str(error), "hooks go on without it, and their logs are read when it is back")
    else:
        yield finding.ok("store", f"{opening.shown(scene.place, url)}: {said}")


def _folder(name: str, path: Path) -> Finding:
    there = _there(path)
    if not there.is_dir():
        return finding.fail(name, f"{path}: {there} is no folder", "move it away")
    if not os.access(there, os.W_OK | os.X_OK):
        return finding.fail(name, f"{path}: {there} cannot be written", "check who owns it and its mode")
    if there != path:
        return finding.ok(name, f"{path} (made when it is needed)")
    if hasattr(os, "geteuid") and path.stat().st_uid != os.geteuid():
        return finding.fail(name, f"{path}: belongs to another user", "have it removed, or given to you")
    bare = [str(each) for each in _private(path) if _is_open(each)]
    if bare:
        return finding.warn(name, f"others can read {', '.join(bare)}", f"chmod -R go= {path}")
    return finding.ok(name, str(path))


def _private(path: Path) -> list[Path]:
    return [path, *(path / name for name in _SECRET_FILES if (path / name).exists())]


def _is_open(path: Path) -> bool:
    return os.name == "posix" and bool(stat.S_IMODE(path.lstat().st_mode) & 0o077)


def _there(path: Path) -> Path:
    """The nearest that exists."""
    return next((each for each in (path, *path.parents) if os.path.lexists(each)), Path("/"))
