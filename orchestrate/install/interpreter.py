"""The interpreter that the wrappers in hooks/ start: a file of two lines, python and the folder of the package."""

import shlex
from pathlib import Path
from typing import NamedTuple

from state import files
from state.errors import UserError

NAME = "interpreter"


class Interpreter(NamedTuple):
    python: str
    home: str

    @property
    def is_there(self) -> bool:
        return Path(self.python).is_file() and Path(self.home, "orchestrate/entry.py").is_file()


def line(found: Interpreter) -> bytes:
    for part in found:
        if "\n" in part or not part.startswith("/"):
            raise UserError(f"{part!r}: a hook needs an absolute path on one line: install into another folder")
    try:
        return f"{found.python}\n{found.home}\n".encode()
    except UnicodeEncodeError as error:
        raise UserError(f"{found.home!r}: a settings file holds UTF-8 only: install into another folder") from error


def recorded(folder: Path) -> Interpreter | None:
    raw = files.read(str(folder / NAME))
    python, _, home = (raw or b"").decode("utf-8", "replace").partition("\n")
    return Interpreter(python, home.rstrip("\n")) if python and home else None


def of_command(command: str) -> Interpreter | None:
    """What a command line of ours starts; None where it has another form."""
    try:
        words = shlex.split(command)
        return Interpreter(words[words.index("-x") + 1], words[words.index("-c") + 2])
    except (ValueError, IndexError):
        return None
