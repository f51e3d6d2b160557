"""`orchestrate events sinks`, and the delivery that a command starts by itself."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Condition, Thread

import pytest

from state import locks

REPO = Path(__file__).resolve().parents[2]


class Service(ThreadingHTTPServer):
    daemon_threads = True
    status = 204

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.events = []
        self.came = Condition()
        Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/hook/S3CR3T"

    def types(self):
        return [event["type"] for event in self.events]

    def has(self, count):
        with self.came:
            return self.came.wait_for(lambda: len(self.events) >= count, 60)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        with self.server.came:
            self.server.events.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.server.came.notify_all()
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def service():
    service = Service()
    yield service
    service.shutdown()
    service.server_close()


@pytest.fixture
def sinks(home, service):
    """Write the user's sinks.yaml."""
    path = home / ".orchestrator" / "sinks.yaml"
    path.parent.mkdir(exist_ok=True)

    def write(**more):
        path.write_text(json.dumps({"sinks": [{"name": "chat", "events": ["*"], "url": service.url, **more}]}))
        os.utime(path, (1, 1))

    write()
    return write


@pytest.fixture
def quiet(monkeypatch):
    """No command starts a delivery by itself."""
    monkeypatch.setenv("ORCHESTRATOR_DISABLED", "1")


@pytest.mark.usefixtures("sinks", "quiet")
def test_what_was_told_is_delivered_and_listed(cli, service):
    cli("bug", "log", "boom")
    cli("knowledge", "record", "k", "v")
    found = cli("events", "sinks", "deliver", "--json")
    assert json.loads(found.out)["chat"] == {"state": "idle", "delivered": 3, "dead": 0, "next_at": 0.0, "problem": ""}
    assert service.types() == [
        "orchestration.bug.logged",
        "orchestration.bug.action",
        "orchestration.knowledge.recorded",
    ]
    (row,) = json.loads(cli("events", "sinks", "list", "--json").out)
    assert (row["name"], row["delivered"], row["waiting"], row["dead"]) == ("chat", 3, 0, 0)
    assert "S3CR3T" not in cli("events", "sinks", "list").out
    assert cli("events", "sinks", "deliver").out == "chat: 0 sent, 0 dead, idle\n"


@pytest.mark.usefixtures("quiet")
def test_what_hooks_told_is_delivered_too(sinks, cli, hook, service):
    sinks(events=["orchestration.turn.*"])
    hook({"session_id": "s", "prompt_id": "p", "hook_event_name": "Stop"}, ORCHESTRATOR_DISABLED="")
    assert cli("events", "sinks", "deliver", "--once").code == 0
    assert service.types() == ["orchestration.turn.end"]


@pytest.mark.usefixtures("sinks", "quiet")
def test_a_test_is_one_event_now(cli, service):
    assert cli("events", "sinks", "test", "chat").out.startswith("chat: took event ")
    assert service.types() == ["orchestration.sink.test"]
    service.status = 500
    assert cli("events", "sinks", "test", "chat")[::2] == (1, "orchestrate: chat: answered 500\n")
    failed = cli("events", "sinks", "test", "chat", "--json")
    assert (failed.code, json.loads(failed.out)["outcome"]) == (1, "again")
    assert cli("events", "sinks", "test", "nobody").code == 3


@pytest.mark.usefixtures("quiet")
def test_another_host_has_to_be_listed(sinks, cli, monkeypatch):
    sinks(url="http://192.0.2.1:9/", timeout=0.1)
    closed = cli("events", "sinks", "test", "chat")
    assert (closed.code, "list it in the setting sinks.hosts" in closed.err) == (4, True)
    monkeypatch.setenv("ORCHESTRATOR_SINKS__HOSTS", "hooks.example,192.0.2.1")
    assert cli("events", "sinks", "test", "chat").code == 1


@pytest.mark.usefixtures("sinks", "quiet")
def test_the_dead_are_listed_and_sent_again(cli, service):
    service.status = 404
    cli("bug", "log", "boom")
    cli("events", "sinks", "deliver")
    dead = cli("events", "sinks", "dead")
    assert (len(dead.out.splitlines()), dead.err) == (2, "2 dead\n")
    listed = json.loads(cli("events", "sinks", "dead", "--json").out)
    assert [(one["sink"], one["tries"], one["problem"]) for one in listed] == [("chat", 1, "answered 404")] * 2
    assert [one["letter"] for one in listed] == service.events  # as it was sent
    assert cli("events", "sinks", "dead", "--retry").code == 1
    service.status = 200
    again = cli("events", "sinks", "dead", "--retry")
    assert (again.code, again.out, again.err) == (0, "", "2 taken, 0 dead\n")
    assert json.loads(cli("events", "sinks", "dead", "--json").out) == []


@pytest.mark.usefixtures("quiet")
def test_without_sinks_there_is_nothing_to_do(cli):
    assert cli("events", "sinks", "list") == (0, "", "no sinks: see docs/webhooks.md\n")
    assert cli("events", "sinks", "deliver") == (0, "", "")
    assert cli("events", "sinks", "dead") == (0, "", "0 dead\n")


@pytest.mark.usefixtures("quiet")
def test_a_mistake_in_the_file_is_one_line(cli, home):
    (home / ".orchestrator").mkdir()
    (home / ".orchestrator/sinks.yaml").write_text("sinks:\n  - nam: a\n")
    found = cli("events", "sinks", "list")
    assert (found.code, found.err.splitlines()[0]) == (
        1,
        f"orchestrate: {home}/.orchestrator/sinks.yaml:2: sinks[0].nam: no such key (did you mean name?)",
    )


@pytest.mark.usefixtures("sinks", "quiet")
def test_one_deliverer_at_a_time(cli, place, service, monkeypatch):
    cli("bug", "log", "boom")
    monkeypatch.setenv("ORCHESTRATOR_LOCK_TIMEOUT_S", "0.1")
    with locks.hold(f"{place.state}/sinks.lock", 1):
        assert cli("events", "sinks", "deliver").code == 75
    assert service.events == []
    assert cli("events", "sinks", "deliver").code == 0


@contextmanager
def watched(home):
    """All that is started in this home has ended when it is left."""
    yield
    mark = f"HOME={home}".encode()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (left := _living(mark)):
        time.sleep(0.1)
    assert left == []


def _living(mark):
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if path.parent.name != str(os.getpid()) and mark in path.read_bytes().split(b"\0"):
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def orchestrate(project, *words):
    env = {"HOME": os.environ["HOME"], "PATH": os.environ["PATH"], "PYTHONPATH": str(REPO), "TZ": "UTC"}
    argv = [sys.executable, "-P", "-m", "orchestrate", *words]
    return subprocess.run(argv, cwd=project, env=env, capture_output=True, text=True, timeout=100, check=True)


@pytest.mark.slow
@pytest.mark.usefixtures("sinks")
def test_a_command_that_tells_something_has_it_delivered_and_does_not_wait(project, home, service):
    with watched(home):
        for number in range(3):
            orchestrate(project, "knowledge", "record", f"k{number}", "v")
        assert service.has(3)
    assert [event["entity"]["id"] for event in service.events] == ["k0", "k1", "k2"]


@pytest.mark.slow
def test_without_sinks_nothing_is_started(project, home):
    orchestrate(project, "knowledge", "record", "k", "v")
    assert _living(f"HOME={home}".encode()) == []


@pytest.mark.slow
@pytest.mark.usefixtures("sinks")
def test_a_command_that_only_reads_starts_nothing(project, home, service):
    orchestrate(project, "knowledge", "list")
    assert _living(f"HOME={home}".encode()) == []
    assert service.events == []
