"""What an install did to a file of the user's, so that it can be undone to the byte."""

import hashlib
import shutil
from pathlib import Path

from pydantic import BaseModel, ValidationError

from state import files
from state.errors import UserError


class Receipt(BaseModel, frozen=True):
    scope: str
    settings: str | None
    existed: bool  # the settings file, before us
    written: str  # digest of what we made of it
    agents: dict[str, str] = {}  # the files that are ours, by path: digest
    folders: list[str] = []  # made by us, outermost first


class Book:
    """The receipts of one user, in <user>/install/<key>/."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = str(folder / "lock")

    def read(self, key: str) -> Receipt | None:
        """None also for one that cannot be understood: then only our own lines are known to be ours."""
        raw = files.read(str(self.folder / key / "receipt.json"))
        if raw is None:
            return None
        try:
            return Receipt.model_validate_json(raw)
        except ValidationError:
            return None

    def original(self, key: str) -> bytes:
        return files.read(str(self.folder / key / "original")) or b""

    def write(self, key: str, receipt: Receipt, original: bytes) -> None:
        files.replace(str(self.folder / key / "original"), original)
        files.replace(str(self.folder / key / "receipt.json"), receipt.model_dump_json(indent=2).encode())

    def remove(self, key: str) -> None:
        shutil.rmtree(self.folder / key, ignore_errors=True)

    def has_others(self, key: str) -> bool:
        """Also such that cannot be understood: somebody is to find a way back by them."""
        return any(path.parent.name != key for path in self.folder.glob("*/receipt.json"))

    def others(self, key: str) -> list[Receipt]:
        keys = (path.parent.name for path in sorted(self.folder.glob("*/receipt.json")))
        found = (self.read(other) for other in keys if other != key)
        return [receipt for receipt in found if receipt is not None]


def book(user: str | None) -> Book:
    if user is None:
        raise UserError("~/.orchestrator: HOME is not set or cannot be written: mend that first")
    return Book(Path(user, "install"))


def require_text(path: Path) -> None:
    """A receipt is JSON, which holds no other paths."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        remedy = "rename the folder, or install into another scope"
        raise UserError(f"{str(path)!r}: is not UTF-8, and the way back could not be recorded: {remedy}") from None


def key_of(settings: Path | None) -> str:
    """One receipt a file, however many links lead to it; the plugin has one of its own."""
    return "plugin" if settings is None else digest(str(settings.resolve()).encode("utf-8", "surrogateescape"))[:16]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
