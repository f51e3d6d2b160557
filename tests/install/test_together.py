"""Two installs at once, and an install while somebody else writes the file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrate.install import carry_out, plan, receipts, scopes, shipped
from state import locks
from state.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
RUNS = shipped.here()
HOOKS = shipped.groups(RUNS)


def start(project, *arguments):
    env = {**os.environ, "PYTHONPATH": str(ROOT), "ORCHESTRATOR_LOCK_TIMEOUT_S": "60"}
    command = [sys.executable, "-m", "orchestrate", *arguments]
    return subprocess.Popen(command, cwd=project, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.slow
def test_two_installs_at_once_are_one(project, settings):
    settings.parent.mkdir()
    settings.write_bytes(b'{\n  "a": 1\n}\n')
    for child in [start(project, "install") for _ in range(2)]:
        assert (child.communicate()[1], child.returncode) == (b"", 0)
    assert json.loads(settings.read_bytes()) == {"a": 1, "hooks": {event: [group] for event, group in HOOKS.items()}}
    for child in [start(project, "uninstall") for _ in range(2)]:
        assert (child.communicate()[1], child.returncode) == (b"", 0)
    assert settings.read_bytes() == b'{\n  "a": 1\n}\n'


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_one_waits_for_the_other_and_says_for_whom(command, orchestrate, place, settings, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_LOCK_TIMEOUT_S", "0.1")
    with locks.hold(receipts.book(place.user).lock, 1):
        code, out, err = orchestrate(command)
    assert (code, out) == (75, "")
    assert f"by pid {os.getpid()} " in err
    assert not settings.exists()


def test_what_somebody_wrote_since_we_looked_is_not_overwritten(place, settings):
    settings.parent.mkdir()
    settings.write_bytes(b"{}")
    book = receipts.book(place.user)
    target = scopes.target("user", place.root, os.environ)
    planned = plan.install(target, book, HOOKS, shipped.folder(RUNS.home) / "agents")
    settings.write_bytes(b'{"theirs": 1}')
    with pytest.raises(UserError, match="was changed by somebody else just now: run this again"):
        carry_out.install(planned, book, RUNS)
    assert settings.read_bytes() == b'{"theirs": 1}'
    carry_out.uninstall(plan.uninstall(target, book, shipped.folder(RUNS.home) / "agents"), book)
    assert settings.read_bytes() == b'{"theirs": 1}'


def test_a_receipt_that_cannot_be_read_costs_the_bytes_not_the_values(orchestrate, settings, home):
    settings.parent.mkdir()
    settings.write_bytes(b'{"hooks": { }}')
    orchestrate("install")
    receipt = next((home / ".orchestrator/install").glob("*/receipt.json"))
    receipt.write_bytes(b'{"torn')
    orchestrate("uninstall")
    assert settings.read_bytes() == b"{}"
    assert list((home / ".orchestrator/install").glob("*/*")) == []
