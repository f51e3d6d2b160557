"""The record of a run: its folder, its two events, and what is said when it cannot be written."""

import json
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from metrics.days import window
from metrics.metrics_collector import collect
from orchestrate.agents import runs
from orchestrate.agents.record import Facts
from state import journal
from state.errors import NOT_FOUND, UserError
from state.paths import LOG, Place, session_dir

NOW = 1795255500.25  # 2026-11-21T10:05:00.250Z
FACTS = Facts("s1", "p1", "haiku-general", "haiku", "haiku", "cafe", 21)


@pytest.fixture
def told():
    """What the user was warned of."""
    return []


@pytest.fixture
def run(place, told):
    return runs.begin(place, FACTS, NOW, told.append)


def record_of(run, **changed):
    return {
        "run": run.id,
        "session": "s1",
        "prompt_id": "p1",
        "decision": {"agent": "haiku-general", "tier": "haiku", "confidence": 0.9, "reason": "typo"},
        "mode": "orchestration",
        "agent": "haiku-general",
        "tier": "haiku",
        "outcome": "ok",
        "exit_code": 0,
        "detail": "",
        "model_requested": "haiku",
        "model_served": "claude-haiku-4-5-20251001",
        "models": {"claude-haiku-4-5-20251001": {"input_tokens": 10, "output_tokens": 5, "cost_usd": None}},
        "cost_usd": None,
        "attempts": [{"model": "haiku", "kind": "ok", "took_ms": 900.0, "detail": ""}],
        "answer": "done",
        "truncated": False,
        "turns": 1,
        "took_ms": 1000.0,
        "overhead_ms": 100.0,
        "started_at": journal.stamp(NOW),
        "finished_at": journal.stamp(NOW + 1),
        **changed,
    }


def events(place):
    return [json.loads(line) for line in journal.tail(f"{session_dir(place, 's1')}/{LOG}", 1 << 20)]


def kept(run):
    return json.loads(Path(run.folder, "run.json").read_text())


def test_an_id_tells_when_its_run_began():
    assert re.fullmatch(r"r-20261121-100500-[0-9a-f]{6}", runs.new_id(NOW))


def test_a_run_leaves_a_private_folder(place, run, told):
    run.keep(b'{"type":"system"}\n')
    run.keep(b'{"type":"result"}')
    record = record_of(run)
    run.finish(record, NOW + 1)
    folder = Path(place.state, "runs", run.id)
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
        "run.json": 0o600,
        "stream.jsonl": 0o600,
        "answer.md": 0o600,
    }
    assert (folder / "stream.jsonl").read_bytes() == b'{"type":"system"}\n{"type":"result"}\n'
    assert (folder / "answer.md").read_text() == "done"
    assert (kept(run), folder.stat().st_mode & 0o777, told) == (record, 0o700, [])


def test_the_log_tells_when_it_began_and_how_it_ended(place, run):
    run.finish(record_of(run), NOW + 1)
    entity = {"type": "run", "id": run.id}
    told = [(event["type"], event["ts"], event["prompt_id"], event["entity"]) for event in events(place)]
    assert told == [
        ("orchestration.run.started", "2026-11-21T10:05:00.250Z", "p1", entity),
        ("orchestration.run.finished", "2026-11-21T10:05:01.250Z", "p1", entity),
    ]
    assert [event["payload"] for event in events(place)] == [
        {
            "agent": "haiku-general",
            "tier": "haiku",
            "model": "haiku",
            "hash": "cafe",
            "length": 21,
            "prompt_id": "p1",
            "overhead_ms": 0.0,
        },
        {
            "outcome": "ok",
            "agent": "haiku-general",
            "tier": "haiku",
            "model_requested": "haiku",
            "model_served": "claude-haiku-4-5-20251001",
            "usage": {"claude-haiku-4-5-20251001": {"input_tokens": 10, "output_tokens": 5, "cost_usd": None}},
            "cost_usd": None,
            "attempts": [{"model": "haiku", "kind": "ok", "took_ms": 900.0}],
            "took_ms": 1000.0,
            "overhead_ms": 100.0,
        },
    ]


def test_a_run_is_recorded_once(place, run):
    run.finish(record_of(run), NOW + 1)
    run.finish(record_of(run, outcome="aborted", answer="other"), NOW + 2)
    run.keep(b"late")
    assert [event["type"] for event in events(place)] == ["orchestration.run.started", "orchestration.run.finished"]
    assert (kept(run)["outcome"], runs.answer(runs.find(place, run.id))) == ("ok", "done")
    assert Path(run.folder, "stream.jsonl").read_bytes() == b""


def test_the_report_counts_it(place, run):
    decided = {"mode": "orchestration", "rung": "orchestration", "action": "delegate", "overhead_ms": 5.0}
    payload = {**decided, "agent": "haiku-general", "tier": "haiku", "context": "batch", "decision": "direct"}
    entity, kind = ("prompt", "p1"), "orchestration.prompt.decided"
    journal.record(place, journal.event(place, kind, "s1", "p1", entity, payload, NOW))
    run.finish(record_of(run), NOW + 1)
    report, _ = collect(place, window(date(2026, 11, 21), date(2026, 11, 21)))
    names = ("delegations", "followed", "rate", "coverage", "agent_success", "overhead_mean_ms")
    assert [report.figures[name] for name in names] == [1, 1, 1.0, 1.0, 1.0, 105.0]


