"""A desk on a project of the test's own, whose clock the test sets."""

import time

import pytest
from git_world import empty, git, repository  # noqa: F401 # fixtures
from phase_world import made

from orchestrate.phases import starting, workflows
from orchestrate.phases.desk import Desk
from state.snapshot import DEFAULTS
from state.store import open_store
from state.telling import Teller


@pytest.fixture
def store(place):
    with open_store(place) as store:
        yield store


@pytest.fixture
def heard():
    """What the user was told."""
    return []


@pytest.fixture
def desk(place, project, store, heard):
    teller = Teller("user", "-", "c")
    now = time.time() - 1  # a disk's clock is a tick behind, and what a test writes is of the session
    return Desk(place, store, workflows.load(place), DEFAULTS, teller, now, heard.append, str(project))


@pytest.fixture
def begun(desk):
    """A task with all that the first phase asks of it, whose session has started."""
    desk.store.tasks.create(made(), [])
    return starting.start(desk, "TSK-1")
