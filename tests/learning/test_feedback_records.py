import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from made_talk import SESSION, Talk, decided, lines

from orchestrate.learning import events, records
from state.errors import UserError
from state.telling import Teller

NOW = 1795000000.0
TEXT = "Fix the typo in the heading of README.md"
TELLER = Teller("user", "-", "c")


def test_a_verdict_is_one_line_and_one_event_and_no_text(talk, place):
    talk.ask("p-1", TEXT)
    told = decided(place)[0]
    line = records.give(place, told, "too-weak", "", NOW, TELLER)
    assert lines(place, "process.jsonl") == [line]
    assert line == {
        "ts": "2026-11-18T11:06:40.000Z",
        "prompt_id": "p-1",
        "verdict": "too-weak",
        "tier": told.payload["tier"],
        "agent": told.payload["agent"],
        "hash": told.payload["hash"],
        "length": len(TEXT),
        "source": "user",
    }
    event = [each for each in events.read([place]) if each.kind == events.FEEDBACK]
    assert [(each.prompt_id, each.session, each.payload) for each in event] == [
        ("p-1", SESSION, {key: line[key] for key in ("verdict", "tier", "agent", "hash", "length", "source")})
    ]
    folder = Path(place.state, "sessions", SESSION)
    assert [path for path in folder.rglob("*") if path.is_file() and b"heading" in path.read_bytes()] == []


def test_only_the_user_reads_it(talk, place):
    talk.ask("p-1", TEXT)
    records.give(place, decided(place)[0], "good", "", NOW, TELLER)
    path = Path(place.state, "sessions", SESSION, "feedback", "process.jsonl")
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent)] == [0o600, 0o700]


def test_a_text_that_is_recorded_anyway_is_kept_beside_the_verdict(project, home, place):
    talk = Talk(project, home, ORCHESTRATOR_RECORD_PROMPTS="text")
    talk.ask("p-1", TEXT)
    assert records.give(place, decided(place)[0], "good", "", NOW, TELLER)["text"] == TEXT


def test_a_note_is_kept_without_what_looks_like_a_secret(talk, place):
    talk.ask("p-1", TEXT)
    line = records.give(place, decided(place)[0], "good", "it used password=hunter2hunter2", NOW, TELLER)
    assert line["note"] == "it used password=[redacted:password]"


def test_a_note_that_is_a_document_is_refused(talk, place):
    talk.ask("p-1", TEXT)
    with pytest.raises(UserError, match="501 characters, at most 500 are kept"):
        records.give(place, decided(place)[0], "good", "x" * 501, NOW, TELLER)
    assert lines(place, "process.jsonl") == []


def test_a_link_that_came_with_the_project_is_not_written_through(talk, place, tmp_path):
    talk.ask("p-1", TEXT)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    Path(place.state, "sessions", SESSION, "feedback").symlink_to(elsewhere)
    with pytest.raises(UserError, match="cannot write"):
        records.give(place, decided(place)[0], "good", "", NOW, TELLER)
    assert list(elsewhere.iterdir()) == []


def test_what_the_logs_tell_is_written_once(talk, place):
    talk.ask("p-1", TEXT)
    talk.ask("p-2", "use opus: fix the typo in the heading of README.md")
    talk.call("StopFailure", "p-2", error="rate_limit")
    talk.tell(place, "run.finished", "p-2", {"agent": "opus-general", "outcome": "timeout", "tier": "opus"})
    assert records.collect(place) == (2, 2)
    assert records.collect(place) == (0, 0)
    process = [(line["prompt_id"], line["source"], line["verdict"]) for line in lines(place, "process.jsonl")]
    assert sorted(process) == [
        ("p-1", "raised", "too-weak"),
        ("p-2", "forced", "good"),
    ]
    assert [{**line, "ts": "", "entity": ""} for line in lines(place, "tool.jsonl")] == [
        {"ts": "", "prompt_id": "p-2", "tool": "turn", "entity": "", "agent": None, "kind": "rate_limit"},
        {"ts": "", "prompt_id": "p-2", "tool": "run", "entity": "", "agent": "opus-general", "kind": "timeout"},
    ]


@pytest.mark.parametrize(("status", "kinds"), [("completed", []), ("async_launched", []), ("failed", ["failed"])])
def test_an_agent_that_failed_is_a_failure_of_a_tool(talk, place, status, kinds):
    answer = {"status": status, "agentId": "a", "agentType": "haiku-general", "resolvedModel": "claude-haiku-5-5"}
    talk.ask("p-1", TEXT)
    talk.call("PostToolUse", "p-1", tool_name="Agent", tool_use_id="t", tool_input={}, tool_response=answer)
    records.collect(place)
    assert [(line["tool"], line["agent"], line["kind"]) for line in lines(place, "tool.jsonl")] == [
        ("agent", "haiku-general", kind) for kind in kinds
    ]


def test_two_who_collect_at_once_write_nothing_twice(talk, place, project):
    for number in range(30):
        talk.ask(f"p-{number}", f"use opus: fix typo number {number}")
    code = (
        "import os, sys; from orchestrate.learning import records; from state.paths import locate; "
        "records.collect(locate(sys.argv[1], dict(os.environ)))"
    )
    run = [sys.executable, "-c", code, str(project)]
    repo = Path(records.__file__).parents[2]
    both = [subprocess.Popen(run, cwd=repo, env={**os.environ, "PYTHONPATH": str(repo)}) for _ in range(2)]
    assert [each.wait(timeout=60) for each in both] == [0, 0]
    found = [line["prompt_id"] for line in lines(place, "process.jsonl")]
    assert sorted(found) == sorted(f"p-{number}" for number in range(30))
