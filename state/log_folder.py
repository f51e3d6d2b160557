"""The name of the folder that a project's logs lie in here, for a store that several machines share.

It stands in a file beside the logs, so that whoever sees the same folder has the same name, also in a container, and it
holds the file's own inode: a copy of the folder, on this machine or another, takes a name of its own.
"""

import hashlib
import os
import socket
from pathlib import Path

from state.journal import make_folders
from state.paths import Place

FILE = "logs.id"


def name(place: Place, is_shared: bool) -> str:
    """Empty where there is none and nobody shares the store."""
    path = Path(place.state, FILE)
    try:
        return _read(path) or (_made(path) if is_shared else "")
    except OSError:  # nothing can be written here
        there = f"{socket.gethostname()}:{place.state}"
        return hashlib.blake2b(there.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()


def _read(path: Path) -> str:
    try:
        words = path.read_text("utf-8", "replace").split()
    except FileNotFoundError:
        return ""
    return words[0] if len(words) == 2 and words[1] == str(path.stat().st_ino) else ""


def _made(path: Path) -> str:
    """Of two who make it at once the first wins."""
    make_folders(str(path.parent))
    draft = path.with_name(f"{FILE}.{os.getpid()}.tmp")
    draft.write_text("")
    draft.write_text(f"{os.urandom(8).hex()} {draft.stat().st_ino}\n")
    try:
        os.link(draft, path)
    except FileExistsError:
        if not _read(path):  # a copy's
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return _read(path)
