"""The plugins that the client has switched on, and what their hooks.json declares."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from orchestrate.doctor.layers import Layer
from orchestrate.install import scopes

OURS = ("orchestrate", "orchestrate-classic")  # with the mod, and without
_MANIFEST = ".claude-plugin/plugin.json"


class Plugin(NamedTuple):
    name: str  # plugin@marketplace
    folder: Path
    hooks: dict[str, object]
    modules: list[str]  # of those it declares, what is there

    @property
    def is_ours(self) -> bool:
        return self.name.partition("@")[0] in OURS


def enabled(layers: Sequence[Layer], env: Mapping[str, str]) -> list[Plugin]:
    switched: dict[str, object] = {}
    for layer in layers:
        switched |= layer.record("enabledPlugins")
    return [_plugin(name, folder) for name, on in switched.items() if on and (folder := _folder(name, env))]


def _plugin(name: str, folder: Path) -> Plugin:
    file = folder / str(_text(_object(folder / _MANIFEST).get("hooks")) or "hooks/hooks.json")
    declared = _object(file)
    hooks, modules = declared.get("hooks"), declared.get("modules")
    there = [str(name) for name in modules if (file.parent / str(name)).is_file()] if isinstance(modules, list) else []
    return Plugin(name, folder, hooks if isinstance(hooks, dict) else {}, there)


def _folder(name: str, env: Mapping[str, str]) -> Path | None:
    """A marketplace that is a folder is read in place; any other from the client's copy."""
    kept = scopes.config_folder(env) / "plugins"
    plugin, _, market = name.partition("@")
    known = _object(kept / "known_marketplaces.json").get(market)
    known = known if isinstance(known, dict) else {}
    source = known.get("source")
    place = _text(known.get("installLocation"))
    if place and isinstance(source, dict) and source.get("source") == "directory":
        return _offered(Path(place), plugin)
    installed = _object(kept / "installed_plugins.json").get("plugins")
    copies = installed.get(name) if isinstance(installed, dict) else None
    listed = copies if isinstance(copies, list) else []
    paths = [_text(copy.get("installPath")) for copy in listed if isinstance(copy, dict)]
    return next((Path(path) for path in paths if path and Path(path).is_dir()), None)


def _offered(market: Path, plugin: str) -> Path | None:
    offers = _object(market / ".claude-plugin/marketplace.json").get("plugins")
    listed = offers if isinstance(offers, list) else []
    named = [offer for offer in listed if isinstance(offer, dict) and offer.get("name") == plugin]
    sources = [_text(offer.get("source")) for offer in named]
    return next(((market / source).resolve() for source in sources if source), None)


def _object(path: Path) -> dict[str, object]:
    """Empty where there is no such file, or it cannot be understood: the client goes on without it as well."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
