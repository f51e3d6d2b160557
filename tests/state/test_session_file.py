import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from state import fold, journal, session_file, session_schema
from state.errors import LOCK_TIMEOUT, NOT_FOUND, UserError
from state.paths import session_dir

NOW = 1_795_240_380.0
STAMP = "2026-11-21T05:53:{:06.3f}Z"
DEFAULT_PREFERENCES = {
    "mode": "auto",
    "enforcement": "",
    "record_prompts": "hash",
    "rollout.enabled": True,
    "rollout.stage": "hybrid",
}


def at(second):
    return STAMP.format(second)


def say(place, kind, payload=None, prompt=None, second=0.0, session="s1"):
    payload = {"overhead_ms": 1.0, **(payload or {})}
    event = journal.event(place, f"orchestration.{kind}", session, prompt, ("prompt", "x"), payload, NOW + second)
    journal.record(place, event)


def decide(place, prompt, second=0.0, agent="haiku-general", session="s1"):
    say(place, "prompt.decided", {"hash": f"h-{prompt}", "agent": agent}, prompt, second, session)


def row(prompt, second, result, agent="haiku-general"):
    return {"timestamp": at(second), "request_hash": f"h-{prompt}", "agent": agent, "result": result}


def folder(place, session="s1"):
    return Path(session_dir(place, session))


def state_file(place, session="s1"):
    return folder(place, session) / "state.json"


def public(state):
    return {key: value for key, value in state.items() if key != "fold"}


def corrupt_ones(place):
    return sorted(path.name for path in folder(place).glob("state.json.corrupt-*"))


def test_every_field_has_a_writer(place, project):
    transcript = project / "t.jsonl"
    used = [("Read", "a.py"), ("Edit", "b.py"), ("Bash", None), ("Write", "/etc/c")]
    blocks = [
        {"type": "tool_use", "name": name, "input": {"file_path": f"{path if path[0] == '/' else project / path}"}}
        if path
        else {"type": "tool_use", "name": name, "input": {"command": "ls"}}
        for name, path in used
    ]
    lines = [json.dumps({"timestamp": at(1), "message": {"content": [block]}}) for block in blocks]
    transcript.write_text("\n".join([*lines, '{"torn": "tool_use"']) + "\n")
    say(place, "session.start", {"source": "startup", "transcript_path": str(transcript)})
    decide(place, "p1", 1)
    say(place, "turn.end", {}, "p1", 2)
    decide(place, "p2", 3, "opus-general")
    say(place, "turn.failed", {"error": "overloaded"}, "p2", 4)
    decide(place, "p3", 5, "sonnet-general")
    say(place, "work.added", {"id": "w1", "task": "lint"}, second=6)
    say(place, "work.added", {"id": "w2", "task": "test"}, second=7)
    say(place, "work.completed", {"id": "w1", "result": "done"}, second=8)
    say(place, "result.cached", {"key": "k", "query": "q", "results": [1]}, second=9)
    state = session_file.refresh(place, "s1")
    assert public(state) == {
        "session_id": "s1",
        "created_at": at(0),
        "updated_at": at(9),
        "project_root": str(project),
        "routing_history": [
            row("p1", 1, "success"),
            row("p2", 3, "error", "opus-general"),
            row("p3", 5, "pending", "sonnet-general"),
        ],
        "cached_results": {"k": {"query": "q", "results": [1], "timestamp": at(9)}},
        "work_queue": [{"id": "w2", "task": "test", "queued_at": at(7)}],
        "context": {
            "active_files": ["/etc/c", "b.py", "a.py"],
            "recent_edits": [
                {"file": "/etc/c", "tool": "Write", "timestamp": at(1)},
                {"file": "b.py", "tool": "Edit", "timestamp": at(1)},
            ],
            "user_preferences": DEFAULT_PREFERENCES,
        },
        "dropped": {"routing_history": 0, "cached_results": 0, "work_queue": 0},
    }
    assert orjson.loads(state_file(place).read_bytes()) == state
    assert state_file(place).stat().st_mode & 0o777 == 0o600


def test_the_files_worked_on_stay_when_the_transcript_goes(place, project):
    transcript = project / "t.jsonl"
    block = {"type": "tool_use", "name": "Edit", "input": {"file_path": "b.py"}}
    transcript.write_text(json.dumps({"timestamp": at(1), "message": {"content": [block]}}) + "\n")
    say(place, "session.start", {"transcript_path": str(transcript)})
    before = session_file.refresh(place, "s1")["context"]
    transcript.unlink()
    os.mkfifo(transcript)
    decide(place, "p")
    assert session_file.refresh(place, "s1")["context"] == before
    assert before["active_files"] == ["b.py"]


