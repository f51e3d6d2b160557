"""One key set in, or removed from, the file of a scope: "repo", the project's own, or "global", the user's.

The snapshot is compiled anew with it, so that it holds from the next prompt on.
"""

from collections.abc import Callable
from pathlib import Path

from state import compiled, config_edit, files, locks, settings, trust
from state.errors import NOT_FOUND, UserError
from state.paths import Place
from state.snapshot import SOURCES, Value


def set_key(place: Place, key: str, text: str, scope: str = "repo") -> Value:
    value = settings.parse(key, text)
    path = _holding(place, key, scope) or _new_home(folder(place, scope))
    _edit(place, scope, path, lambda raw: config_edit.with_value(path, raw, key, value))
    compiled.compile(place)
    return value


def unset_key(place: Place, key: str, scope: str = "repo") -> None:
    """A misspelt key too."""
    path = _holding(place, key, scope)
    if path is None:
        raise UserError(f"{folder(place, scope)}: {key} is not set there", NOT_FOUND)
    _edit(place, scope, path, lambda raw: config_edit.without(path, raw, key))
    compiled.compile(place)


def stands(place: Place, key: str, scope: str = "repo") -> object:
    """What the scope's files say of the key; None where they leave it out."""
    found = [file.values[key] for file in settings.config_files(folder(place, scope)) if key in file.values]
    return found[-1] if found else None


def folder(place: Place, scope: str) -> str:
    if scope == "repo":
        return place.state
    if place.user is None:
        raise UserError("no writable home folder for settings of your own: set them for the project instead")
    return place.user


def _holding(place: Place, key: str, scope: str) -> str | None:
    """The strongest file of the scope that sets the key."""
    paths = [file.path for file in settings.config_files(folder(place, scope)) if key in file.lines]
    return paths[-1] if paths else None


def _new_home(folder: str) -> str:
    """The strongest file there is, so that nothing beside it overrules the new key."""
    paths = [f"{folder}/{name}" for name in SOURCES]
    return next((path for path in reversed(paths) if Path(path).exists()), paths[0])


def _edit(place: Place, scope: str, path: str, change: Callable[[bytes], bytes]) -> None:
    """A project whose files needed no trust, or had it, keeps it: its user made this change."""
    timeout_s = compiled.lock_timeout_s(place)
    with locks.hold(f"{folder(place, scope)}/lock", timeout_s):
        vouched = place.user is not None and not _waits_for_trust(place)
        files.replace(path, change(files.read(path) or b""))
        if vouched and (loaded := settings.load(place, {})).ignored:
            trust.grant(place, loaded.digest, timeout_s)


def _waits_for_trust(place: Place) -> bool:
    """A configuration that cannot be read vouches for nothing."""
    try:
        return bool(settings.load(place, {}).ignored)
    except UserError:
        return True
