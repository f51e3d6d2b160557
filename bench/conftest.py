"""What the benchmarks measure: a copy of the package with its bundle, so that no edit and no other run disturbs it."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from gates import figures

from orchestrate import bundle, hookline
from orchestrate.measure import cases

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))
from postgres import cluster, dialect, pytest_sessionfinish  # noqa: F401  for all

PACKAGES = ("orchestrate", "routing", "state")
LIMIT = "LIMIT_S = 2\n"
LEFT_OUT = shutil.ignore_patterns("__pycache__", "_hot")
WRAPPER = """

_unwrapped = {name}


def {name}(*arguments, **options):
    {body}
    return _unwrapped(*arguments, **options)
"""


def pytest_xdist_auto_num_workers():
    """A benchmark is alone on the machine."""
    return 0


def pytest_collection_modifyitems(items):
    """On a busy machine a figure is measured anew, and that slowly."""
    for item in items:
        item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Nothing a benchmark does reaches the user's home, and nothing of the user's environment reaches it."""
    for name in list(os.environ):
        if name.startswith(("ORCHESTRATOR_", "CLAUDE", "LC_")) or name in ("BATCH_MODE", "API_REQUEST", "PYTHONPATH"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LANG", "C.UTF-8")
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """The folder of a copy that nobody changes; its hooks have time, for one that gives up leaves no record."""
    folder = tmp_path_factory.mktemp("package")
    source = Path(hookline.here()[1])
    for name in PACKAGES:
        shutil.copytree(source / name, folder / name, ignore=LEFT_OUT)
    entry = folder / "orchestrate/entry.py"
    assert entry.read_text().count(LIMIT) == 1
    entry.write_text(entry.read_text().replace(LIMIT, "LIMIT_S = 100\n"))
    assert bundle.build(str(folder))
    assert bundle.is_current(str(folder))
    return folder


@pytest.fixture
def box(package, tmp_path):
    return cases.sandbox(tmp_path / "box", str(package))


@pytest.fixture
def slowed(package, tmp_path):
    """Make a sandbox whose package runs `body` before each call of a function of one of its modules."""

    def make(module, name, body):
        copy = tmp_path / "slowed"
        shutil.copytree(package, copy)
        with open(copy / module, "a") as source:
            source.write(WRAPPER.format(name=name, body=body))
        assert bundle.build(str(copy))
        return cases.sandbox(tmp_path / "slowed box", str(copy))

    return make


def pytest_terminal_summary(terminalreporter):
    """The gates' figures: pytest-benchmark's own table shows times only."""
    width = max(map(len, figures), default=0)
    terminalreporter.section("gates")
    for name, (value, limit) in figures.items():
        terminalreporter.write_line(f"{name:{width}}  {value:8.3f}  limit {limit:7.2f}  {value / limit:4.0%} of it")
