"""The client's settings, file by file, weakest first: what each says about hooks, models and permissions."""

import plistlib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from orchestrate.install import scopes, settings_file, userfile
from state.errors import UserError

MANAGED = "managed"
_OURS = "orchestrate.entry"
# Where the client keeps what an organisation's server says, and where macOS keeps what its profile says.
_FROM_SERVER = "remote-settings.json"
_PROFILE = "/Library/Managed Preferences/com.anthropic.claudecode.plist"


class Layer(NamedTuple):
    scope: str
    path: Path
    values: dict[str, object]
    error: str = ""

    def record(self, *names: str) -> dict[str, object]:
        """The object under these names, empty where there is none."""
        found: object = self.values
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}


class Hook(NamedTuple):
    event: str
    matcher: str | None
    handler: dict[str, object]

    @property
    def is_ours(self) -> bool:
        """Every line of ours names the module that it starts."""
        return _OURS in str(self.handler.get("command"))

    def is_for(self, tools: Sequence[str]) -> bool:
        """Whether the client calls it for one of these tools."""
        if self.matcher in (None, "", "*"):
            return True
        try:
            return any(re.fullmatch(str(self.matcher), tool) for tool in tools)
        except re.error:
            return False


def read(root: str, env: Mapping[str, str], managed: Path | None = None) -> list[Layer]:
    """`managed`: the organisation's folder, if not that of this system."""
    paths = {scope: scopes.target(scope, root, env).settings for scope in ("user", "project", "local")}
    known = [(scope, path) for scope, path in paths.items() if path is not None]
    # At home, the project's file is the user's.
    found = [_layer(scope, path) for nth, (scope, path) in enumerate(known) if path not in dict(known[:nth]).values()]
    return [layer for layer in [*found, *_managed(env, managed)] if layer.values or layer.error]


def _managed(env: Mapping[str, str], folder: Path | None) -> Iterator[Layer]:
    for path in scopes.managed(folder):
        yield _layer(MANAGED, path)
    served = _layer(MANAGED, scopes.config_folder(env) / _FROM_SERVER)
    yield served._replace(values=served.record("settings") or served.values)
    if sys.platform == "darwin" and folder is None:
        yield _profile(Path(_PROFILE))


def _layer(scope: str, path: Path) -> Layer:
    try:
        return Layer(scope, path, settings_file.settings(settings_file.parse(userfile.read(path), str(path))))
    except UserError as error:
        return Layer(scope, path, {}, str(error))


def _profile(path: Path) -> Layer:
    try:
        found = plistlib.loads(path.read_bytes())
    except FileNotFoundError:
        found = {}
    except (OSError, ValueError, plistlib.InvalidFileException) as error:
        return Layer(MANAGED, path, {}, f"{path}: cannot be read ({error})")
    return Layer(MANAGED, path, found if isinstance(found, dict) else {})


def hooks(table: object) -> Iterator[Hook]:
    """Every hook of a `hooks` object, as far as it has the shape that the client knows."""
    for event, groups in table.items() if isinstance(table, dict) else ():
        for group in groups if isinstance(groups, list) else ():
            handlers = group.get("hooks") if isinstance(group, dict) else None
            for handler in handlers if isinstance(handlers, list) else ():
                if isinstance(handler, dict):
                    matcher = group.get("matcher")
                    yield Hook(str(event), matcher if isinstance(matcher, str) else None, handler)


def named(layers: Sequence[Layer], env: Mapping[str, str], name: str) -> list[tuple[str, str]]:
    """Every value of an environment variable of the client's, and where it is set, weakest first."""
    found = [(env[name], "the environment")] if env.get(name) else []
    for layer in layers:
        value = layer.record("env").get(name)
        if value not in (None, ""):
            found.append((str(value), str(layer.path)))
    return found


def strongest(layers: Sequence[Layer], *names: str) -> tuple[object, Path] | None:
    """The value that counts of a setting, and its file."""
    for layer in reversed(layers):
        value = layer.record(*names[:-1]).get(names[-1])
        if value is not None:
            return value, layer.path
    return None
