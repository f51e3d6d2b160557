"""What the reader of a bundle runs first: the hot modules come out of it as long as their sources are the same."""

import marshal
import posix
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import ExtensionFileLoader

Stamp = tuple[int, int]  # mtime_ns, size
Module = tuple[str, bool, bytes]  # path, is a package, marshalled code


class Bundle:
    """A finder and loader of the import system, for the modules of one bundle and the C extensions that they import."""

    def __init__(self, modules: dict[str, Module], extensions: dict[str, str]) -> None:
        self.modules = modules
        self.extensions = extensions

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name in self.extensions:
            origin = self.extensions[name]
            return ModuleSpec(name, ExtensionFileLoader(name, origin), origin=origin)
        found = self.modules.get(name)
        if found is None:
            return None
        origin = found[0]
        spec = ModuleSpec(name, self, origin=origin, is_package=found[1])  # type: ignore[arg-type]  # a Loader by its methods
        spec.has_location = True
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations.append(origin.rpartition("/")[0])
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: object) -> None:
        namespace = module.__dict__
        exec(marshal.loads(self.modules[namespace["__name__"]][2]), namespace)  # noqa: S102, S302  our own code, built at install


def use(stamps: dict[str, Stamp], modules: dict[str, Module], extensions: dict[str, str]) -> None:
    """Raises OSError or ImportError when a source is gone or changed: then the modules themselves are imported."""
    for path, stamp in stamps.items():
        found = posix.stat(path)
        if (found.st_mtime_ns, found.st_size) != stamp:
            raise ImportError(path)
    sys.meta_path.insert(0, Bundle(modules, extensions))
