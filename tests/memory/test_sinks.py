"""Events on their way to sinks, over a real service on loopback and real programs."""

import json
import os
import subprocess
import sys
import time
from email.utils import formatdate
from pathlib import Path

import orjson
import pytest
from post_office import PostOffice

from orchestrate.memory import sink_address, sink_letter, sink_send, sinks
from orchestrate.memory.sink_address import Refused, allowed
from orchestrate.memory.sinks import IDLE, STUCK, WAITING, Office, Pace
from state import sinks_file
from state.store import Event
from state.telling import Teller

REPO = Path(__file__).resolve().parents[2]
TELLER = Teller("user", "s-1", "c")
AT_ONCE = Pace(0.01, 0.02)
NOWHERE = 9  # the port of "discard", where nobody listens


@pytest.fixture
def post():
    made = []

    def make(*answers):
        made.append(PostOffice(*answers))
        return made[-1]

    yield make
    for office in made:
        office.end()


@pytest.fixture
def store(place, dialect):
    from state.store import open_store

    with open_store(place) as store:
        yield store


@pytest.fixture
def sink(place):
    """A sink as the file has it, older than every event."""

    def make(url=None, **more):
        path = Path(place.user, "sinks.yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        to = {"url": url} if url else {}
        path.write_text(json.dumps({"sinks": [{"name": "chat", "events": ["*"], "timeout": 50, **to, **more}]}))
        os.utime(path, (1, 1))
        (found,) = sinks_file.load(place, "").sinks
        return found

    return make


@pytest.fixture
def office(store, place):
    def make(hosts="", **env):
        way = sinks.way(place, hosts, {"PATH": os.environ["PATH"], **env})
        return Office(store, place, TELLER, way, AT_ONCE)

    return make


def tell(store, *kinds, **payload):
    told = [TELLER.event(f"orchestration.{kind}", ("task", "TSK-001"), payload, "TSK-001") for kind in kinds]
    store.emit(told)
    return [event.id for event in told]


def test_events_come_in_their_order_and_once(post, store, sink, office):
    letters = post()
    ids = tell(store, "task.created", "phase.plan.start", "phase.plan.end")
    done = sinks.deliver(office(), [sink(letters.url)], is_once=False)
    assert (done["chat"].state, done["chat"].delivered, done["chat"].dead) == (IDLE, 3, 0)
    assert letters.keys == ids
    sinks.deliver(office(), [sink(letters.url)], is_once=False)
    assert len(letters.letters) == 3
    tell(store, "task.updated")
    sinks.deliver(office(), [sink(letters.url)], is_once=False)
    assert letters.types[3:] == ["task.updated"]
    assert store.sinks.find("chat").delivered == 4


def test_a_letter_is_the_whole_event(post, store, sink, office, place):
    letters = post()
    (event_id,) = tell(store, "task.created", title="Größe", count=3)
    sinks.deliver(office(), [sink(letters.url)], is_once=True)
    ((headers, body),) = letters.letters
    assert body.pop("ts").endswith("Z")
    assert body == {
        "id": event_id,
        "type": "orchestration.task.created",
        "project": place.project,
        "session": "s-1",
        "prompt_id": None,
        "actor": "user",
        "entity": {"type": "task", "id": "TSK-001"},
        "task": "TSK-001",
        "correlation": "c",
        "payload": {"title": "Größe", "count": 3},
    }
    assert (headers["content-type"], headers["idempotency-key"]) == ("application/json", event_id)
    assert headers["x-orchestrate-event"] == "orchestration.task.created"


def test_only_what_a_sink_wants_is_sent(post, store, sink, office):
    letters = post()
    tell(store, "task.created", "phase.plan.start", "bug.logged", "phase.plan.end", "sink.dead_letter")
    wanted = sink(letters.url, events=["orchestration.phase.*", "*.logged"])
    sinks.deliver(office(), [wanted], is_once=True)
    assert letters.types == ["phase.plan.start", "bug.logged", "phase.plan.end"]
    assert store.sinks.behind(store.sinks.find("chat").told_seq) == 0


def test_a_new_sink_hears_of_what_comes_after_it(post, store, sink, office):
    letters = post()
    old = TELLER.event("orchestration.task.created", ("task", "x"), {})._replace(
        id="old", ts="2020-01-01T00:00:00.000Z"
    )
    late = old._replace(id="late")
    store.emit([old])
    (event_id,) = tell(store, "task.updated")
    store.emit([late])
    new = sink(letters.url)
    os.utime(new.path)
    os.utime(new.path, (time.time() - 3600,) * 2)
    sinks.deliver(office(), [new], is_once=True)
    assert letters.keys == [event_id, "late"]


@pytest.mark.parametrize("answer", [500, 502, 429, 408, "close"])
def test_what_may_pass_is_tried_again_with_the_same_key(answer, post, store, sink, office):
    letters = post(answer, answer)
    (event_id,) = tell(store, "task.created")
    done = sinks.deliver(office(), [sink(letters.url)], is_once=False)
    assert (done["chat"].delivered, letters.keys) == (1, [event_id] * 3)


@pytest.mark.parametrize("answer", ["hang", "drip"])
def test_one_that_does_not_answer_is_left_when_its_time_is_up(answer, post, store, sink, office):
    letters = post(*[answer] * 20)
    (event_id,) = tell(store, "task.created")
    before = time.monotonic()
    left = sinks.deliver(office(), [sink(letters.url, timeout=0.5)], is_once=True)["chat"]
    assert time.monotonic() - before < 30  # it would not have answered for a minute
    assert (left.state, left.delivered, left.problem.partition(":")[0]) == (WAITING, 0, "TimeoutError")
    letters.answers.clear()
    assert sinks.deliver(office(), [sink(letters.url)], is_once=False)["chat"].delivered == 1
    assert set(letters.keys) == {event_id}


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_obeyed(form, post, store, sink, office):
    after = {"seconds": "3600", "date": formatdate(time.time() + 3600, usegmt=True)}
    letters = post((429, {"retry-after": after[form]}))
    tell(store, "task.created", "task.updated")
    wanted = sink(letters.url)
    for _ in range(2):
        found = sinks.deliver(office(), [wanted], is_once=True)["chat"]
        assert (found.state, found.problem) == (WAITING, "answered 429")
        assert 3500 < found.next_at - time.time() <= 3600
    assert len(letters.letters) == 1


@pytest.mark.parametrize("after", ["", "soon", "-5", "9" * 400, "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_a_retry_after_that_says_nothing_sensible_stops_nobody(after, post, store, sink, office):
    letters = post((503, {"retry-after": after}))
    tell(store, "task.created")
    found = sinks.deliver(office(), [sink(letters.url)], is_once=True)["chat"]
    assert found.next_at - time.time() <= 3600


def test_what_fails_too_often_is_put_aside_and_the_next_goes_on(post, store, sink, office):
    letters = post(500, 500, 500)
    lost, kept = tell(store, "task.created", "task.updated")
    wanted = sink(letters.url, retries=2)
    done = sinks.deliver(office(), [wanted], is_once=False)
    assert (done["chat"].delivered, done["chat"].dead) == (1, 1)
    assert letters.keys == [lost, lost, lost, kept]
    (letter,) = store.sinks.dead()
    assert (letter.sink, letter.event_id, letter.tries, letter.problem) == ("chat", lost, 3, "answered 500")
    assert sinks.retry_dead(office(), [wanted]) == (1, 0)
    assert (store.sinks.dead(), letters.keys[-1]) == ([], lost)
    told = [event.type for _, event in store.sinks.after(0, 100) if event.type.startswith(sinks.OWN)]
    assert told == ["orchestration.sink.dead_letter", "orchestration.sink.revived"]
    sinks.deliver(office(), [wanted], is_once=False)
    assert len(letters.letters) == 5


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (404, "answered 404"),
        (401, "answered 401"),
        (
            (302, {"location": "http://169.254.169.254/latest"}),
            "answered 302: redirects to 169.254.169.254 are not followed",
        ),
        ((307, {}), "answered 307: redirects to elsewhere are not followed"),
    ],
)
def test_what_no_try_changes_is_put_aside_at_once(answer, problem, post, store, sink, office):
    letters = post(answer)
    tell(store, "task.created", "task.updated")
    done = sinks.deliver(office(), [sink(letters.url)], is_once=False)
    (letter,) = store.sinks.dead()
    assert (done["chat"].dead, len(letters.letters), letter.tries) == (1, 2, 1)
    assert letter.problem.startswith(problem)


def test_dead_letters_that_are_not_taken_stay(post, store, sink, office):
    letters = post(404, 500)
    tell(store, "task.created")
    wanted = sink(letters.url)
    sinks.deliver(office(), [wanted], is_once=False)
    assert sinks.retry_dead(office(), [wanted]) == (0, 1)
    assert sinks.retry_dead(office(), []) == (0, 1)
    (letter,) = store.sinks.dead()
    assert (letter.tries, letter.problem) == (2, "there is no such sink")


def test_a_refused_connection_waits_for_the_next_time(store, sink, office):
    tell(store, "task.created")
    found = sinks.deliver(office(), [sink(f"http://127.0.0.1:{NOWHERE}/")], is_once=True)["chat"]
    assert (found.state, found.problem.partition(":")[0]) == (WAITING, "ConnectionRefusedError")


def test_one_sink_that_fails_holds_no_other_up(post, store, sink, office):
    good, bad = post(), post(*[500] * 50)
    tell(store, "task.created", "task.updated")
    wanted = sink(bad.url, retries=2)
    done = sinks.deliver(office(), [wanted, wanted._replace(name="good", url=good.url)], is_once=False)
    assert (done["good"].delivered, done["chat"].dead) == (2, 2)


class TestWhereItLeads:
    LOOPBACK = ("127.0.0.1", "127.8.8.8", "::1", "localhost", "::ffff:127.0.0.1")
    ELSEWHERE = ("10.0.0.7", "192.168.1.1", "169.254.169.254", "8.8.8.8", "0.0.0.0", "::", "fe80::1", "::ffff:10.0.0.7")

    @pytest.mark.parametrize("host", LOOPBACK)
    def test_this_machine_is_open(self, host):
        assert allowed(host, 80, frozenset())

    @pytest.mark.parametrize("host", ELSEWHERE)
    def test_elsewhere_is_closed_until_it_is_listed(self, host):
        with pytest.raises(Refused):
            allowed(host, 80, frozenset())

    def test_a_listed_address_is_open(self):
        assert allowed("10.0.0.7", 80, sink_address.listed(" 10.0.0.7 ,x.example")) == ["10.0.0.7"]

    @pytest.mark.parametrize("address", ["169.254.169.254", "0.0.0.0", "224.0.0.1"])
    def test_a_listed_name_does_not_lead_to_what_no_service_has(self, address, monkeypatch):
        monkeypatch.setattr("socket.getaddrinfo", lambda *a, **k: [(2, 1, 6, "", (address, 80))])
        with pytest.raises(Refused):
            allowed("hooks.example", 80, frozenset({"hooks.example"}))

    def test_a_name_that_leads_here_and_elsewhere_is_closed(self, monkeypatch):
        found = [(2, 1, 6, "", ("127.0.0.1", 80)), (2, 1, 6, "", ("10.0.0.7", 80))]
        monkeypatch.setattr("socket.getaddrinfo", lambda *a, **k: found)
        with pytest.raises(Refused):
            allowed("two.localhost", 80, frozenset())

    @pytest.mark.parametrize(
        "host", ["collector.example", "localhost.example", "notlocalhost", "x" * 70, "10.0.0.7", "0x0a000007"]
    )
    def test_what_is_not_listed_costs_no_look_up(self, host, monkeypatch):
        import socket

        def no_look_up(asked, port, *args, flags=0, **more):
            assert flags & socket.AI_NUMERICHOST, f"{asked} was looked up"
            return real(asked, port, *args, flags=flags, **more)

        real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", no_look_up)
        with pytest.raises(Refused, match="is not this machine: list it"):
            allowed(host, 80, frozenset({"hooks.example"}))

    def test_a_name_is_looked_up_once(self, post, store, sink, office, monkeypatch):
        """A second look-up could lead elsewhere."""
        letters = post()
        asked = []

        def look_up(host, port, *args, **kwargs):
            if host != "hooks.example" or kwargs["flags"]:
                return real(host, port, *args, **kwargs)
            asked.append(host)
            return real("127.0.0.1" if len(asked) == 1 else "10.0.0.7", port, *args, **kwargs)

        import socket

        real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        tell(store, "task.created")
        sinks.deliver(office("hooks.example"), [sink(f"http://hooks.example:{letters.server_port}/")], is_once=True)
        assert (len(letters.letters), asked) == (1, ["hooks.example"])

    def test_what_may_not_be_sent_is_no_try_and_nothing_is_lost(self, post, store, sink, office):
        letters = post()
        tell(store, "task.created")
        closed = sinks.deliver(office(), [sink("http://10.0.0.7/")], is_once=False)["chat"]
        assert (closed.state, store.sinks.find("chat").tries) == (STUCK, 0)
        assert closed.problem == (
            "10.0.0.7: is not this machine: list it in the setting sinks.hosts to send events there"
        )
        assert sinks.deliver(office(), [sink(letters.url)], is_once=False)["chat"].delivered == 1


def test_secrets_come_from_the_environment_and_go_nowhere_else(post, store, sink, office):
    letters = post(403)
    tell(store, "task.created", note="sk-ant-REDACTED")
    wanted = sink("env:HOOK_URL", headers={"Authorization": "HOOK_TOKEN"})
    assert "HOOK_URL is not set" in sinks.deliver(office(), [wanted], is_once=True)["chat"].problem
    lacking = sinks.deliver(office(HOOK_URL=letters.url), [wanted], is_once=True)["chat"]
    assert (lacking.state, lacking.problem) == (
        STUCK,
        "the variable HOOK_TOKEN for the header Authorization is not set",
    )
    sinks.deliver(office(HOOK_URL=letters.url, HOOK_TOKEN="Bearer t0psecret"), [wanted], is_once=True)
    ((headers, body),) = letters.letters
    assert headers["authorization"] == "Bearer t0psecret"
    assert body["payload"]["note"] == "[redacted:anthropic-key]"
    assert "t0psecret" not in repr([store.sinks.dead(), *store.sinks.after(0, 100), store.sinks.find("chat")])


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "ä", "a\0"])
def test_a_header_s_value_ends_no_header(value, store, sink, office):
    tell(store, "task.created")
    wanted = sink(f"http://127.0.0.1:{NOWHERE}/", headers={"X-Token": "TOKEN"})
    found = sinks.deliver(office(TOKEN=value), [wanted], is_once=True)["chat"]
    assert (found.state, found.problem) == (STUCK, "the variable TOKEN holds what no header may hold")