def test_without_an_answer_there_is_no_file_of_it(place, run):
    run.finish(record_of(run, outcome="timeout", exit_code=124, answer=""), NOW + 1)
    assert sorted(os.listdir(run.folder)) == ["run.json", "stream.jsonl"]
    assert runs.answer(runs.find(place, run.id)) == ""


def test_what_a_failing_client_said_is_kept_without_its_secrets(place, run):
    said = "401: key sk-ant-" + "api03-abcdef0123 is not valid"
    attempts = [{"model": "haiku", "kind": "auth", "took_ms": 1.0, "detail": said}]
    run.finish(record_of(run, outcome="auth", detail=said, attempts=attempts, answer="password=mine"), NOW + 1)
    expected = "401: key [redacted:anthropic-key] is not valid"
    assert (kept(run)["detail"], kept(run)["attempts"][0]["detail"]) == (expected, expected)
    assert runs.answer(runs.find(place, run.id)) == "password=mine"


def test_a_run_that_was_killed_is_listed_without_an_outcome(place, run):
    (found,) = runs.listed(place)
    assert (found.run, found.is_finished, found.record["pid"]) == (run.id, False, os.getpid())


def test_runs_are_listed_newest_first(place, told):
    ids = [runs.begin(place, FACTS, NOW + second, told.append).id for second in (1, 3, 2)]
    Path(place.state, "runs", "other").mkdir()
    assert [each.run for each in runs.listed(place)] == [ids[1], ids[2], ids[0]]


def test_before_the_first_run_there_are_none(place):
    assert runs.listed(place) == []


def test_a_run_is_found_by_its_unique_beginning(place, told):
    first, second = (runs.begin(place, FACTS, NOW + day * 86400, told.append).id for day in (0, 1))
    assert [runs.find(place, name).run for name in (first, "r-20261121", second[:12])] == [first, first, second]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("r-2026", "run 'r-2026': 2 runs begin so: give more of the id"),
        ("x", "run 'x': there is none in {state}/runs (the newest is {newest})"),
        ("", "run '': there is none in {state}/runs (the newest is {newest})"),
        ("../runs", "run '../runs': there is none in {state}/runs (the newest is {newest})"),
    ],
)
def test_a_name_that_means_no_run(place, told, name, message):
    newest = [runs.begin(place, FACTS, NOW + second, told.append).id for second in (0, 1)][-1]
    with pytest.raises(UserError) as raised:
        runs.find(place, name)
    assert (str(raised.value), raised.value.code) == (message.format(state=place.state, newest=newest), NOT_FOUND)


@pytest.mark.parametrize("damage", [b"", b'{"run": "r-', b"[1]", b"\x00\xff"])
def test_a_damaged_record_is_a_run_without_an_outcome(place, run, damage):
    Path(run.folder, "run.json").write_bytes(damage)
    assert [(each.run, each.is_finished) for each in runs.listed(place)] == [(run.id, False)]


def test_the_whole_answer_is_read_where_the_record_has_its_beginning(place, run):
    run.finish(record_of(run, answer="whole " * 10), NOW + 1)
    path = Path(run.folder, "run.json")
    path.write_text(json.dumps({**kept(run), "answer": "whole", "truncated": True}))
    assert runs.answer(runs.find(place, run.id)) == "whole " * 10
    Path(run.folder, "answer.md").unlink()
    assert runs.answer(runs.find(place, run.id)) == "whole"


def test_text_that_no_encoding_has_is_kept_all_the_same(place, run, told):
    run.finish(record_of(run, answer="a\ud800b"), NOW + 1)
    assert (runs.answer(runs.find(place, run.id)), kept(run)["answer"], told) == ("a?b", "a\ud800b", [])


def test_where_nothing_can_be_written_the_run_goes_on_and_says_so_once(tmp_path, told):
    blocked = tmp_path / "file"
    blocked.write_text("")
    run = runs.begin(Place("/", "p", str(blocked), None, False), FACTS, NOW, told.append)
    run.keep(b"line")
    run.finish(record_of(run), NOW + 1)
    assert told == [
        f"the record of run {run.id} is incomplete: cannot write {blocked}/runs/{run.id}: not a directory: "
        "a file stands where a folder is needed"
    ]


FULL = """\
import json, resource, sys
from orchestrate.agents import runs
from orchestrate.agents.record import Facts
from state.paths import Place

resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))  # what a full disk is to one file: a write that stays short
place, record = Place("/", "p", sys.argv[1], None, False), json.loads(sys.argv[2])
run = runs.begin(place, Facts(*record.pop("facts")), 1795255500.25, print)
for _ in range(20):
    run.keep(b"x" * 1000)
run.finish(record, 1795255501.25)
"""


def test_a_full_disk_costs_the_stream_and_not_the_record(place, run, told):
    record = record_of(run, answer="y" * 1000)
    code = [sys.executable, "-c", FULL, place.state, json.dumps({**record, "facts": FACTS})]
    repo = Path(__file__).resolve().parents[2]
    done = subprocess.run(code, capture_output=True, text=True, cwd=repo, check=True)
    full = next(each for each in runs.listed(place) if each.run != run.id)
    assert done.stdout == (
        f"the record of run {full.run} is incomplete: cannot write {full.folder}: "
        "no space left on device: free some space\n"
    )
    assert (full.record, runs.answer(full)) == (record, "y" * 1000)
    assert Path(full.folder, "stream.jsonl").stat().st_size == 8192
    assert [event["type"].rpartition(".")[2] for event in events(place)] == ["started", "started", "finished"]
