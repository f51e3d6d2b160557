"""Two hosts on one PostgreSQL, each with its own network, name, machine id, processes and home; one is killed."""

import os
import time

import postgres
import pytest
from hosts import SWITCH, Host, Switch, missing
from machine import beats_until_taken_over
from postgres import Cluster, programs

from orchestrate.workflow import runs
from orchestrate.workflow.heartbeat import BEAT_S
from orchestrate.workflow.runner import BROKEN
from state.paths import locate

pytestmark = [pytest.mark.slow, pytest.mark.database]
WITHIN_S = 30
AT_ONCE = 3
A_MINUTE = 7
MINUTE_S = 60
AGENTS = """
workflow:
  name: agents
  inputs: [run]
  defaults: {agent: haiku-general}
  steps:
    - {id: a, prompt: "a{run}"}
    - {id: b, prompt: "b{run}", depends_on: a}
    - {id: c, prompt: "c{run}", depends_on: a}
    - {id: d, prompt: "d{run}", depends_on: a}
    - {id: e, prompt: "e{run}", depends_on: [b, c, d]}
"""
THERE = "SELECT to_regclass('orchestrate_engine.agents') WHERE to_regclass('orchestrate_engine.agents') IS NOT NULL"
LET = "SELECT number, extract(epoch FROM begun_at)::float8 FROM orchestrate_engine.agents"
HELD = """
workflow:
  name: held
  steps:
    - {id: a, command: [sh, -c, "echo a >> a.log; mkdir first && echo up > up && sleep 600; echo done"]}
"""


@pytest.fixture(scope="module")
def switch():
    reason = missing() or ("" if programs() else "PostgreSQL is not installed")
    if reason:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    found = Switch()
    yield found
    found.end()


@pytest.fixture(scope="module")
def server(switch):
    """A cluster that listens where the hosts are."""
    before = postgres.SETTINGS["listen_addresses"]
    postgres.SETTINGS["listen_addresses"] = "*"
    try:
        cluster = switch.inside.submit(Cluster).result()
    finally:
        postgres.SETTINGS["listen_addresses"] = before
    with open(f"{cluster.folder}/data/pg_hba.conf", "a") as rules:
        rules.write(f"host all all {SWITCH}/24 scram-sha-256\n")
    switch.inside.submit(_execute, cluster, "SELECT pg_reload_conf()").result()
    yield cluster
    switch.inside.submit(cluster.remove).result()


def _execute(cluster, statement):
    with cluster.connect() as db:
        db.execute(statement)


def _rows(cluster, database, statement):
    with cluster.connect(database) as db:
        return db.execute(statement).fetchall()


def _beats_until_taken_over(cluster, database, host):
    with cluster.connect(database) as db:
        return beats_until_taken_over(db.execute, host.executor)


@pytest.fixture
def hosts(switch, server, tmp_path):
    """Their agents have one desk, and one log."""
    switch.inside.submit(_execute, server, f'CREATE DATABASE "{tmp_path.name}"').result()
    url = server.url_of(tmp_path.name).replace("127.0.0.1", SWITCH)
    made = [Host(tmp_path / name, url, number, switch) for number, name in enumerate(("one", "two"), 1)]
    for host in made:
        host.env["DESK"] = str(made[0].desk)
    yield made
    for host in made:
        host.down()


def begun(host, run):
    return host.begin(host.workflow(AGENTS), run=run)


def wait_for(holds, within_s):
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def peak(log):
    """How many agents worked at once; one that was killed worked until the same one was begun anew."""
    working, most = set(), 0
    for what, step, *_ in log:
        (working.add if what == "start" else working.discard)(step)
        most = max(most, len(working))
    return most


def waits(headers):
    """The steps whose agents had to wait for their turn."""
    told = [(number, event) for number, header in enumerate(headers, 1) for _, event in runs.events(header)]
    return {f"{event['step']}{number}" for number, event in told if "note" in event}