@pytest.mark.parametrize("evil", ["x\r\nX-Evil: 1", "ä" * 50, "a b", "\x1b[2J"])
def test_nothing_of_an_event_ends_a_header(evil, post, store, sink, office):
    letters = post()
    event = TELLER.event("custom", ("task", evil), {"x": evil})._replace(id=f"id{evil}", type=f"custom.{evil}")
    store.emit([event])
    sinks.deliver(office(), [sink(letters.url)], is_once=True)
    ((headers, body),) = letters.letters
    assert "x-evil" not in headers
    assert body["type"] == f"custom.{evil}"


@pytest.mark.parametrize(
    ("template", "key", "most"), [("slack", "text", 8000), ("discord", "content", 2000), ("json", "type", 200)]
)
def test_a_template_makes_what_the_service_reads(template, key, most, post, store, sink, office):
    letters = post()
    tell(store, "bug.logged", error_message="<!channel> a & b @everyone", count=3, long="x" * 5000)
    sinks.deliver(office(), [sink(letters.url, template=template)], is_once=True)
    ((_, body),) = letters.letters
    assert len(body[key]) <= most
    if template == "slack":
        said = "error_message: &lt;!channel&gt; a &amp; b @everyone, count: 3"
        assert body["text"].startswith(f"orchestration.bug.logged task TSK-001 (TSK-001) {said}")
    if template == "discord":
        assert body["allowed_mentions"] == {"parse": []}