def test_a_preference_shows_once_it_is_set(place):
    from state import config_keys

    decide(place, "p")
    session_file.refresh(place, "s1")
    config_keys.set_key(place, "mode", "directive")
    assert session_file.load(place, "s1")["context"]["user_preferences"] == DEFAULT_PREFERENCES | {"mode": "directive"}


def test_each_line_is_folded_once(place):
    for number in range(3):
        decide(place, f"p{number}", number)
        session_file.refresh(place, "s1")
    session_file.refresh(place, "s1")
    assert session_file.load(place, "s1")["routing_history"] == [row(f"p{n}", n, "pending") for n in range(3)]


def test_nothing_new_writes_nothing(place):
    decide(place, "p")
    session_file.refresh(place, "s1")
    before = state_file(place).stat()
    session_file.refresh(place, "s1")
    assert (state_file(place).stat().st_ino, state_file(place).stat().st_mtime_ns) == (
        before.st_ino,
        before.st_mtime_ns,
    )


def test_a_torn_line_waits_for_its_end(place):
    decide(place, "p1", 1)
    log = folder(place) / "log.jsonl"
    decide(place, "p2", 2)
    whole = log.read_bytes()
    log.write_bytes(whole[:-20])
    assert len(session_file.refresh(place, "s1")["routing_history"]) == 1
    with log.open("ab") as file:
        file.write(whole[-20:])
    assert len(session_file.refresh(place, "s1")["routing_history"]) == 2


def test_lines_that_are_no_events_are_passed_over(place):
    decide(place, "p1", 1)
    log = str(folder(place) / "log.jsonl")
    for line in (
        b"garbage",
        b"[]",
        b'{"ts":"soon","payload":{}}',
        b'{"ts":"2026-11-21T05:53:00Z","payload":[]}',
        b"\xff",
    ):
        journal.append(log, line)
    say(place, "result.cached", {"key": "\ud800", "query": 7, "results": "x"}, second=2)
    state = session_file.refresh(place, "s1")
    assert state["routing_history"] == [row("p1", 1, "pending")]
    assert state["cached_results"] == {"\ufffd": {"query": "", "results": ["x"], "timestamp": at(2)}}
    assert session_schema.problems(state) == []


def test_a_result_that_comes_before_its_row_is_kept(place):
    say(place, "turn.end", {}, "p1", 2)
    decide(place, "p1", 1)
    assert session_file.refresh(place, "s1")["routing_history"] == [row("p1", 1, "success")]


def test_a_rotated_log_is_read_to_its_end_and_then_the_new_one(place):
    decide(place, "p1", 1)
    session_file.refresh(place, "s1")
    decide(place, "p2", 2)
    log = folder(place) / "log.jsonl"
    log.rename(folder(place) / "log.jsonl.1")
    decide(place, "p3", 3)
    expected = [row(f"p{n}", n, "pending") for n in (1, 2, 3)]
    assert session_file.refresh(place, "s1")["routing_history"] == expected
    assert session_file.refresh(place, "s1")["routing_history"] == expected
    state_file(place).unlink()
    assert session_file.refresh(place, "s1")["routing_history"] == expected


def test_another_log_in_its_place_adds_to_what_is_known(place):
    decide(place, "p1", 1)
    session_file.refresh(place, "s1")
    (folder(place) / "log.jsonl").unlink()
    assert len(session_file.refresh(place, "s1")["routing_history"]) == 1
    decide(place, "p2", 2)
    assert session_file.refresh(place, "s1")["routing_history"] == [row("p1", 1, "pending"), row("p2", 2, "pending")]


def test_a_cut_log_is_told_as_it_is(place):
    decide(place, "p1", 1)
    log = folder(place) / "log.jsonl"
    one = log.stat().st_size
    decide(place, "p2", 2)
    session_file.refresh(place, "s1")
    os.truncate(log, one)
    decide(place, "p3", 3)
    assert session_file.refresh(place, "s1")["routing_history"] == [row("p1", 1, "pending"), row("p3", 3, "pending")]


