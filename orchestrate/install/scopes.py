"""Where each scope keeps its settings and its agents, and where the client looks besides."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from state.errors import UserError

SCOPES = ("user", "project", "local", "plugin")
_MANAGED = {
    "darwin": "/Library/Application Support/ClaudeCode",
    "win32": "C:/Program Files/ClaudeCode",
}


class Target(NamedTuple):
    """`settings` and `agents` are None for the plugin, which brings its own."""

    scope: str
    settings: Path | None
    agents: Path | None


def target(scope: str, root: str, env: Mapping[str, str]) -> Target:
    project = Path(root, ".claude")
    if scope == "plugin":
        return Target(scope, None, None)
    if scope == "project":
        return Target(scope, project / "settings.json", project / "agents")
    # The local scope is one person's: its agents must not show up in everybody's working tree.
    config = config_folder(env)
    settings = project / "settings.local.json" if scope == "local" else config / "settings.json"
    return Target(scope, settings, config / "agents")


def config_folder(env: Mapping[str, str]) -> Path:
    """The client's own folder."""
    if env.get("CLAUDE_CONFIG_DIR"):
        return Path(env["CLAUDE_CONFIG_DIR"]).absolute()
    if not env.get("HOME", "").startswith("/"):
        raise UserError("HOME: is not set: set it, or CLAUDE_CONFIG_DIR, so that the client's settings can be found")
    return Path(env["HOME"], ".claude")


def managed(folder: Path | None = None) -> list[Path]:
    """The settings that an organisation lays down over all scopes."""
    base = folder or Path(_MANAGED.get(sys.platform, "/etc/claude-code"))
    return [base / "managed-settings.json", *sorted(base.glob("managed-settings.d/*.json"))]