def test_a_payload_that_is_no_json_is_sent_as_text():
    event = Event("i", "t", "x", "s", None, "a", "e", "i", "{broken")
    assert sink_letter.letter(event, "p")["payload"] == "{broken"


def test_a_command_gets_the_event_on_stdin_without_a_shell(store, sink, office, tmp_path):
    ids = tell(store, "task.created", "task.updated")
    code = (
        "import os, sys; key = os.environ['ORCHESTRATOR_EVENT_ID']\n"
        "open(sys.argv[1], 'a').write(sys.stdin.read() + '\\n' + key + '\\n')"
    )
    out = tmp_path / "$(touch x) ; out"
    done = sinks.deliver(office(), [sink(command=[sys.executable, "-c", code, str(out)])], is_once=True)
    assert done["chat"].delivered == 2
    lines = out.read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines[::2]] == lines[1::2] == ids


@pytest.mark.parametrize(
    ("argv", "timeout", "problem"),
    [
        (["no-such-program-here"], 50, "no-such-program-here: [Errno 2]"),
        (
            ["sh", "-c", "echo first >&2; echo last token=abcdefgh1234567 >&2; exit 3"],
            50,
            "sh: exit 3: last token=[redacted:secret]",
        ),
        (["sh", "-c", "sleep 60 & sleep 60"], 0.3, "sh: not done after 0.3 s"),
        (["sh", "-c", "kill -9 $$"], 50, "sh: exit -9"),
    ],
)
def test_a_command_that_fails_is_tried_again(argv, timeout, problem, store, sink, office):
    tell(store, "task.created")
    before = time.monotonic()
    found = sinks.deliver(office(), [sink(command=argv, timeout=timeout)], is_once=True)["chat"]
    assert (found.state, found.problem.startswith(problem)) == (WAITING, True), found.problem
    assert time.monotonic() - before < 30  # what sleeps was not waited for