@pytest.mark.timeout(400)
def test_a_host_that_is_killed_is_taken_over_and_the_limit_holds_over_both(hosts, switch, server, tmp_path):
    one, two = hosts
    os.makedirs(one.folder / "private" / ".orchestrator")
    private = locate(str(one.folder / "private"), one.env)
    for pipe in (one.desk / "hold", one.folder / "private" / "up"):
        os.mkfifo(pipe)
    for host, others in ((one, [two.home]), (two, [one.home, private.root])):
        host.env["ORCHESTRATOR_WORKFLOW__AGENTS_AT_ONCE"] = str(AT_ONCE)
        host.up(others)
    ids = [(host.told_by("uname", "-n"), host.told_by("cat", "/etc/machine-id")) for host in hosts]
    assert ids == [("host1", f"{1:032x}"), ("host2", f"{2:032x}")]
    headers = [begun(host, str(number)) for number, host in enumerate(hosts, 1)]
    one.place = private
    kept = one.begin(one.workflow(HELD))
    hold = os.open(one.desk / "hold", os.O_RDWR)
    with one.running(), two.running():
        (one.folder / "private" / "up").read_text()
        wait_for(lambda: len(one.starts()) == 2, 60)
        os.write(hold, b"\n\n")
        wanted = {f"{step}{run}" for step in "bcd" for run in (1, 2)}
        wait_for(lambda: len(one.starts()) >= 2 + AT_ONCE and wanted - set(one.starts()) <= waits(headers), 60)
        assert sorted(one.starts().values()) == [1] * (2 + AT_ONCE)
        flying = {step for step in one.starts() if step.endswith("1")} - {"a1"}
        one.kill()
        os.write(hold, b"\n" * 100)
        assert switch.inside.submit(_beats_until_taken_over, server, tmp_path.name, one).result() * BEAT_S < WITHIN_S
        assert [two.wait(header).status for header in headers] == ["finished"] * 2
        assert one.header(kept).status == "running"  # its folder is on a host that is gone
        one.up()
        with one.running():
            assert one.wait(kept).status == "finished"
    assert (one.folder / "private" / "a.log").read_text() == "a\na\n"
    assert one.starts() == {f"{step}{run}": 1 + (f"{step}{run}" in flying) for step in "abcde" for run in (1, 2)}
    assert peak(one.log()) == AT_ONCE
    assert [two.told(header, "finished") for header in headers] == [dict.fromkeys("abcde", 1)] * 2


@pytest.mark.timeout(400)
def test_a_host_that_is_cut_off_ends_its_agents_before_they_are_begun_elsewhere(hosts):
    one, two = hosts
    os.mkfifo(one.desk / "hold")
    for host in hosts:
        host.up()
    header = begun(one, "1")
    hold = os.open(one.desk / "hold", os.O_RDWR)
    with one.running() as runner, two.running():
        wait_for(lambda: one.starts() == {"a1": 1}, 60)
        assert one.agents()
        one.unplug()
        begun_before = []  # each look at the agents that are cut off
        wait_for(lambda: begun_before.append(one.starts()["a1"]) or not one.agents(), 2 * WITHIN_S)
        assert set(begun_before[:-1]) == {1}
        wait_for(lambda: one.starts() == {"a1": 2}, 2 * WITHIN_S)
        assert one.agents() == []
        assert runner.wait(60) == BROKEN
        os.write(hold, b"\n" * 100)
        assert two.wait(header).status == "finished"
    assert not two.agents()
    one.plug()
    header = begun(one, "2")
    os.write(hold, b"\n" * 100)
    assert one.wait(header).status == "finished"  # by the runner that has followed


@pytest.mark.timeout(400)
def test_as_many_agents_as_may_begin_in_a_minute_on_both(hosts, switch, server, tmp_path):
    one, two = hosts
    for host in hosts:
        host.env["ORCHESTRATOR_WORKFLOW__AGENTS_PER_MINUTE"] = str(A_MINUTE)
        host.up()
    headers = [begun(host, str(number)) for number, host in enumerate(hosts, 1)]
    let = {}

    def are_over():
        is_over = all(two.header(header).is_over for header in headers)
        let.update(switch.inside.submit(_rows, server, tmp_path.name, LET).result())
        return is_over

    with one.running(), two.running():
        wait_for(lambda: switch.inside.submit(_rows, server, tmp_path.name, THERE).result(), 60)
        wait_for(are_over, 180)
    assert [two.header(header).status for header in headers] == ["finished"] * 2
    began = sorted(int(words[3]) / 1e9 for words in one.log() if words[0] == "start")
    asked = sorted(let.values())  # how long an agent takes from there to its beginning is the machine's affair
    assert (len(began), len(asked)) == (10, 10)
    assert all(later - earlier > MINUTE_S for earlier, later in zip(asked, began[A_MINUTE:], strict=False))
    assert asked[A_MINUTE - 1] - asked[0] < MINUTE_S
