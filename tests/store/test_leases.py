"""What machines on one PostgreSQL tell each other, where one of them stands still."""

import time

import pytest

from state import leases
from state.leases import Leases


@pytest.mark.database
def test_who_stood_still_within_a_transaction_tries_anew(cluster, tmp_path, monkeypatch):
    with cluster.connect() as db:
        db.execute(f'CREATE DATABASE "leases-{tmp_path.name}"')
    monkeypatch.setitem(leases._OPTIONS, "options", "-c idle_in_transaction_session_timeout=100ms")
    mine, seen = Leases(cluster.url_of(f"leases-{tmp_path.name}")), []
    for name in ("one", "two"):
        mine.begin(name)

    def stand_still(name):
        """Until the server has taken us for gone."""
        seen.append(name)
        pid, deadline = mine._db.info.backend_pid, time.monotonic() + 60
        with cluster.connect() as db:
            while db.execute("SELECT FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchall():
                assert time.monotonic() < deadline

    mine.bury("one", 0, stand_still)
    assert mine.beat("one") is True
    mine.bury("one", 0, seen.append)
    assert (seen, mine.beat("two")) == (["two", "two"], False)
