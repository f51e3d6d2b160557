"""Compiles the hot modules into one file, which a hook opens instead of twenty. Made at install time, never needed."""

import ast
import marshal
import os
import sys
from functools import cache
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
# What an event begins with, and what nearly every such event imports besides. Their code lies together; that of a
# module which several of them need is there several times, and once by itself.
FIRST = "orchestrate.entry"
_ROUTER = ("routing.routing_core",)
BEGINNINGS: dict[str, tuple[str, ...]] = {
    FIRST: (),
    "orchestrate.request.prompt": (*_ROUTER, "orchestrate.request.named"),
    "orchestrate.request.spawn": _ROUTER,
    "orchestrate.request.session": (),
    "orchestrate.request.agent": (),
    "orchestrate.request.stop": (),
    "orchestrate.request.offer": (),
}
TABLE = "table"
HEAD_MOST = 32768  # as hookline.BOOT reads
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
        head = marshal.loads(data)  # noqa: S302  our own file
        size, modules, extensions = head[TABLE]
        watched = [module[1:4] for module in modules] + [extension[1:4] for extension in extensions]
        return (
            MAGIC_NUMBER in head
            and len(data) == size
            and all(_stamp(Path(home, path)) == tuple(kept) for path, *kept in watched)
        )
    except (OSError, EOFError, KeyError, ValueError, TypeError):
        return False


def contents(home: str) -> bytes:
    """The head, and behind it the code of the modules. A copy of the package must not run the original's modules: so
    ours are named from `home`, which the reader is told anew."""
    files = sources(home)
    needed = {name: _needed(name, _imports(path, _stamp(path)), files) for name, path in files.items()}
    codes = {name: _code(path, _stamp(path), frozenset(files)) for name, path in files.items()}
    blobs = {name: marshal.dumps({one: codes[one] for one in _together(name, needed)}) for name in files}
    code = b"".join(blobs.values())
    size = len(_head(home, files, needed, blobs, 1 << 30)) + len(code)  # its length does not depend on the number
    head = _head(home, files, needed, blobs, size)
    if len(head) > HEAD_MOST:
        raise ValueError(f"the head has {len(head)} bytes, and a hook reads {HEAD_MOST} of it")
    return head + code


def _head(
    home: str, files: dict[str, Path], needed: dict[str, tuple[str, ...]], blobs: dict[str, bytes], size: int
) -> bytes:
    """The reader by the magic number, which tells the version of Python: as bytes, for another version might not
    survive reading its code. Then the size of the whole, and of modules and extensions the stamps of their files."""
    table, left = [], sum(map(len, blobs.values()))
    for name, path in files.items():
        place = (name, path.relative_to(home).as_posix(), *_stamp(path), path.name == "__init__.py")
        table.append((*place, needed[name], left, len(blobs[name])))
        left -= len(blobs[name])
    found = {name: getattr(import_module(name), "__file__", None) for name in EXTENSIONS}
    extensions = tuple((name, path, *_stamp(Path(path))) for name, path in found.items() if path)
    reader = Path(home, "orchestrate/bundled.py")
    return marshal.dumps(
        {
            MAGIC_NUMBER: marshal.dumps(_code(reader, _stamp(reader), frozenset())),
            TABLE: (size, tuple(table), extensions),
        }
    )


def _together(name: str, needed: dict[str, tuple[str, ...]]) -> list[str]:
    """The modules whose code is read with that of `name`."""
    if name not in BEGINNINGS:
        return [name]
    found = _closure((name, *BEGINNINGS[name]), needed)
    there = set() if name == FIRST else set(_closure((FIRST,), needed))
    return [one for one in found if one not in there]


def _closure(names: tuple[str, ...], needed: dict[str, tuple[str, ...]]) -> list[str]:
    found = dict.fromkeys(names)
    waiting = list(names)
    while waiting:
        more = [name for name in needed.get(waiting.pop(), ()) if name not in found]
        found.update(dict.fromkeys(more))
        waiting += more
    return [name for name in found if name in needed]


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


def _needed(name: str, imports: tuple[str, ...], files: dict[str, Path]) -> tuple[str, ...]:
    """The package of a module, and the modules of the bundle that it imports at its top."""
    return tuple(dict.fromkeys(module for module in (name.rpartition(".")[0], *imports) if module in files))


@cache  # a file that has not changed is read once in a process, however many bundles it makes
def _imports(path: Path, stamp: tuple[int, int]) -> tuple[str, ...]:
    imported = []
    for node in ast.parse(path.read_bytes()).body:
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imported += [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(imported)


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


@cache
def _code(path: Path, stamp: tuple[int, int], ours: frozenset[str]) -> CodeType:
    tree = ast.fix_missing_locations(_Bare(ours).visit(ast.parse(path.read_bytes())))
    return compile(tree, str(path), "exec", dont_inherit=True, optimize=2)


class _Bare(ast.NodeTransformer):
    """Without annotations and what only a type checker reads: a hook would read and build them, and nobody ask. What a
    module imports of ours at its top was run before it, so it is taken from there: an import statement costs ten
    times as much."""

    def __init__(self, ours: frozenset[str]) -> None:
        self.ours = ours

    def visit_Module(self, node: ast.Module) -> ast.AST:
        self.generic_visit(node)
        node.body = [made for one in node.body for made in self._taken(one)]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        made = ast.Assign([node.target], node.value) if node.value else ast.Pass()
        return ast.copy_location(made, node)

    def visit_If(self, node: ast.If) -> ast.AST:
        self.generic_visit(node)
        is_for_checkers = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING" and not node.orelse
        return ast.copy_location(ast.Pass(), node) if is_for_checkers else node

    def _taken(self, node: ast.stmt) -> list[ast.stmt]:
        if not isinstance(node, ast.ImportFrom) or node.module not in self.ours:
            return [node]
        lines = [f"{alias.asname or alias.name} = {self._place(node.module, alias.name)}" for alias in node.names]
        made = ast.parse("\n".join(lines))
        for one in ast.walk(made):
            ast.copy_location(one, node)
        return made.body

    def _place(self, module: str, name: str) -> str:
        whole = f"{module}.{name}"
        return f"__modules__[{whole!r}]" if whole in self.ours else f"__modules__[{module!r}].{name}"
