"""What every test stands on: a home of its own, a temporary project and the real hook."""

import gc
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torn_coverage
from patient import patient
from postgres import cluster, dialect, pytest_sessionfinish  # noqa: F401  for all

# Started in the background, or by nohup, we would hand ignored signals down to what the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

REPO = Path(__file__).resolve().parent.parent
OURS = ("ORCHESTRATOR_", "CLAUDE", "ANTHROPIC", "XDG_")
SWITCHES = (
    "AI_AGENT",
    "API_REQUEST",
    "BATCH_MODE",
    "CODESPACES",
    "GITHUB_CODESPACES",
    "GITPOD_WORKSPACE_ID",
    "NO_COLOR",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPATH",
)

NUMBERS = itertools.count()  # of a process; each worker has a folder of its own

# What is collected stays until the end, and is a lot: it is not searched for garbage while it is made, nor ever after.
gc.disable()


def pytest_xdist_auto_num_workers(config):
    """Only all tests together are worth starting workers for."""
    is_all = config.args == config.getini("testpaths") and not config.option.keyword
    return os.cpu_count() if is_all else 0


def pytest_collection_finish():
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True, trylast=True)  # within what pytest-cov does: all tests are done, nothing is combined
def pytest_runtestloop(session):
    done = yield
    if session.config.pluginmanager.hasplugin("_cov") and not hasattr(session.config, "workerinput"):
        torn_coverage.drop(session.config.rootpath)
    return done


@pytest.fixture
def tmp_path(tmp_path_factory, request):
    """Numbered by us: pytest's own looks for the next number through all the folders there are."""
    name = re.sub(r"\W", "_", request.node.name)[:30]
    return tmp_path_factory.mktemp(f"{name}-{next(NUMBERS)}", numbered=False)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Nothing a test does reaches the user's home, and nothing of the user's environment reaches a test."""
    for name in list(os.environ):
        if name.startswith(OURS) or name in SWITCHES:
            monkeypatch.delenv(name)
    if commands := sys.modules.get("orchestrate.commands.here"):
        commands.told_in()  # what a call within this process has left that did not come by the program's own entry
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("PATH", os.pathsep.join(_without_client(tmp_path)))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()  # for this process too, wherever the machine stands
    return folder


def _without_client(tmp_path):
    """PATH without a client of the user's: no test may start one."""
    for number, folder in enumerate(os.environ.get("PATH", os.defpath).split(os.pathsep)):
        if not os.path.exists(os.path.join(folder, "claude")):
            yield folder
            continue
        rest = tmp_path / f"path-{number}"
        rest.mkdir()
        for name in os.listdir(folder):
            if name != "claude":
                (rest / name).symlink_to(os.path.join(folder, name))
        yield str(rest)


@pytest.fixture
def project(tmp_path):
    """A folder that is a project: it holds a `.git`."""
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    return root


@pytest.fixture
def place(project):
    from state.paths import locate

    return locate(str(project), os.environ)


@pytest.fixture
def hook(project):
    """Send one payload (a dict, or raw bytes) to the installed hook command: (exit code, stdout, stderr)."""
    from orchestrate.hookline import command

    line = patient(command(sys.executable, str(REPO)))

    def send(payload, **env):
        raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode() + b"\n"
        shell = ["/bin/sh", "-c", line]
        done = subprocess.run(
            shell, input=raw, capture_output=True, cwd=project, env={**os.environ, **env}, timeout=60, check=False
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    return send
