"""What every settings file that the client reads here says about hooks: ours, and the switches that turn them off."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from orchestrate.install import scopes, settings_file, userfile
from state.errors import UserError

_SWITCHES = ("disableAllHooks", "allowManagedHooksOnly")


class Sighting(NamedTuple):
    scope: str
    path: Path
    error: str | None
    commands: dict[str, list[str]]  # event: our command lines
    switches: list[str]
    plugin: str | None  # our plugin, where it is enabled here


def look(root: str, env: Mapping[str, str], managed: Path | None = None) -> list[Sighting]:
    found = []
    for scope in ("user", "project", "local"):
        path = scopes.target(scope, root, env).settings
        if path is not None:
            found.append(_sight(scope, path))
    return found + [_sight("managed", path) for path in scopes.managed(managed) if path.is_file()]


def is_plugged(seen: Sequence[Sighting], env: Mapping[str, str]) -> bool:
    """Whether our plugin is switched on here, or the client has it for any project."""
    return any(sighting.plugin for sighting in seen) or _plugin(_installed(scopes.config_folder(env))) is not None


def _installed(folder: Path) -> object:
    """The client's own list of plugins."""
    try:
        found = json.loads((folder / "plugins/installed_plugins.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return found.get("plugins") if isinstance(found, dict) else None


def _sight(scope: str, path: Path) -> Sighting:
    try:
        text = settings_file.parse(userfile.read(path), str(path))
    except UserError as error:
        return Sighting(scope, path, str(error), {}, [], None)
    commands: dict[str, list[str]] = {}
    for spot in settings_file.spots(text):
        if spot.is_live:
            commands.setdefault(spot.event, []).extend(spot.commands)
    settings = settings_file.settings(text)
    switches = [name for name in _SWITCHES if settings.get(name) is True]
    return Sighting(scope, path, None, commands, switches, _plugin(settings.get("enabledPlugins")))


# Our plugin, with the mod and without.
PLUGINS = ("orchestrate@", "orchestrate-classic@")


def _plugin(enabled: object) -> str | None:
    if not isinstance(enabled, dict):
        return None
    return next((name for name, is_on in enabled.items() if name.startswith(PLUGINS) and is_on), None)
