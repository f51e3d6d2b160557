"""Two machines on one PostgreSQL: what one had in flight when it was killed the other brings to its end."""

import signal
import time

import pytest
from machine import Machine

from orchestrate.workflow import heartbeat
from state.leases import Leases

pytestmark = [pytest.mark.slow, pytest.mark.database]
WITHIN_S = 30
HELD = """
workflow:
  name: held
  steps:
    - {id: a, command: [sh, -c, "echo a >> a.log"]}
    - {id: b, command: [sh, -c, "echo b >> b.log; mkdir first && sh kill.sh && sleep 60; echo done"], depends_on: [a]}
    - {id: c, command: [sh, -c, "echo c >> c.log"], depends_on: [b]}
"""


@pytest.fixture
def url(cluster, tmp_path):
    with cluster.connect() as db:
        db.execute(f'CREATE DATABASE "{tmp_path.name}"')
    return cluster.url_of(tmp_path.name)


@pytest.mark.timeout(200)
def test_a_machine_that_is_killed_is_taken_over_in_time(tmp_path, url):
    one, other = Machine(tmp_path / "one", url, "60"), Machine(tmp_path / "other", url, "60")
    sign = f"{one.user}/engine/runner.json"
    (one.project / "kill.sh").write_text(f"kill -9 $(sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/' {sign})")
    header = one.begin(one.workflow(HELD))
    with other.runner() as helper, one.runner() as runner:
        assert runner.wait(60) == -signal.SIGKILL
        killed = time.monotonic()
        one.wait(header)
        took_s = time.monotonic() - killed
        helper.kill()
    assert one.header(header).status == "finished"
    logs = [(one.project / f"{name}.log").read_text() for name in "abc"]
    assert logs == ["a\n", "b\nb\n", "c\n"]
    assert took_s < WITHIN_S


def test_who_was_buried_is_told_so(url):
    leases, other = Leases(url), Leases(url)
    leases.begin("one")
    other.begin("other")
    taken = []
    other.bury("other", 0.0, taken.append)
    assert taken == ["one"]
    assert (leases.beat("one"), other.beat("other")) == (False, True)
    beating = heartbeat.Heartbeat(url, "one", taken.append)
    assert beating.beat() is False
