import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from tiers import some

from state import journal
from state.paths import LOG, session_dir
from state.store import Event, open_store

MODULE = [sys.executable, "-m", "orchestrate"]


def event(key, kind="note.told", ts="2026-11-21T10:00:00.000Z", task=None, payload="{}"):
    return Event(key, ts, kind, "s", None, "user", "note", "n", payload, task)


def listed(cli, *words):
    ran = cli("events", "list", "--json", *words)
    assert (ran.code, ran.err) == (0, "")
    return json.loads(ran.out)


def test_what_is_emitted_is_listed_as_it_was_written(cli, place):
    ran = cli(
        "events",
        "emit",
        "execute.step_complete",
        "--payload",
        '{"step": 3, "key": "sk-ant-api03-' + "x" * 40 + '"}',
        "--session",
        "sess_1",
    )
    assert ran.code == 0
    (found,) = listed(cli)
    assert found["id"] == ran.out.strip()
    assert (found["type"], found["session"], found["actor"], found["task"]) == (
        "execute.step_complete",
        "sess_1",
        "user",
        None,
    )
    assert (found["payload"]["step"], "xxxx" in str(found["payload"])) == (3, False)
    assert found["entity"] == {"type": "session", "id": "sess_1"}
    assert found["correlation"]


def test_an_event_of_a_task(cli, place):
    assert cli("events", "emit", "x.y", "--task", "TSK-1").code == 3
    with open_store(place) as store:
        store.emit([event("a", task="TSK-1")])
    told = json.loads(cli("events", "emit", "x.y", "--task", "TSK-1", "--json").out)
    assert (told["task"], told["entity"]) == ("TSK-1", {"type": "task", "id": "TSK-1"})
    told = json.loads(cli("events", "emit", "x.y", "--entity", "file:a:b.py", "--json").out)
    assert told["entity"] == {"type": "file", "id": "a:b.py"}


@pytest.mark.parametrize(
    ("words", "code"),
    some(
        [
            (["x", "--payload", "no json"], 2),
            (["x", "--payload", "[1]"], 2),
            (["x", "--payload", '"x"'], 2),
            (["x", "--payload", '{"a": NaN}'], 2),
            (["two words"], 2),
            (["-x"], 2),
            ([""], 2),
            (["\x1b[2J"], 2),
            (["x" * 200], 2),
            (["x", "--task", "../x"], 2),
            (["x", "--entity", ":1"], 2),
            (["orchestration.prompt.decided"], 4),
            (["orchestration.run.finished"], 4),
        ],
        5,
    ),
)
def test_what_is_no_event_is_refused(cli, place, words, code):
    assert cli("events", "emit", *words).code == code
    assert listed(cli) == []


@pytest.mark.parametrize(
    ("words", "keys"),
    some(
        [
            ([], "abc"),
            (["--limit", "2"], "bc"),
            (["--type", "x.one"], "a"),
            (["--type", "x.*"], "ab"),
            (["--type", "*"], "abc"),
            (["--task", "T"], "b"),
            (["--session", "s"], "abc"),
            (["--session", "t"], ""),
            (["--entity", "note"], "abc"),
            (["--entity", "note:n"], "abc"),
            (["--entity", "note:"], ""),
            (["--since", "2026-11-21T11:00Z"], "bc"),
            (["--until", "2026-11-21T11:00Z"], "a"),
        ],
        5,
    ),
)
def test_the_filters(cli, place, words, keys):
    with open_store(place) as store:
        store.emit([
            event("a", "x.one"),
            event("b", "x.two", "2026-11-21T11:00:00.000Z", "T"),
            event("c", "y", "2026-11-21T12:00:00.000Z"),
        ])  # fmt: skip
    assert [entry["id"] for entry in listed(cli, *words)] == list(keys)


@pytest.mark.parametrize(
    "words", [["--since", "yesterdayish"], ["--limit", "0"], ["--until", "9999999d"], ["--since", "99999-01-01"]]
)
def test_what_is_no_time_is_refused(cli, place, words):
    assert cli("events", "list", *words).code == 2


