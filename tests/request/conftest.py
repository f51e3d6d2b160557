import os

import psutil
import pytest
from payloads import SESSION

from state.paths import session_dir


@pytest.fixture
def folder(place):
    """Of the session that the payloads are of."""
    path = session_dir(place, SESSION)
    os.makedirs(path)
    return path


@pytest.fixture
def compilers():
    """Wait for the compilers that the test's prompts have started, which are children of its process: how they ended.
    It has other children, which are no concern of theirs: a database, or what an earlier test has left."""
    before = _children()
    return lambda: [os.waitpid(pid, 0)[1] for pid in _children() - before]


def _children():
    return {child.pid for child in psutil.Process().children()}
