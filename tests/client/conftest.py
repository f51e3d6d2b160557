import os

import pytest
from rig import World, lacking


@pytest.fixture(scope="session", autouse=True)
def client_runs_here():
    if reason := lacking():
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="module")
def new_world(tmp_path_factory):
    """A world of its own per call, with our hooks in the user's settings unless told otherwise."""

    def make(installed=True):
        world = World(tmp_path_factory.mktemp("world"))
        if installed:
            world.orchestrate("install")
        return world

    return make


@pytest.fixture(scope="session")
def unhooked(tmp_path_factory):
    """A run without any hook of ours: what the model is told then."""
    return World(tmp_path_factory.mktemp("unhooked")).claude("Fix typo in README.md")
