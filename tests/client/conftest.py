import os
import shutil

import pytest
from rig import REPO, World, lacking


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
    """A copy: at a terminal the client writes the types of its interface into the folder of a mod."""
    folder = tmp_path_factory.mktemp("plugin") / "hooks"
    shutil.copytree(REPO / "hooks", folder, ignore=shutil.ignore_patterns("types", "tsconfig.json"))
    return folder


@pytest.fixture(scope="module")
def with_mod(plugin):
    return ["--plugin-dir", str(plugin)]


@pytest.fixture(scope="session")
def unhooked(tmp_path_factory):
    """A run without any hook of ours: what the model is told then."""
    return World(tmp_path_factory.mktemp("unhooked")).claude("Fix typo in README.md")
