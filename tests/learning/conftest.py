import pytest
from made_talk import Talk


@pytest.fixture
def talk(project, home, place):
    """A session that has begun."""
    return Talk(project, home)
