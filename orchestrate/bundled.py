"""What the reader of a bundle runs first: the hot modules come out of it as long as their sources are the same.

No module: hookline.BOOT executes it among its own names.
"""

import gc
import marshal
import posix
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import ExtensionFileLoader

TYPE_CHECKING = False  # as in typing, which costs more than the whole hook
if TYPE_CHECKING:
    from types import CodeType

    # name, path from the home, mtime_ns, size, is a package, needed first, its code's distance from the end and length
    Module = tuple[str, str, int, int, bool, tuple[str, ...], int, int]
    Extension = tuple[str, str, int, int]  # name, path, mtime_ns, size


class Bundle:
    """Runs what a module imports before the module itself, so that an import is only a look into sys.modules.

    For what is imported later it is a finder and loader of the import system.
    """

    def __init__(self, home: str, fd: int, size: int, modules: "dict[str, Module]") -> None:
        self.home = home
        self.fd = fd
        self.size = size
        self.modules = modules
        self.codes: dict[str, CodeType] = {}

    def run(self, name: str) -> None:
        _, path, _, _, is_package, needed, left, length = self.modules[name]
        if name not in self.codes:
            # Of what an event begins with, its code and that of all it needs: names that they share are read once.
            self.codes.update(marshal.loads(posix.pread(self.fd, length, self.size - left)))  # noqa: S302  our own code
        for other in needed:
            if other not in sys.modules:
                self.run(other)
        module = type(sys)(name)
        namespace = module.__dict__
        namespace["__file__"] = origin = f"{self.home}/{path}"
        namespace["__loader__"] = self
        namespace["__modules__"] = sys.modules  # where it takes what it imports of ours, see bundle.py
        namespace["__spec__"] = ModuleSpec(name, self, origin=origin)  # type: ignore[arg-type]  # a Loader by its methods
        if is_package:
            namespace["__path__"] = [origin.rpartition("/")[0]]
        sys.modules[name] = module
        exec(self.codes[name], namespace)  # noqa: S102  our own code, built at install
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name in self.modules else None  # type: ignore[arg-type]  # the same

    def create_module(self, spec: ModuleSpec) -> object:
        self.run(spec.name)
        return sys.modules[spec.name]

    def exec_module(self, module: object) -> None:
        """It ran when it was made."""


def use(home: str, fd: int, size: int, table: "tuple[Module, ...]", extensions: "tuple[Extension, ...]") -> None:
    """`fd` is the bundle, which has this size if it is whole. Raises OSError or ImportError when a source is gone or
    changed: then the modules themselves are imported."""
    gc.disable()
    stat = posix.stat
    if posix.fstat(fd).st_size != size:
        raise ImportError(home)
    modules = {}
    for module in table:
        found = stat(f"{home}/{module[1]}")
        if found.st_mtime_ns != module[2] or found.st_size != module[3]:
            raise ImportError(module[1])
        modules[module[0]] = module
    for _, origin, mtime_ns, length in extensions:
        found = stat(origin)
        if found.st_mtime_ns != mtime_ns or found.st_size != length:
            raise ImportError(origin)
    for name, origin, _, _ in extensions:
        loader = ExtensionFileLoader(name, origin)
        sys.modules[name] = extension = loader.create_module(ModuleSpec(name, loader, origin=origin))
        loader.exec_module(extension)
    bundle = Bundle(home, fd, size, modules)
    sys.meta_path.insert(0, bundle)
    bundle.run("orchestrate.entry")


boot = globals()
use(boot["h"], boot["f"].fileno(), *boot["d"]["table"])
