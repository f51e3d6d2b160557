"""The commands, called as a user calls them, in a project of their own."""

import json

import pytest
from click.testing import CliRunner

from orchestrate import cli
from state.errors import UserError


@pytest.fixture
def orchestrate(project, monkeypatch):
    """Run a command in the project: (exit code, stdout, stderr)."""
    monkeypatch.chdir(project)

    def call(*arguments, stdin=None):
        done = CliRunner().invoke(cli.root, arguments, input=stdin, prog_name="orchestrate")
        if isinstance(done.exception, UserError):
            return done.exception.code, done.stdout, f"orchestrate: {done.exception}\n"
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout, done.stderr

    return call


@pytest.fixture
def settings(home):
    """The user's settings file, which is not there yet."""
    return home / ".claude/settings.json"


@pytest.fixture
def ours():
    """A settings file's hooks of ours: event -> the groups."""

    def find(path):
        hooks = json.loads(path.read_bytes().decode("utf-8-sig"))["hooks"]
        return {
            event: [group for group in groups if "orchestrate.entry" in json.dumps(group)]
            for event, groups in hooks.items()
        }

    return find