def test_a_copied_session_goes_on_where_it_stood(place, tmp_path):
    decide(place, "p1", 1)
    session_file.refresh(place, "s1")
    copy = folder(place, "s2")
    subprocess.run(["cp", "-r", folder(place), copy], check=True)
    journal.append(str(copy / "log.jsonl"), (folder(place) / "log.jsonl").read_bytes().strip().replace(b"p1", b"p2"))
    rows = session_file.refresh(place, "s2")["routing_history"]
    assert [found["request_hash"] for found in rows] == ["h-p1", "h-p2"]


@pytest.mark.parametrize("garbage", [b"", b"{", b"\x00" * 100, b"[]", b'{"session_id": 7}', b"\xff\xfe"])
def test_a_damaged_file_is_kept_aside_and_loses_nothing(place, garbage):
    for number in range(5):
        decide(place, f"p{number}", number)
        session_file.refresh(place, "s1")
    decide(place, "p5", 5)
    state_file(place).write_bytes(garbage)
    state = session_file.load(place, "s1")
    assert state["routing_history"] == [row(f"p{n}", n, "pending") for n in range(6)]
    assert len(corrupt_ones(place)) == 1
    assert (folder(place) / corrupt_ones(place)[0]).read_bytes() == garbage
    last = orjson.loads((folder(place) / "log.jsonl").read_bytes().splitlines()[-1])
    assert (last["type"], last["actor"], last["payload"]) == (
        "orchestration.state.recovered",
        "cli",
        {"file": "state.json", "kept_as": corrupt_ones(place)[0], "overhead_ms": 0.0},
    )


def test_the_newest_good_backup_is_the_start(place):
    for number in range(5):
        decide(place, f"p{number}", number)
        session_file.refresh(place, "s1")
    (folder(place) / "log.jsonl").unlink()
    state_file(place).write_bytes(b"{")
    (folder(place) / "state.json.1").write_bytes(b"{")
    assert [found["request_hash"] for found in session_file.load(place, "s1")["routing_history"]] == [
        f"h-p{n}" for n in range(3)
    ]


def test_three_backups_are_kept(place):
    for number in range(6):
        decide(place, f"p{number}", number)
        session_file.refresh(place, "s1")
    kept = {path.name: len(orjson.loads(path.read_bytes())["routing_history"]) for path in folder(place).glob("state*")}
    assert kept == {"state.json": 6, "state.json.1": 5, "state.json.2": 4, "state.json.3": 3}


def test_restoring_a_backup_folds_the_log_from_there(place):
    for number in range(4):
        decide(place, f"p{number}", number)
        session_file.refresh(place, "s1")
    wrong = orjson.loads(state_file(place).read_bytes())
    wrong["routing_history"] = []
    state_file(place).write_bytes(orjson.dumps(wrong))
    expected = [row(f"p{n}", n, "pending") for n in range(4)]
    assert session_file.restore(place, "s1", 2)["routing_history"] == expected
    assert session_file.restore(place, "s1")["routing_history"] == expected
    assert len(list(folder(place).glob("state.json.replaced-*"))) == 2
    with pytest.raises(UserError) as caught:
        session_file.restore(place, "s1", 9)
    assert caught.value.code == NOT_FOUND


def test_an_unknown_session_is_not_found(place):
    with pytest.raises(UserError) as caught:
        session_file.load(place, "nobody")
    assert (str(caught.value), caught.value.code) == ("session 'nobody': nothing is recorded of it", NOT_FOUND)
    assert not folder(place, "nobody").exists()


def test_a_held_lock_is_waited_for_and_then_named(place, monkeypatch):
    from state import config_keys, locks

    decide(place, "p")
    config_keys.set_key(place, "lock_timeout_s", "0.05")
    lock = folder(place) / "lock"
    with locks.hold(str(lock), 1), pytest.raises(UserError) as caught:
        session_file.load(place, "s1")
    assert (str(caught.value).split(" by ")[0], caught.value.code) == (
        f"{lock}: still locked after 0.05 s",
        LOCK_TIMEOUT,
    )
    assert f"by pid {os.getpid()} (" in str(caught.value)


def test_the_queue_and_the_cache_stay_within_their_bounds(place):
    for number in range(5):
        say(place, "work.added", {"id": f"w{number}", "task": "x" * 900_000}, second=number)
        say(place, "result.cached", {"key": f"k{number}", "query": "", "results": ["x" * 900_000]}, second=number)
    state = session_file.refresh(place, "s1")
    assert [item["id"] for item in state["work_queue"]] == ["w3", "w4"]
    assert list(state["cached_results"]) == ["k3", "k4"]
    assert state["dropped"] == {"routing_history": 0, "cached_results": 3, "work_queue": 3}