def test_a_person_reads_a_line_each_and_no_control_characters(cli, place):
    with open_store(place) as store:
        store.emit([event("a", payload='{"a":"\u202e' + "x" * 500 + '"}')._replace(entity_id="\x1b[2J\n")])
    out = cli("events", "list").out
    assert (len(out.splitlines()), "\x1b" in out, "\u202e" in out) == (1, False, False)
    assert len(out) < 300


def test_logs_are_read_before(cli, place):
    journal.record(place, journal.event(place, "orchestration.turn.end", "s", None, ("prompt", "p"), {}, 1.79e9))
    assert [entry["type"] for entry in listed(cli)] == ["orchestration.turn.end"]


def test_archive(cli, place):
    old = (datetime.now(UTC) - timedelta(days=100)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    with open_store(place) as store:
        new = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        store.emit([event("old", ts=old, payload='{"a":"zebra"}'), event("new", ts=new, payload='{"a":"zebra"}')])
    dry = json.loads(cli("events", "archive", "--older-than", "90d", "--dry-run", "--json").out)
    assert (dry["events"], dry["dry_run"], len(listed(cli))) == (1, True, 2)
    assert cli("events", "archive").out.splitlines()[0].startswith("archived 1 events older than ")
    new, told = listed(cli)
    assert (new["id"], told["type"], told["actor"], told["payload"]["events"], len(told["payload"]["files"])) == (
        "new", "orchestration.events.archived", "user", 1, 1,
    )  # fmt: skip
    assert (cli("events", "archive").code, len(listed(cli))) == (0, 2)
    words = ("search", "zebra", "--scope", "project", "--json")
    assert len(json.loads(cli(*words).out)["hits"]) == 1
    assert [hit["source"] for hit in json.loads(cli(*words, "--archived").out)["hits"]] == ["event", "archived"]
    assert cli("events", "archive", "--older-than", "soon").code == 2
    told = cli("metrics", "report", "--since", old[:10], "--until", old[:10]).err
    assert "events of this time are archived (1 files, 1 events) and not counted here" in told
    assert "archived" not in cli("metrics", "report").err
    (file,) = os.listdir(f"{place.state}/archive") if not os.path.exists(f"{place.state}/archive/lock") else [
        name for name in os.listdir(f"{place.state}/archive") if name.endswith(".gz")
    ]  # fmt: skip
    os.unlink(f"{place.state}/archive/{file}")
    assert f"archives that are not in {place.state}/archive: 1: {file}" in cli(*words, "--archived").err


@pytest.fixture
def following(project):
    """`events follow` as a process of its own that is already following."""
    running = []

    def start(*words, **more):
        process = subprocess.Popen(
            [*MODULE, "events", "follow", *words],
            cwd=project,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )
        running.append(process)
        assert process.stderr.readline().startswith("following")
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_follow_prints_what_comes_until_it_is_interrupted(following, place):
    with open_store(place) as store:
        store.emit([event("before")])
        process = following("--json", "--type", "x.*")
        store.emit([event("a", "x.1"), event("no", "y")])
        assert json.loads(process.stdout.readline())["id"] == "a"
        journal.record(place, journal.event(place, "x.log", "s", None, ("prompt", "p"), {}, 1.79e9))
        assert json.loads(process.stdout.readline())["type"] == "x.log"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.strip()) == (130, "", "")


@pytest.mark.slow
@pytest.mark.parametrize("is_told", [True, False])
def test_follow_ends_quietly_with_its_reader(following, place, is_told):
    process = following()
    process.stdout.close()
    if is_told:
        with open_store(place) as store:
            store.emit([event("a")])
    assert process.wait(60) == 0
    assert process.stderr.read() == ""


def test_cleanup_leaves_no_index_behind(cli, place):
    with open_store(place) as store:
        store.emit(
            [
                event("old", ts="2020-01-01T00:00:00.000Z", payload='{"a":"zebra"}'),
                event("new", payload='{"a":"zebra"}'),
            ]
        )
    assert cli("metrics", "cleanup", "--older-than", "365d").code == 0
    assert [hit["id"] for hit in json.loads(cli("search", "zebra", "--scope", "project", "--json").out)["hits"]] == [
        "new"
    ]


def test_a_log_that_cannot_be_read_is_told(cli, place):
    folder = session_dir(place, "s")
    os.makedirs(folder)
    os.makedirs(f"{folder}/{LOG}")
    assert listed(cli) == []
