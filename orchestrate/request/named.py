"""How large the files are that a prompt names. Only asked where that can change the decision."""

import posix

from orchestrate.request.call import Call
from routing.features import is_path, scored

MOST = 4  # files of one prompt that are looked at
_IN_PATHS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-+@=%~#"
_OUTSIDE = bytes(range(128)).translate(None, _IN_PATHS)
_PATHS = bytes.maketrans(_OUTSIDE, b" " * len(_OUTSIDE))


def size_bytes(call: Call, text: str) -> int:
    """Of the first few together, as far as they are files of the project: nowhere else is looked."""
    names: dict[bytes, None] = {}
    for token in scored(text).translate(_PATHS).split():
        if b"." not in token and b"/" not in token:
            continue
        name = token.strip(b"./") if not token.startswith((b".", b"/")) else token.rstrip(b"./")
        lower = name.lower()
        if is_path(lower, lower.strip(b"./")):
            names[name] = None
            if len(names) == MOST:
                break
    return sum([_size(call, name.decode("utf-8", "replace")) for name in names])


def _size(call: Call, name: str) -> int:
    if ".." in name or name.startswith("~"):
        return 0
    bases = (call.place.root, call.text("cwd"))
    if name.startswith("/"):
        return _of(name) if any(base and name.startswith(f"{base.rstrip('/')}/") for base in bases) else 0
    paths = {f"{base.rstrip('/')}/{name}": None for base in bases if base.startswith("/")}
    return max([_of(path) for path in paths], default=0)


def _of(path: str) -> int:
    try:
        found = posix.stat(path)
    except (OSError, ValueError):
        return 0
    return found.st_size if found.st_mode & 0o170000 == 0o100000 else 0
