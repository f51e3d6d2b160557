import os

import pytest
from payloads import SESSION

from state.paths import session_dir


@pytest.fixture
def folder(place):
    """Of the session that the payloads are of."""
    path = session_dir(place, SESSION)
    os.makedirs(path)
    return path
