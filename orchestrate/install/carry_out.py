"""Makes a plan true. The receipt goes first: whatever stops us, the way back is on the disk."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from orchestrate.install import interpreter, userfile
from orchestrate.install.interpreter import Interpreter
from orchestrate.install.plan import Change, Install, Uninstall
from orchestrate.install.receipts import Book
from state import files, locks, snapshot
from state.errors import UserError
from state.paths import Place


def alone(book: Book, place: Place, env: Mapping[str, str]) -> AbstractContextManager[None]:
    """Nobody else installs or uninstalls for this user meanwhile."""
    return locks.hold(book.lock, float(snapshot.read(place, dict(env)).values["lock_timeout_s"]))


def install(plan: Install, book: Book, runs: Interpreter) -> None:
    record = interpreter.line(runs)
    book.write(plan.key, plan.receipt, plan.original)
    for change in plan.changes:
        userfile.make_folders(change.path.parent)
        _swap(change)
    files.replace(str(book.folder / interpreter.NAME), record)


def uninstall(plan: Uninstall, book: Book, is_plugged: bool = False) -> None:
    """`is_plugged`: a plugin of ours goes on, and starts what the record names, whoever has written it."""
    for change in plan.changes:
        _swap(change)
    for folder in reversed(plan.folders):
        userfile.remove_empty(Path(folder))
    book.remove(plan.key)
    if not (is_plugged or book.has_others(plan.key)):
        userfile.remove(book.folder / interpreter.NAME)


def _swap(change: Change) -> None:
    if userfile.read(change.path) != change.before:
        raise UserError(f"{change.path}: was changed by somebody else just now: run this again")
    if change.after is None:
        userfile.remove(change.path)
    else:
        userfile.put(change.path, change.after)