DELIVERER = """
import os, sys
sys.path.insert(0, sys.argv[1])
from orchestrate.memory import sinks
from state import sinks_file
from state.paths import locate
from state.store import open_store
from state.telling import Teller
place = locate(sys.argv[2], dict(os.environ))
with open_store(place) as store:
    office = sinks.Office(store, place, Teller("user", "-", "c"), sinks.way(place, ""), sinks.Pace(0.01, 0.02))
    sinks.deliver(office, sinks_file.load(place, "").sinks, False)
"""


@pytest.mark.slow
def test_a_deliverer_that_is_killed_loses_nothing(post, store, sink, project):
    """Killed while the service has the event and has not answered: it comes again, under the same key."""
    letters = post(*[204, 204, "hang", 204, "hang"])
    ids = tell(store, *[f"task.step{number}" for number in range(8)])
    sink(letters.url, timeout=50)
    for had in (3, 5):
        child = subprocess.Popen([sys.executable, "-c", DELIVERER, str(REPO), str(project)])
        assert letters.has(had)
        child.kill()
        child.wait()
    done = subprocess.run([sys.executable, "-c", DELIVERER, str(REPO), str(project)], timeout=100, check=False)
    assert done.returncode == 0
    assert letters.keys == [*ids[:3], *ids[2:4], *ids[3:]]
    assert store.sinks.find("chat").delivered == 8


