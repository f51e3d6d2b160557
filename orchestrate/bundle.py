"""Compiles the hot modules into one file, which a hook opens instead of twenty. Made at install time, never needed."""

import marshal
import os
import sys
from importlib import import_module
from importlib.util import MAGIC_NUMBER
from pathlib import Path

FOLDER = "orchestrate/_hot"
HOT = (
    ("orchestrate", ("__init__.py", "entry.py", "request/*.py")),
    ("routing", ("*.py",)),
    ("state", ("__init__.py", "codec.py", "paths.py", "journal.py", "snapshot.py")),
)
Contents = tuple[dict[str, tuple[int, int]], dict[str, tuple[str, bool, bytes]], dict[str, str]]
EXTENSIONS = ("_blake2", "_json", "fcntl", "zlib")


def build(home: str) -> Path | None:
    """The file written, or None where the package's folder cannot be written."""
    target = Path(home, FOLDER, str(sys.implementation.cache_tag))
    beside = target.with_suffix(f".{os.getpid()}")
    try:
        target.parent.mkdir(exist_ok=True)
        beside.write_bytes(MAGIC_NUMBER + marshal.dumps(contents(home)))
        beside.replace(target)
    except OSError:
        return None
    return target


def contents(home: str) -> tuple[bytes, Contents]:
    """The reader's code, and what it is called with."""
    files = sources(home)
    modules = {name: (str(path), path.name == "__init__.py", _code(path)) for name, path in files.items()}
    extensions = {name: path for name in EXTENSIONS if (path := getattr(import_module(name), "__file__", None))}
    stamps = {str(path): _stamp(Path(path)) for path in [*files.values(), *extensions.values()]}
    return _code(Path(home, "orchestrate/bundled.py")), (stamps, modules, extensions)


def sources(home: str) -> dict[str, Path]:
    """Module name to file, of everything a hook may load."""
    lib = Path(home, "orchestrate/_lib")
    found = {}
    for package, patterns in HOT:
        folder = lib / package if package != "orchestrate" and lib.is_dir() else Path(home, package)
        for pattern in patterns:
            for path in sorted(folder.glob(pattern)):
                parts = (package, *path.relative_to(folder).with_suffix("").parts)
                found[".".join(part for part in parts if part != "__init__")] = path
    return found


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


def _code(path: Path) -> bytes:
    return marshal.dumps(compile(path.read_bytes(), str(path), "exec", dont_inherit=True, optimize=2))
