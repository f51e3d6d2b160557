"""The store of a project of the test's own, on every engine that there is."""

import pytest
from work_world import queue  # noqa: F401  a fixture

from state.store import open_store, opening


@pytest.fixture
def store(place, dialect):
    with open_store(place) as store:
        yield store


@pytest.fixture
def schema(place, cluster, monkeypatch):
    """A connection of the test's own to the project's schema."""
    monkeypatch.setenv("ORCHESTRATOR_STORE__URL", cluster.url)
    open_store(place).close()
    with cluster.connect() as db:
        db.execute(f'SET search_path = "{opening.schema(place)}"')
        yield db
