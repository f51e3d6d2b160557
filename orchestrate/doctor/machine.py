"""Checks of the machine: what has to be there, and what others ask for and we do not need."""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import orchestrate
from orchestrate.doctor import finding, rungs
from orchestrate.doctor.finding import Finding
from orchestrate.doctor.scene import Scene
from state import sessions
from state.paths import LOG, session_dir

PYTHON_SINCE = (3, 11)
_AHEAD_S = 300.0
_NOT_NEEDED = {
    "bash": "the hooks' lines are for /bin/sh",
    "jq": "the hooks read JSON by themselves",
    "flock": "the logs are locked by the system call",
    "node": "a client that needs it finds it by itself",
}


def python(_: Scene) -> Iterator[Finding]:
    version = sys.version_info[:3]
    fact = f"{rungs.dotted(version)}, {sys.executable}"
    if version >= PYTHON_SINCE:
        yield finding.ok("python", fact)
    else:
        remedy = f"install Python {rungs.dotted(PYTHON_SINCE)} or later and orchestrate with it"
        yield finding.fail("python", fact, remedy)


def claude(scene: Scene) -> Iterator[Finding]:
    found = scene.client
    if not scene.is_client_asked:
        yield finding.unknown("claude", "not asked (--no-client)")
    elif found.path is None:
        remedy = "install Claude Code, or name it: orchestrate config set claude_binary /path/to/claude"
        yield finding.fail("claude", f"{found.program} is not in PATH", remedy)
    elif found.version is None:
        remedy = "run it by hand; reinstall Claude Code if it does not answer"
        yield finding.fail("claude", f"{found.path} told no version: {found.problem}", remedy)
    elif found.version < rungs.MOD_SINCE:
        fact = f"{rungs.dotted(found.version)}, {found.path}: hooks, but no mod"
        yield finding.warn("claude", fact, f"update it: the mod needs {rungs.dotted(rungs.MOD_SINCE)}")
    else:
        yield finding.ok("claude", f"{rungs.dotted(found.version)}, {found.path}")


def shell(_: Scene) -> Iterator[Finding]:
    if os.access("/bin/sh", os.X_OK):
        yield finding.ok("sh", "/bin/sh")
    else:
        yield finding.fail("sh", "/bin/sh is not there", "the client starts hooks by it: install a POSIX shell")


def git(scene: Scene) -> Iterator[Finding]:
    found = shutil.which("git", path=scene.env.get("PATH"))
    if found:
        yield finding.ok("git", found)
    else:
        yield finding.warn("git", "is not in PATH", "install it: without it a project's remote is not known")


def not_needed(_: Scene) -> Iterator[Finding]:
    for name, why in _NOT_NEEDED.items():
        yield finding.ok(name, f"not needed: {why}")


def clock(scene: Scene) -> Iterator[Finding]:
    """Days, ages and the mod's heartbeat are read off it."""
    known, source = max(_written(scene))
    fact = time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(scene.now))
    ahead_s = known - scene.now
    if ahead_s > _AHEAD_S:
        remedy = "set the clock: what is recorded now sorts before what was recorded earlier"
        yield finding.warn("clock", f"{fact}, and {source} was written {ahead_s / 60:.0f} min after that", remedy)
    else:
        yield finding.ok("clock", fact)


def _written(scene: Scene) -> Iterator[tuple[float, str]]:
    """What cannot have been written later than now."""
    package = str(Path(orchestrate.__path__[0], "__init__.py"))
    last = sessions.last_used(scene.place)
    for path in (package, *([f"{session_dir(scene.place, last)}/{LOG}"] if last else [])):
        yield Path(path).stat().st_mtime, path
