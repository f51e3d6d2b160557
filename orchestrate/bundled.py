"""What the reader of a bundle runs first: the hot modules come out of it as long as their sources are the same."""

import marshal
import posix
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import ExtensionFileLoader

Stamp = tuple[int, int]  # mtime_ns, size
Module = tuple[
    str, bool, tuple[str, ...], int, int
]  # path from the home, is a package, needed first, where its code is


class Bundle:
    """Runs what a module imports before the module itself, so that an import is only a look into sys.modules.

    For what is imported later it is a finder and loader of the import system.
    """

    def __init__(self, home: str, modules: dict[str, Module], code: memoryview) -> None:
        self.home = home
        self.modules = modules
        self.code = code

    def run(self, name: str) -> None:
        path, is_package, needed, start, stop = self.modules[name]
        for other in needed:
            if other not in sys.modules:
                self.run(other)
        module = type(sys)(name)
        namespace = module.__dict__
        namespace["__file__"] = origin = f"{self.home}/{path}"
        namespace["__loader__"] = self
        namespace["__spec__"] = ModuleSpec(name, self, origin=origin)  # type: ignore[arg-type]  # a Loader by its methods
        if is_package:
            namespace["__path__"] = [origin.rpartition("/")[0]]
        sys.modules[name] = module
        exec(marshal.loads(self.code[start:stop]), namespace)  # noqa: S102, S302  our own code, built at install
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


def use(
    home: str,
    data: bytes,
    size: int,
    stamps: dict[str, Stamp],
    modules: dict[str, Module],
    extensions: dict[str, str],
) -> None:
    """`data` ends with `size` bytes of code. Raises OSError or ImportError when a source is gone or changed: then the
    modules themselves are imported."""
    for path, stamp in stamps.items():
        found = posix.stat(path if path[0] == "/" else f"{home}/{path}")
        if (found.st_mtime_ns, found.st_size) != stamp:
            raise ImportError(path)
    for name, origin in extensions.items():
        loader = ExtensionFileLoader(name, origin)
        sys.modules[name] = module = loader.create_module(ModuleSpec(name, loader, origin=origin))
        loader.exec_module(module)
    bundle = Bundle(home, modules, memoryview(data)[-size:])
    sys.meta_path.insert(0, bundle)
    bundle.run("orchestrate.entry")
