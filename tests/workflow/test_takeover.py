"""Two machines on one PostgreSQL: what one had in flight when it was killed the other brings to its end."""

import os
import signal
import threading
import time

import psycopg
import pytest
from dbos import DBOSClient
from machine import Machine, beats_until_taken_over

from orchestrate.workflow import heartbeat
from orchestrate.workflow.admission import WINDOW_S, Everywhere, Here, Limits
from orchestrate.workflow.runner import END_IN_HASTE_S
from orchestrate.workflow.sharing import POLL_S
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
    with other.running(), one.running() as runner:
        assert runner.wait(60) == -signal.SIGKILL
        with psycopg.connect(url, autocommit=True) as db:
            assert beats_until_taken_over(db.execute, one.executor) * heartbeat.BEAT_S < WITHIN_S
        assert one.wait(header).status == "finished"
    logs = [(one.project / f"{name}.log").read_text() for name in "abc"]
    assert logs == ["a\n", "b\nb\n", "c\n"]


def test_who_was_buried_is_told_so(url):
    leases, other = Leases(url), Leases(url)
    leases.begin("one")
    other.begin("other")
    taken = []
    other.bury("other", 0.0, taken.append)
    assert taken == ["one"]
    assert (leases.beat("one"), other.beat("other")) == (False, True)
    beating = heartbeat.Heartbeat(url, "one", taken.append, taken.clear)
    assert beating.beat(lambda alone: None) is False


def test_who_cannot_say_that_it_lives_ends_before_it_is_taken_over(url, cluster, monkeypatch):
    """From a thread of its own: the one that beats may hang in a network that swallows all."""
    monkeypatch.setattr(heartbeat, "FENCED_S", 0.3)
    monkeypatch.setattr(heartbeat, "_LOOK_S", 0.05)
    is_lost = threading.Event()
    heartbeat.Heartbeat(url, "one", lambda name: [], is_lost.set).begin()
    assert is_lost.wait(60)
    assert heartbeat.FENCED_S + END_IN_HASTE_S < heartbeat.DEAD_S
    assert heartbeat.DEAD_S + 2 * heartbeat.BEAT_S + 2 * POLL_S < WITHIN_S


QUEUED = """
workflow:
  name: queued
  steps:
    - {id: a, command: [sh, -c, "echo $HOME > up; read x < go"]}
"""


@pytest.mark.timeout(120)
def test_what_there_is_no_room_for_on_one_machine_another_works_on(tmp_path, url):
    one, other = (Machine(tmp_path / name, url, "60") for name in ("one", "other"))
    for machine in (one, other):
        machine.env["ORCHESTRATOR_WORKFLOW__RUNS_AT_ONCE"] = "1"
    for name in ("up", "go"):
        os.mkfifo(one.project / name)
    up, go = (os.open(one.project / name, os.O_RDWR) for name in ("up", "go"))
    headers = [one.begin(one.workflow(QUEUED)) for _ in range(3)]
    with one.running(), other.running(), os.fdopen(up, "rb", buffering=0) as homes:
        working = {homes.readline() for _ in range(2)}
        assert working == {f"{machine.home}\n".encode() for machine in (one, other)}
        os.write(go, b"\n")
        assert homes.readline() in working
        os.write(go, b"\n\n")
        assert [one.wait(header).status for header in headers] == ["finished"] * 3
    os.close(go)
    assert [one.told(header, "started") for header in headers] == [{"a": 1}] * 3


def test_a_machine_s_earlier_life_goes_on_there_and_not_elsewhere(tmp_path, url):
    one, other = (Machine(tmp_path / name, url, "60") for name in ("one", "other"))
    for name in ("up", "go"):
        os.mkfifo(one.project / name)
    up, go = (os.open(one.project / name, os.O_RDWR) for name in ("up", "go"))
    header = one.begin(one.workflow(QUEUED))
    with other.running(), os.fdopen(up, "rb", buffering=0) as homes:
        for _ in range(2):
            with one.running():
                assert homes.readline() == f"{one.home}\n".encode()
            # Where the engine itself puts what is to go on: every machine could take it from there.
            DBOSClient(system_database_url=url).resume_workflow(header.durable_id)
            time.sleep(2.5)  # of the other one, which looks every second or two
        with one.running():
            homes.readline()
            os.write(go, b"\n\n\n")
            assert one.wait(header).status == "finished"
    os.close(go)


@pytest.mark.timeout(120)
def test_what_the_engine_was_about_to_go_on_with_on_a_machine_that_is_gone_is_taken_over(tmp_path, url):
    """That one was killed, and killed once more before it had put into its own queue what the engine takes up."""
    one, other = (Machine(tmp_path / name, url, "60") for name in ("one", "other"))
    for name in ("up", "go"):
        os.mkfifo(one.project / name)
    header = one.begin(one.workflow(QUEUED))
    with one.running():
        assert (one.project / "up").read_text() == f"{one.home}\n"
    DBOSClient(system_database_url=url).resume_workflow(header.durable_id)
    with other.running(first="from orchestrate.workflow import heartbeat; heartbeat.DEAD_S = 1.0"):
        assert (one.project / "up").read_text() == f"{other.home}\n"
        (one.project / "go").write_text("on\n")
        assert one.wait(header).status == "finished"


@pytest.mark.parametrize(("limits", "admitted"), [((2, 0), 2), ((0, 3), 3), ((5, 1), 1), ((0, 0), 4)])
def test_as_many_agents_as_may_work_or_begin_on_all_machines(url, limits, admitted):
    machines = {name: Leases(url) for name in ("one", "other")}
    for name, leases in machines.items():
        leases.begin(name)
    got = [leases.admit(name, *limits, WINDOW_S) for name, leases in machines.items() for _ in range(2)]
    assert len([number for number in got if number is not None]) == admitted


def test_an_agent_s_end_makes_room_and_so_does_its_machine_s(url):
    one, other = Leases(url), Leases(url)
    one.begin("one")
    other.begin("other")
    number = one.admit("one", 1, 0, WINDOW_S)
    assert other.admit("other", 1, 0, WINDOW_S) is None
    assert one.over([number])
    assert other.admit("other", 1, 0, WINDOW_S)
    one.bury("one", 0.0, lambda name: None)
    assert other.admit("other", 1, 0, WINDOW_S) is None  # who was buried begins no more
    assert one.admit("one", 1, 0, WINDOW_S)


def test_what_could_not_be_told_for_want_of_the_database_is_told_later(cluster, url):
    leases = Leases(url)
    leases.begin("one")
    gate = Everywhere(url, "one", Limits(1, 0))
    number = gate.admit()
    cluster.stop()
    gate.over(number)
    assert gate.admit() is None
    cluster.start()
    assert gate.admit() not in (None, number)


def test_one_runner_keeps_to_the_limits_and_its_next_life_knows_what_began(tmp_path):
    path = str(tmp_path / "begun.json")
    gate = Here(path, Limits(2, 3))
    assert [gate.admit() for _ in range(3)] == [0, 0, None]
    gate.over(0)
    assert gate.admit() == 0
    gate.over(0)
    assert gate.admit() is None  # the third of this minute has begun
    assert Here(path, Limits(2, 3)).admit() is None
    assert Here(path, Limits(2, 4)).admit() == 0
