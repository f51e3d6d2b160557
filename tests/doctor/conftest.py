"""A user's machine to look at: a home, a project, the client's settings, and whatever stands for the client."""

import json
import os
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestrate import cli
from orchestrate.doctor import scene
from orchestrate.install import shipped
from state.errors import UserError
from state.paths import locate

TELLS_ITS_VERSION = '#!/bin/sh\necho "2.1.329 (Claude Code)"\n'


class Machine:
    """`look` sees the machine as it is at that moment; `managed` is the folder of its organisation."""

    def __init__(self, home, project, folder):
        self.home = home
        self.project = project
        self.managed = folder / "managed"
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.python = sys.executable

    @property
    def place(self):
        return locate(str(self.project), dict(os.environ))

    def look(self, ask_client=False, **env):
        env = {**os.environ, **env}
        return scene.look(locate(str(self.project), env), env, self.managed, ask_client)

    def settings(self, values, scope="user"):
        """Write one of the client's settings files."""
        path = {
            "user": self.home / ".claude/settings.json",
            "project": self.project / ".claude/settings.json",
            "local": self.project / ".claude/settings.local.json",
            "managed": self.managed / "managed-settings.json",
            "drop-in": self.managed / "managed-settings.d/10-it.json",
            "server": self.home / ".claude/remote-settings.json",
        }[scope]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(values if isinstance(values, str) else json.dumps(values))
        return path

    def install(self, *arguments):
        code, _, err = self.orchestrate("install", *arguments)
        assert code == 0, err

    def plug(self, folder=None, market="here", name="orchestrate", **more):
        """Switch a plugin on whose marketplace is a folder."""
        self.settings({"enabledPlugins": {f"{name}@{market}": True}, **more})
        folder = folder or shipped.folder(shipped.here().home)
        known = {market: {"source": {"source": "directory"}, "installLocation": str(folder)}}
        file = self.home / ".claude/plugins/known_marketplaces.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(known))

    def client(self, script=TELLS_ITS_VERSION):
        """Put a client in PATH."""
        file = self.bin / "claude"
        file.write_text(script)
        file.chmod(0o755)
        return str(file)

    def orchestrate(self, *arguments):
        """Our command in the project: (exit code, stdout, stderr)."""
        done = CliRunner().invoke(cli.root, [*arguments], prog_name="orchestrate")
        if isinstance(done.exception, UserError):
            return done.exception.code, done.stdout, f"orchestrate: {done.exception}\n"
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def machine(home, project, tmp_path, monkeypatch):
    made = Machine(home, project, tmp_path)
    monkeypatch.chdir(project)
    monkeypatch.setenv("PATH", f"{made.bin}{os.pathsep}{os.environ['PATH']}")
    return made


@pytest.fixture
def files():
    """Every path below a folder, with what it holds."""

    def read(folder):
        return {path: path.read_bytes() if path.is_file() else None for path in Path(folder).rglob("*")}

    return read
