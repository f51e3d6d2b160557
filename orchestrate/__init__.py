"""A hook-driven request router for Claude Code."""

import sys

__version__ = "0.1.0"


def _own_packages_first() -> None:
    """Make `routing`, `metrics` and `state` ours, whatever else of these names is on the path.

    In a wheel they lie in `orchestrate/_lib`, in a checkout beside `orchestrate`.
    """
    package = __path__[0]
    checkout = package.rpartition("/")[0] or package.rpartition("\\")[0]
    lib = package + "/_lib"
    try:
        import posix as system
    except ImportError:  # Windows
        import nt as system  # type: ignore[no-redef]  # the same calls
    try:
        system.stat(lib)
        home = lib
    except OSError:
        home = checkout
    if sys.path[:1] != [home]:
        sys.path.insert(0, home)


if not hasattr(globals().get("__loader__"), "extensions"):  # a bundle answers for all of them itself
    _own_packages_first()
