import pytest
from calling import cli  # noqa: F401 # a fixture
from git_world import empty, git, repository  # noqa: F401 # fixtures


@pytest.fixture
def well(cli):  # noqa: F811 # the fixture
    """A command that has to exit 0: what it prints."""

    def run(*words):
        done = cli(*words)
        assert done.code == 0, (words, done)
        return done.out

    return run
