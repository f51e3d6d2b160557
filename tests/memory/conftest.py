"""A store on every engine, and events for it."""

import pytest
from git_world import empty, git, repository  # noqa: F401 # fixtures

from state.store import Event, open_store

AT = "2026-11-21T10:00:00.000Z"


@pytest.fixture
def store(place, dialect):
    with open_store(place) as store:
        yield store


@pytest.fixture
def event():
    def make(key, payload="{}", ts=AT, session="s", task=None, kind="note.told", entity=("note", "n")):
        return Event(key, ts, kind, session, None, "user", *entity, payload, task)

    return make
