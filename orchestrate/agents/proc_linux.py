"""The processes of this machine as /proc shows them: psutil says the same and costs 23 ms to import."""

from pathlib import Path
from typing import NamedTuple


class Process(NamedTuple):
    """`started` tells a pid that is used again from the one that was meant."""

    pid: int
    parent: int
    session: int
    started: float
    is_dead: bool  # a zombie: it holds its pid and nothing else


def everyone() -> list[Process]:
    found = [find(int(folder.name)) for folder in Path("/proc").iterdir() if folder.name.isdigit()]
    return [process for process in found if process and not process.is_dead]


def find(pid: int) -> Process | None:
    # The name stands in brackets, and may hold brackets and spaces itself.
    fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    if len(fields) < 20:
        return None
    return Process(pid, int(fields[1]), int(fields[3]), float(fields[19]), fields[0] in (b"Z", b"X"))


def children(pid: int) -> list[int]:
    """The direct children, of every thread of `pid`."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []
    return [int(child) for thread in threads for child in _read(f"{thread}/children").split()]


def is_marked(pid: int, entry: str) -> bool:
    """Whether `entry` (NAME=value) stands in the environment that the process was started with."""
    return entry.encode() in _read(f"/proc/{pid}/environ").split(b"\0")


def boot() -> str:
    """Where and since when pids mean what they mean here: they repeat in the next boot and in each container."""
    return f"{_read('/proc/sys/kernel/random/boot_id').decode().strip()} {Path('/proc/self/ns/pid').readlink()}"


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:  # ended meanwhile, or another user's
        return b""