def test_nobody_waits_for_ever(store, sink, office, monkeypatch):
    monkeypatch.setattr(sinks, "PATIENCE_S", 0.05)
    tell(store, "task.created")
    found = sinks.deliver(office(), [sink(f"http://127.0.0.1:{NOWHERE}/", retries=20)], is_once=False)["chat"]
    assert (found.state, store.sinks.dead()) == (WAITING, [])


def test_the_pause_grows_and_has_its_bound(store, sink, office):
    wanted = sink(f"http://127.0.0.1:{NOWHERE}/", retries=20)
    tell(store, "task.created")
    slow = office()._replace(pace=Pace(1.0, 300.0))
    for number in range(12):
        before = time.time()
        found = sinks.one_round(slow, wanted)
        longest = min(2**number, 300)
        assert before + longest * 0.5 <= found.next_at <= time.time() + longest
        standing = store.sinks.find("chat")
        store.sinks.hold("chat", standing.tries, None, "")


def test_an_event_that_has_no_letters_breaks_nothing(store, sink, post, office):
    letters = post()
    store.emit([Event("x", "2026-01-01T00:00:00.000Z", "", "", None, "", "", "", orjson.dumps([1]).decode())])
    assert sinks.deliver(office(), [sink(letters.url)], is_once=True)["chat"].delivered == 1
    assert sink_send.DELIVERED == "delivered"


def test_what_was_recorded_before_a_rule_knew_it_goes_out_redacted():
    event = Event("i", "t", "x", "s", None, "a", "e", "i", '{"note":"sk-ant-REDACTED","password":"hunter22"}')
    payload = sink_letter.letter(event, "p")["payload"]
    assert payload == {"note": "[redacted:anthropic-key]", "password": "[redacted:password]"}
