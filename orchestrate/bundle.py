"""Compiles the hot modules into one file, which a hook opens instead of twenty. Made at install time, never needed."""

import __future__

import ast
import marshal
import os
import sys
from importlib import import_module
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import CodeType

FOLDER = "orchestrate/_hot"
HOT = (
    ("orchestrate", ("__init__.py", "entry.py", "request/*.py")),
    ("routing", ("*.py",)),
    ("state", ("__init__.py", "codec.py", "paths.py", "journal.py", "snapshot.py", "platform.py", "quota.py")),
)
EXTENSIONS = ("_blake2", "_json", "fcntl")


def build(home: str) -> Path | None:
    """The file written, or None where the package's folder cannot be written."""
    target = _file(home)
    beside = target.with_suffix(f".{os.getpid()}")
    try:
        target.parent.mkdir(exist_ok=True)
        beside.write_bytes(contents(home))
        beside.replace(target)
    except OSError:
        return None
    return target


def is_current(home: str) -> bool:
    """Whether a hook started from `home` takes its modules out of the bundle."""
    try:
        data = _file(home).read_bytes()
        _, (_, stamps, *_) = marshal.loads(data)  # noqa: S302  our own file, in our own folder
        return data.endswith(MAGIC_NUMBER) and all(_stamp(Path(home, path)) == kept for path, kept in stamps.items())
    except (OSError, EOFError, ValueError, TypeError):
        return False


def contents(home: str) -> bytes:
    """The reader's code and what it is called with; the code of the modules; the magic number, which tells the version
    of Python and that nothing is cut off. A copy of the package must not run the original's modules: so ours are named
    from `home`, which the reader is told anew."""
    modules, code = {}, b""
    files = sources(home)
    for name, source in files.items():
        start, code = len(code), code + marshal.dumps(_code(source))
        place = source.relative_to(home).as_posix()
        modules[name] = (place, source.name == "__init__.py", _needed(name, source, files), start, len(code))
    code += MAGIC_NUMBER
    extensions = {name: path for name in EXTENSIONS if (path := getattr(import_module(name), "__file__", None))}
    watched = [*(module[0] for module in modules.values()), *extensions.values()]
    stamps = {path: _stamp(Path(home, path)) for path in watched}
    reader = _code(Path(home, "orchestrate/bundled.py"))
    return marshal.dumps((reader, (len(code), stamps, modules, extensions))) + code


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


def _file(home: str) -> Path:
    return Path(home, FOLDER, str(sys.implementation.cache_tag))


def _needed(name: str, path: Path, files: dict[str, Path]) -> tuple[str, ...]:
    """The package of a module, and the modules of the bundle that it imports at its top."""
    imported = [name.rpartition(".")[0]]
    for node in ast.parse(path.read_bytes()).body:
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imported += [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(dict.fromkeys(module for module in imported if module in files))


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


def _code(path: Path) -> CodeType:
    flags = __future__.annotations.compiler_flag  # annotations stay text, which costs a hook nothing
    code: CodeType = compile(path.read_bytes(), str(path), "exec", flags=flags, dont_inherit=True, optimize=2)
    return code
