import os
import shutil
from pathlib import Path

import pytest
from rig import REPO, World, lacking

TIMEOUT_S = 400  # a real client is a dozen processes, and a busy machine has no time for them
WAIT, PATIENT = "const WAIT_MS = 80 ", "const WAIT_MS = 9000 "  # the client gives a mod 10 s


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(TIMEOUT_S))


@pytest.fixture(scope="session", autouse=True)
def client_runs_here():
    if reason := lacking():
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="module")
def new_world(tmp_path_factory):
    """A world of its own per call, with our hooks in the user's settings unless `words` tell install otherwise."""

    def make(*words, installed=True):
        world = World(tmp_path_factory.mktemp("world"))
        if installed:
            world.orchestrate("install", *words)
        return world

    return make


@pytest.fixture
def world(new_world):
    return new_world()


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    """A copy: at a terminal the client writes the types of its interface into the folder of a mod. And one that waits
    for our hooks on a busy machine too; that the shipped one does not wait long is what the mod's own tests say."""
    folder = tmp_path_factory.mktemp("plugin") / "hooks"
    shutil.copytree(REPO / "hooks", folder, ignore=shutil.ignore_patterns("types", "tsconfig.json"))
    mod = folder / "register.ts"
    shipped = mod.read_text()
    assert shipped.count(WAIT) == 1
    mod.write_text(shipped.replace(WAIT, PATIENT))
    return folder


@pytest.fixture(scope="module")
def with_mod(plugin):
    return ["--plugin-dir", str(plugin)]


@pytest.fixture(scope="session")
def unhooked(tmp_path_factory):
    """A run without any hook of ours: what the model is told then."""
    return World(tmp_path_factory.mktemp("unhooked")).claude("Fix typo in README.md")
