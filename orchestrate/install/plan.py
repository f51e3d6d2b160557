"""What an install or uninstall would change, decided before anything is."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from orchestrate.install import settings_file, shipped, status_line, userfile
from orchestrate.install.receipts import Book, Receipt, digest, key_of, require_text
from orchestrate.install.scopes import Target
from orchestrate.install.settings_file import Group


class Change(NamedTuple):
    """A file before and after; None where there is none."""

    path: Path
    before: bytes | None
    after: bytes | None


class Install(NamedTuple):
    key: str
    changes: list[Change]
    receipt: Receipt
    original: bytes
    notes: list[str]


class Uninstall(NamedTuple):
    key: str
    changes: list[Change]
    folders: list[str]  # made by us, outermost first: to be removed where they are empty
    notes: list[str]


class _Undo(NamedTuple):
    """The way back: the bytes before us, and whether there was a file at all."""

    original: bytes
    existed: bool


def install(
    target: Target, book: Book, hooks: Mapping[str, Group], agents: Path, has_line: bool | None = None
) -> Install:
    """`has_line`: whether our status line is to be there; None: as before."""
    for path in filter(None, (target.settings, target.agents)):
        require_text(path)
    key = key_of(target.settings)
    receipt = book.read(key)
    changes, notes = [], list[str]()
    written, undo = b"", _Undo(b"", False)
    if target.settings is not None:
        before = userfile.read(target.settings)
        text = settings_file.parse(before, str(target.settings), hooks)
        original = _original(receipt, book, key)
        undo = _undo(before, text, original, receipt, book, key)
        lined = settings_file.with_hooks(text, hooks)
        if has_line or (has_line is None and status_line.is_in(lined)):
            lined = status_line.with_line(lined, shipped.here(), str(target.settings))
        elif has_line is False:
            lined = status_line.without_line(lined, original)
        written = lined.encode()
        changes.append(Change(target.settings, before, written))
    owned = dict[str, str]()
    if target.agents is not None:
        copies, owned, notes = _agents_in(target.agents, agents, _known(book, key, receipt))
        changes += copies
    changes = _real(changes)
    folders = list(dict.fromkeys(path for change in changes for path in userfile.missing_folders(change.path.parent)))
    new = Receipt(
        scope=target.scope,
        settings=None if target.settings is None else str(target.settings),
        existed=undo.existed,
        written=digest(written),
        agents=owned,
        folders=_made(folders, receipt, book.others(key), owned),
    )
    return Install(key, changes, new, undo.original, notes)


def uninstall(target: Target, book: Book, agents: Path) -> Uninstall:
    key = key_of(target.settings)
    receipt = book.read(key)
    changes = []
    if target.settings is not None:
        before = userfile.read(target.settings)
        changes.append(Change(target.settings, before, _restored(before, target.settings, receipt, book, key)))
    removed, notes = _agents_out(receipt, book.others(key), agents)
    return Uninstall(key, _real([*changes, *removed]), receipt.folders if receipt else [], notes)


def _undo(before: bytes | None, text: str, original: str, receipt: Receipt | None, book: Book, key: str) -> _Undo:
    if before is None:
        return _Undo(b"", False)
    if receipt is not None and digest(before) == receipt.written:
        return _Undo(book.original(key), receipt.existed)
    stripped = _stripped(text, original)
    made_by_us = receipt is not None and not receipt.existed and settings_file.is_empty(stripped)
    return _Undo(stripped.encode(), not made_by_us)


def _restored(before: bytes | None, path: Path, receipt: Receipt | None, book: Book, key: str) -> bytes | None:
    if before is None:
        return None
    if receipt is not None and digest(before) == receipt.written:
        return book.original(key) if receipt.existed else None
    stripped = _stripped(settings_file.parse(before, str(path)), _original(receipt, book, key))
    if receipt is not None and not receipt.existed and settings_file.is_empty(stripped):
        return None
    return stripped.encode()


def _stripped(text: str, original: str) -> str:
    """Without what is ours; `original`: the text before us, empty where that is not known."""
    return status_line.without_line(settings_file.without_hooks(text, settings_file.kept(original)), original)


def _original(receipt: Receipt | None, book: Book, key: str) -> str:
    if receipt is None:
        return ""
    return settings_file.parse(book.original(key), str(book.folder / key / "original"))


def _agents_in(folder: Path, source: Path, known: dict[str, str]) -> tuple[list[Change], dict[str, str], list[str]]:
    changes, owned, notes = [], {}, []
    for file in sorted(source.glob("*.md")):
        path, data = folder / file.name, file.read_bytes()
        found = userfile.read(path)
        if found is not None and digest(found) != known.get(str(path)):
            if found != data:
                notes.append(f"{path}: another agent of that name is there and stays; directives to it will use it")
            continue
        changes.append(Change(path, found, data))
        owned[str(path)] = digest(data)
    return changes, owned, notes


def _agents_out(receipt: Receipt | None, others: list[Receipt], source: Path) -> tuple[list[Change], list[str]]:
    changes, notes = [], []
    for name, written in (receipt.agents if receipt else {}).items():
        path = Path(name)
        found = userfile.read(path)
        if found is None or any(name in other.agents for other in others):
            continue
        if digest(found) in (written, _shipped(source / path.name)):
            changes.append(Change(path, found, None))
        else:
            notes.append(f"{path}: was changed since the install and stays")
    return changes, notes


def _shipped(path: Path) -> str | None:
    return digest(path.read_bytes()) if path.is_file() else None


def _made(folders: list[str], receipt: Receipt | None, others: list[Receipt], agents: dict[str, str]) -> list[str]:
    """Also what another scope's install made for the agents that this one uses too: the last to go removes it."""
    used = {str(parent) for path in agents for parent in Path(path).parents}
    shared = [path for other in others for path in other.folders if path in used]
    return list(dict.fromkeys([*(receipt.folders if receipt else []), *shared, *folders]))


def _known(book: Book, key: str, receipt: Receipt | None) -> dict[str, str]:
    known: dict[str, str] = {}
    for other in [*book.others(key), *([receipt] if receipt else [])]:
        known |= other.agents
    return known


def _real(changes: list[Change]) -> list[Change]:
    real = [change for change in changes if change.before != change.after]
    for change in real:
        userfile.check_writable(change.path)
    return real
