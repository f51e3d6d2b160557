"""The append-only log of a session: one line is one write, under flock, and what a kill cut short is closed off."""

import posix
import time

from state import codec
from state.paths import LOG, Place, session_dir

try:
    import fcntl
except ImportError:  # Windows: O_APPEND alone keeps lines whole
    fcntl = None  # type: ignore[assignment]  # the module's absence is the value

CORRELATION = "ORCHESTRATOR_CORRELATION"  # ties together what is told by one call of a command, or by several
_LOCK_TRIES = 200
_LOCK_PAUSE_S = 0.001


def event(
    place: Place,
    kind: str,
    session: str,
    prompt_id: str | None,
    entity: tuple[str, str],
    payload: dict[str, object],
    now: float,
    actor: str = "hook",
    correlation: str | None = None,
) -> dict[str, object]:
    """`correlation`: of the call of a command that this is part of."""
    entry: dict[str, object] = {
        "v": 1,
        "id": f"{int(now * 1000):012x}{posix.urandom(8).hex()}",
        "ts": stamp(now),
        "type": kind,
        "project": place.project,
        "session": session,
        "prompt_id": prompt_id,
        "actor": actor,
        "entity": {"type": entity[0], "id": entity[1]},
        "payload": payload,
    }
    if correlation:
        entry["correlation"] = correlation
    return entry


def stamp(now: float) -> str:
    """UTC with milliseconds, as `2026-11-21T05:53:00.123Z`."""
    milliseconds = int(now * 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000)) + f".{milliseconds % 1000:03d}Z"


def record(place: Place, entry: dict[str, object]) -> None:
    refuse_link(f"{place.state}/sessions")
    append(f"{session_dir(place, str(entry['session']))}/{LOG}", codec.dumps(entry))


def append(path: str, line: bytes) -> None:
    fd = _open(path)
    try:
        _write_line(fd, line, lock(fd) is True)
    finally:
        posix.close(fd)  # releases the lock too


def tail(path: str, size: int) -> list[bytes]:
    """The complete lines within the last `size` bytes, oldest first; none when there is no such file."""
    try:
        fd = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
    except OSError:
        return []
    try:
        length = posix.fstat(fd).st_size
        data = posix.pread(fd, size, max(0, length - size))
    except OSError:  # not a file, or a disk that cannot be read
        return []
    finally:
        posix.close(fd)
    lines = data.split(b"\n")
    return lines[1 if length > size else 0 : -1]


def refuse_link(path: str) -> None:
    """A link that came with a repository must not lead our writing elsewhere."""
    try:
        found = posix.lstat(path)
    except OSError:
        return
    if found.st_mode & 0o170000 == 0o120000:
        raise OSError(40, "a link stands where a folder of ours belongs", path)


def make_folders(path: str) -> None:
    """`path` and what is missing above it, for this user alone."""
    try:
        posix.mkdir(path, 0o700)
    except FileExistsError:
        return
    except FileNotFoundError:
        make_folders(path.rpartition("/")[0])
        make_folders(path)


def _open(path: str) -> int:
    flags = posix.O_RDWR | posix.O_APPEND | posix.O_CREAT | posix.O_CLOEXEC | posix.O_NOFOLLOW
    try:
        return posix.open(path, flags, 0o600)
    except FileNotFoundError:
        make_folders(path.rpartition("/")[0])
        return posix.open(path, flags, 0o600)


def lock(fd: int, tries: int = _LOCK_TRIES) -> bool | None:
    """Wait a little and then go on without: O_APPEND still keeps a line whole, and a hook must not hang. None where the
    system has no such locks."""
    if fcntl is None:
        return None
    for _ in range(tries):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(_LOCK_PAUSE_S)
        else:
            return True
    return False


def _write_line(fd: int, line: bytes, held: bool) -> None:
    size = posix.fstat(fd).st_size
    torn = size and posix.pread(fd, 1, size - 1) != b"\n"
    data = (b"\n" if torn else b"") + line + b"\n"
    if posix.write(fd, data) != len(data):  # a full disk took a part
        if held:
            posix.ftruncate(fd, size)
        raise OSError(28, "no space left for the record")
