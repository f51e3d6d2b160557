import time
from datetime import UTC, datetime

import pytest
from calling import cli  # noqa: F401 # a fixture
from git_world import empty, git, repository  # noqa: F401 # fixtures


@pytest.fixture
def noon(monkeypatch):
    """A time zone where it is about noon: the day does not end under the test."""
    monkeypatch.setenv("TZ", f"NOON{datetime.now(UTC).hour - 12:+d}")
    time.tzset()


@pytest.fixture
def well(cli):  # noqa: F811 # the fixture
    """A command that has to exit 0: what it prints."""

    def run(*words):
        done = cli(*words)
        assert done.code == 0, (words, done)
        return done.out

    return run