def test_old_rows_are_dropped_and_counted_and_results_still_find_theirs(place, monkeypatch):
    monkeypatch.setattr(fold, "HISTORY_ROWS", 3)
    for number in range(5):
        decide(place, f"p{number}", number)
    session_file.refresh(place, "s1")
    say(place, "turn.end", {}, "p0", 6)
    say(place, "turn.end", {}, "p4", 7)
    decide(place, "p5", 8)
    state = session_file.refresh(place, "s1")
    assert state["routing_history"] == [row("p3", 3, "pending"), row("p4", 4, "success"), row("p5", 8, "pending")]
    assert state["dropped"] == {"routing_history": 3, "cached_results": 0, "work_queue": 0}
    assert state["fold"]["pending"] == {"p3": 3, "p5": 5}


def test_results_without_a_row_do_not_pile_up(place, monkeypatch):
    monkeypatch.setattr(fold, "EARLY_RESULTS", 2)
    for number in range(5):
        say(place, "turn.end", {}, f"p{number}", number)
    assert session_file.refresh(place, "s1")["fold"]["ended"] == {"p3": "success", "p4": "success"}


@pytest.mark.slow
def test_a_hundred_thousand_requests_stay_under_ten_megabytes(place):
    def line(number, kind, payload):
        event = journal.event(place, kind, "s1", f"prompt-{number:030}", ("prompt", "x"), payload, NOW + number / 1000)
        return orjson.dumps(event)

    decided = {"hash": "a" * 32, "agent": "a" * 60, "reason": "r" * 200, "signals": {"hour": 3}, "overhead_ms": 8.1}
    folder(place).mkdir(parents=True)
    with (folder(place) / "log.jsonl").open("wb") as log:
        for number in range(100_000):
            log.write(line(number, "orchestration.prompt.decided", decided) + b"\n")
            if number % 3:
                log.write(line(number, "orchestration.turn.end", {"overhead_ms": 1.0}) + b"\n")
    state = session_file.refresh(place, "s1")
    assert state_file(place).stat().st_size < 10 << 20
    assert len(state["routing_history"]) + state["dropped"]["routing_history"] == 100_000
    assert [found["result"] for found in state["routing_history"][-4:]] == ["pending", "success", "success", "pending"]


REFRESH = """
import sys
from state import journal, session_file
from state.paths import Place
place = Place(*sys.argv[1:4], None, True)
for number in range(int(sys.argv[5])):
    payload = {"hash": f"{sys.argv[4]}-{number}", "agent": "a", "overhead_ms": 0.0}
    kind = "orchestration.prompt.decided"
    journal.record(place, journal.event(place, kind, "s1", None, ("prompt", ""), payload, 1e9))
    session_file.refresh(place, "s1")
    print(number, flush=True)
"""


def refresher(place, name, times):
    arguments = [sys.executable, "-c", REFRESH, place.root, place.project, place.state, name, str(times)]
    patient = {**os.environ, "ORCHESTRATOR_LOCK_TIMEOUT_S": "100"}
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, env=patient)


@pytest.mark.slow
def test_two_processes_refreshing_at_once_lose_nothing(place):
    both = [refresher(place, name, 40) for name in "ab"]
    assert [process.communicate() and process.returncode for process in both] == [0, 0]
    rows = session_file.load(place, "s1")["routing_history"]
    expected = sorted(f"{name}-{number}" for name in "ab" for number in range(40))
    assert sorted(found["request_hash"] for found in rows) == expected
    assert corrupt_ones(place) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_file_always_parses_whenever_its_writer_is_killed(place):
    """About a thousand writes, ended by kill -9 at some forty random instants."""
    chance = random.Random(4)
    for life in range(40):
        process = refresher(place, f"w{life}", 1000)
        for _ in range(chance.randrange(1, 50)):
            assert process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert session_schema.problems(orjson.loads(state_file(place).read_bytes())) == []
    rows = [found["request_hash"] for found in session_file.load(place, "s1")["routing_history"]]
    # A kill may cut a write where it crosses a page of the kernel's: that record was never confirmed.
    logged = [line for line in (folder(place) / "log.jsonl").read_bytes().splitlines() if line.endswith(b"}}")]
    assert rows == [orjson.loads(line)["payload"]["hash"] for line in logged]
    assert [corrupt_ones(place), list(folder(place).glob("*.tmp"))] == [[], []]
