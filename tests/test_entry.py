"""One hook call: every handled event, what is skipped, the switches, and the shape of answer and record."""

import hashlib
import json
import os
import re
import subprocess
import sys
import time

import payloads
import pytest
from payloads import AGENT, AT_HOME, EVENTS, HEADLESS, PROMPT, SESSION, SPAWN, ask, files, logged, payload, prompt, said

from orchestrate import __version__, entry, hookline
from routing import routing_core
from state import journal

ENVELOPE = ["v", "id", "ts", "type", "project", "session", "prompt_id", "actor", "entity", "payload"]


SPAWNED = routing_core.decide("List the test files.", routing_core.Situation())


def digest(text):
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


RECORDS = {
    "SessionStart": (
        "orchestration.session.start",
        ("session", SESSION),
        {
            "source": "startup",
            "model": "claude-opus-5-5",
            "transcript_path": payloads.PAYLOADS["SessionStart"]["transcript_path"],
            "cwd": None,
            "version": __version__,
        },
    ),
    "PreToolUse": (
        "orchestration.spawn.requested",
        ("spawn", SPAWN),
        {
            "tool": "Agent",
            "agent_type": "haiku-general",
            "model": "haiku",
            "by_agent": None,
            "tier": "haiku",
            "reason": SPAWNED.reason,
            "confidence": SPAWNED.confidence,
            "rung": "rewrite",
            "rung_reason": "the mod gave no sign of life",
            "model_set": "haiku",
            "stepped_down": None,
            "stood_in": None,
            "env_model": None,
            "env_alias": None,
            "env_forced": False,
            "hash": digest("List the test files."),
            "length": 20,
        },
    ),
    "SubagentStart": ("orchestration.agent.start", ("agent", AGENT), {"agent_type": "haiku-general"}),
    "PostToolUse": (
        "orchestration.spawn.launched",
        ("spawn", SPAWN),
        {
            "agent_id": AGENT,
            "agent_type": "haiku-general",
            "model": "claude-haiku-5-5",
            "status": "completed",
            "tokens": 15,
            "decided_tier": None,
            "is_as_decided": None,
            "blown": None,
        },
    ),
    "SubagentStop": (
        "orchestration.agent.end",
        ("agent", AGENT),
        {
            "agent_type": "haiku-general",
            "transcript_path": payloads.PAYLOADS["SubagentStop"]["agent_transcript_path"],
        },
    ),
    "Stop": ("orchestration.turn.end", ("prompt", PROMPT), {"stop_hook_active": False, "background": 1}),
    "StopFailure": ("orchestration.turn.failed", ("prompt", PROMPT), {"error": "rate_limit"}),
    "SessionEnd": ("orchestration.session.end", ("session", SESSION), {"reason": "other"}),
}
DECIDED = [
    "hash",
    "length",
    "context",
    "mode",
    "mode_chosen",
    "mode_source",
    "mode_reason",
    "signals",
    "degraded",
    "decision",
    "action",
    "agent",
    "tier",
    "confidence",
    "reason",
    "features",
    "abstained",
    "override",
    "rung",
    "rung_reason",
    "subagents_rung",
    "subagents_reason",
    "main_model",
    "switch",
    "stepped_down",
    "stood_in",
    "blown",
    "permission_mode",
    "arm",
    "main_tier",
    "turn",
    "overhead_ms",
]


def decided(place):
    return [record["payload"] for record in logged(place) if record["type"] == "orchestration.prompt.decided"]


def test_every_handled_event_is_installed_and_has_a_sample():
    assert set(entry.HANDLERS) == set(hookline.EVENTS) == set(EVENTS)


@pytest.mark.parametrize("event", RECORDS)
def test_an_event_is_one_record_and_no_word(event, project, place):
    kind, entity, expected = RECORDS[event]
    started = time.monotonic_ns()
    assert ask(project, payload(event)) == b""
    at_most = (time.monotonic_ns() - started) / 1e6
    (record,) = logged(place)
    assert list(record) == ENVELOPE
    took = record["payload"].pop("overhead_ms")
    assert isinstance(took, float)
    assert 0 < took <= at_most + 0.001  # milliseconds, rounded to the third place
    assert record == {
        "v": 1,
        "id": record["id"],
        "ts": record["ts"],
        "type": kind,
        "project": place.project,
        "session": SESSION,
        "prompt_id": payload(event).get("prompt_id"),
        "actor": "hook",
        "entity": {"type": entity[0], "id": entity[1]},
        "payload": expected,
    }
    assert re.fullmatch(r"[0-9a-f]{28}", record["id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["ts"])
    assert journal.stamp(int(record["id"][:12], 16) / 1000 + 0.0001) == record["ts"]


def test_a_prompt_is_decided_said_and_recorded(project, place):
    answer = ask(project, payload("UserPromptSubmit"))
    text = said(answer)
    assert re.fullmatch(
        r"\[orchestrate [0-9a-f]{6}\] Route: haiku-general \(.+\)\. Hand this request to the haiku-general agent "
        r'\(Agent tool, subagent_type "haiku-general", model "haiku"\) with all it needs to know, and relay its '
        r"result\. Answer yourself only if that agent is not available\.",
        text,
    )
    (record,) = logged(place)
    assert list(record) == ENVELOPE
    assert (record["type"], record["prompt_id"]) == ("orchestration.prompt.decided", PROMPT)
    assert record["entity"] == {"type": "prompt", "id": PROMPT}
    found = record["payload"]
    assert list(found) == DECIDED
    measured = {name: found.pop(name) for name in ("confidence", "reason", "features", "signals", "overhead_ms")}
    assert found == {
        "hash": digest("Fix typo in README.md"),
        "length": 21,
        "context": "interactive",
        "mode": "directive",
        "mode_chosen": "directive",
        "mode_source": "rollout",
        "mode_reason": "interactive, and nobody asked for orchestration",
        "degraded": None,
        "decision": "direct",
        "action": "delegate",
        "agent": "haiku-general",
        "tier": "haiku",
        "abstained": False,
        "override": False,
        "rung": "directive",
        "rung_reason": "the rung that is there everywhere",
        "subagents_rung": "rewrite",
        "subagents_reason": "the mod gave no sign of life",
        "main_model": None,
        "switch": None,
        "stepped_down": None,
        "stood_in": None,
        "blown": None,
        "permission_mode": "default",
        "arm": None,
        "main_tier": None,
        "turn": 1,
    }
    assert 0 < measured["confidence"] <= 1
    assert f"({measured['reason']})" in text
    hour = measured["signals"].pop("hour")
    assert hour in range(24)
    assert measured["signals"] == {
        "is_interactive": True,
        "is_overnight": hour >= 22 or hour <= 6,
        "is_batch": False,
        "is_api": False,
        "has_workflow": False,
        "user_preference": "auto",
        "declared": None,
    }


def test_nothing_but_state_is_written(project, place, tmp_path):
    for event in EVENTS:
        ask(project, payload(event))
    session = f"home/.orchestrator/projects/{place.project}"
    assert files(tmp_path) == [f"{session}/current", f"{session}/sessions/{SESSION}/log.jsonl"]
    assert [record["type"] for record in logged(place)] == [
        "orchestration.session.start",
        "orchestration.prompt.decided",
        "orchestration.spawn.requested",
        "orchestration.agent.start",
        "orchestration.spawn.launched",
        "orchestration.agent.end",
        "orchestration.turn.end",
        "orchestration.turn.failed",
        "orchestration.session.end",
    ]


@pytest.mark.parametrize("name", ["PreCompact", "MessageDisplay", "UserPromptExpansion", "", "userpromptsubmit"])
def test_unknown_events_pass_in_silence(name, project, tmp_path):
    assert ask(project, payload("UserPromptSubmit", hook_event_name=name)) == b""
    assert files(tmp_path) == []


@pytest.mark.parametrize("event", EVENTS)
def test_unknown_fields_change_nothing(event, project, place):
    plain = ask(project, payload(event))
    more = ask(project, payload(event, brand_new={"deep": [1, {"x": None}]}, hook_version=99))
    assert more == plain
    first, second = logged(place)
    assert list(first["payload"]) == list(second["payload"])


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (payloads.NOTIFICATION, "task_notification"),
        ("  \n" + payloads.NOTIFICATION, "task_notification"),
        ("/deploy now", "slash_command"),
        ("/orchestrate:report", "slash_command"),
        ("/compact", "slash_command"),
        ("/mcp__server__do.it x", "slash_command"),
        ("<command-name>/model</command-name>", "slash_command"),
        ("<command-message>deploy</command-message>", "slash_command"),
        ("<local-command-stdout>ok</local-command-stdout>", "slash_command"),
        ("<bash-input>ls</bash-input>", "slash_command"),
        ("", "empty"),
        (" \n\t", "empty"),
    ],
)
def test_what_no_person_typed_is_recorded_and_not_routed(text, kind, project, place):
    assert ask(project, prompt(text)) == b""
    (record,) = logged(place)
    assert record["type"] == "orchestration.prompt.skipped"
    assert list(record["payload"]) == ["kind", "hash", "length", "overhead_ms"]
    assert (record["payload"]["kind"], record["payload"]["length"]) == (kind, len(text))


@pytest.mark.parametrize(
    "text",
    [
        "/usr/bin/foo crashes",
        "/ what is this",
        "/etc/passwd: who may read it?",
        "/ö does not work",
        "<div> is not closed in index.html",
        "< 3 lines please",
    ],
)
def test_a_path_or_markup_in_front_is_a_prompt(text, project, place):
    ask(project, prompt(text))
    assert [record["type"] for record in logged(place)] == ["orchestration.prompt.decided"]


@pytest.mark.parametrize(
    "env",
    [
        {"ORCHESTRATOR_DISABLED": "1"},
        {"ORCHESTRATOR_ENABLED": "false"},
    ],
)
@pytest.mark.parametrize("event", ["UserPromptSubmit", "SessionStart", "Stop"])
def test_a_switch_silences_the_hook_and_its_record(env, event, project, tmp_path):
    assert ask(project, payload(event), **env) == b""
    assert files(tmp_path) == []


@pytest.mark.parametrize("depth", ["1", "7", "junk"])
def test_inside_an_agent_of_ours_a_prompt_is_recorded_and_not_routed(depth, project, place):
    assert ask(project, payload("UserPromptSubmit"), ORCHESTRATOR_DEPTH=depth, BATCH_MODE="1") == b""
    (entry,) = logged(place)
    assert (entry["type"], entry["payload"]["kind"]) == ("orchestration.prompt.skipped", "nested")


def test_disabled_looks_at_nothing_not_even_at_garbage(project, tmp_path, capfd):
    assert ask(project, b"\xff{", ORCHESTRATOR_DISABLED="1") == b""
    assert (files(tmp_path), capfd.readouterr()) == ([], ("", ""))


@pytest.mark.parametrize(
    "env", [{"ORCHESTRATOR_DISABLED": "0"}, {"ORCHESTRATOR_DEPTH": "0"}, {"ORCHESTRATOR_DEPTH": ""}]
)
def test_a_switch_that_is_off_is_off(env, project):
    assert ask(project, payload("UserPromptSubmit"), **env) != b""


def test_a_project_that_is_not_enabled_is_silent(project, place, tmp_path):
    keep(place, {"enabled": False})
    before = files(tmp_path)
    assert ask(project, payload("UserPromptSubmit")) == b""
    assert files(tmp_path) == before


def keep(place, values):
    """A snapshot as the cold side leaves it when no settings file exists."""
    from state import snapshot

    sources = [snapshot.stamp(path) for path in snapshot.source_paths(place)]
    content = {"v": 1, "values": {**snapshot.DEFAULTS, **values}, "sources": sources, "error": None}
    os.makedirs(os.path.dirname(snapshot.file(place)), exist_ok=True)
    with open(snapshot.file(place), "w") as file:
        json.dump(content, file)


def test_the_log_never_holds_the_text_unless_asked(project, place):
    secret = "Rename the column sesame_secret_42 in users.sql"
    ask(project, prompt(secret))
    with open(f"{place.state}/sessions/{SESSION}/log.jsonl") as log:
        assert "sesame" not in log.read()
    ask(project, prompt(secret), ORCHESTRATOR_RECORD_PROMPTS="text")
    assert [found.get("text") for found in decided(place)] == [None, secret]


def test_a_kept_text_is_bounded(project, place):
    ask(project, prompt("Rename it. " * 5000), ORCHESTRATOR_RECORD_PROMPTS="text")
    (found,) = decided(place)
    assert (len(found["text"]), found["length"]) == (8192, 55000)


def test_enforcement_off_records_and_says_nothing(project, place):
    assert ask(project, payload("UserPromptSubmit"), ORCHESTRATOR_ENFORCEMENT="off") == b""
    (found,) = decided(place)
    assert (found["action"], found["agent"]) == ("delegate", "haiku-general")
    assert (found["rung"], found["rung_reason"]) == ("none", "enforcement is off")


def test_the_main_thread_that_runs_the_right_tier_is_left_alone(project, place):
    assert ask(project, payload("UserPromptSubmit"), ANTHROPIC_MODEL="claude-haiku-4-5") == b""
    (found,) = decided(place)
    assert (found["action"], found["main_tier"], found["rung"], found["rung_reason"]) == (
        "stay",
        "haiku",
        "none",
        "stay",
    )


def test_the_transcript_says_what_the_main_thread_runs(project, place, tmp_path):
    transcript = tmp_path / "transcript.jsonl"
    lines = [
        {"type": "assistant", "message": {"model": "claude-opus-5-5", "content": [{"type": "text", "text": "hi"}]}},
        {"type": "user", "message": {"content": 'I saw "model":"claude-haiku-5-5" somewhere'}},
    ]
    transcript.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
    ask(project, payload("UserPromptSubmit", transcript_path=str(transcript)), ANTHROPIC_MODEL="claude-haiku-4-5")
    assert [found["main_tier"] for found in decided(place)] == ["opus"]


def test_agents_are_the_ones_of_the_settings(project, place):
    answer = ask(project, payload("UserPromptSubmit"), ORCHESTRATOR_AGENTS__HAIKU="quick-hands")
    assert 'subagent_type "quick-hands", model "haiku"' in said(answer)
    assert [found["agent"] for found in decided(place)] == ["quick-hands"]


def test_a_plugin_s_agents_carry_its_name(project, place):
    plugin = {"CLAUDE_PLUGIN_ROOT": "/plugins/orchestrate"}
    ask(project, payload("UserPromptSubmit"), **plugin)
    ask(project, payload("UserPromptSubmit"), ORCHESTRATOR_AGENTS__HAIKU="quick-hands", **plugin)
    assert [found["agent"] for found in decided(place)] == ["orchestrate:haiku-general", "quick-hands"]


def test_orchestration_in_a_hook_is_a_directive_recorded_as_degraded(project, place):
    answer = ask(project, payload("UserPromptSubmit"), BATCH_MODE="1", **HEADLESS)
    (found,) = decided(place)
    assert said(answer).startswith("[orchestrate ")
    assert (found["context"], found["mode"], found["mode_chosen"], found["degraded"]) == (
        "batch",
        "directive",
        "orchestration",
        "cli_missing",
    )


def test_an_answer_the_client_would_not_take_is_not_given(project, place, capfd):
    assert ask(project, payload("UserPromptSubmit"), ORCHESTRATOR_AGENTS__HAIKU="x" * 4000) == b""
    (record,) = logged(place)
    assert (record["type"], record["payload"]["where"]) == ("orchestration.hook.failed", "handler")
    assert "characters: the client takes 10000" in record["payload"]["error"]
    assert "ValueError" in capfd.readouterr().err


def test_answers_stay_far_below_the_client_s_limit(project):
    for text in ("Fix typo in README.md", "why does this deadlock? " * 400, "x" * 100_000, "漢字" * 5000):
        assert len(ask(project, prompt(text))) < 1000


def test_the_mark_of_a_session_is_its_own(project):
    mine, same, other = (
        said(ask(project, payload("UserPromptSubmit", session_id=session))).split("]")[0] for session in ("a", "a", "b")
    )
    assert mine == same != other


def test_a_session_counts_its_prompts_past_what_its_agents_log(project, place):
    """A dozen subagents lie between two prompts; the second must not look like the first of a session."""
    ask(project, payload("UserPromptSubmit"))
    for _ in range(12):
        for event in ("PreToolUse", "SubagentStart", "PostToolUse", "SubagentStop"):
            ask(project, payload(event))
    ask(project, payload("UserPromptSubmit"))
    assert [found["turn"] for found in decided(place)] == [1, 2]


def test_the_session_is_the_environment_s_when_it_names_one(project, place):
    ask(project, payload("Stop"), ORCHESTRATOR_SESSION="night-shift")
    assert [record["session"] for record in logged(place, "night-shift")] == ["night-shift"]


def test_the_project_is_the_client_s_else_the_payload_s_folder(project, place, home, tmp_path):
    raw = json.dumps(payload("Stop", cwd=str(project))).encode()
    assert entry.handle(raw, {"HOME": str(home), **AT_HOME}) == b""
    assert len(logged(place)) == 1
    elsewhere = json.dumps(payload("Stop", cwd=str(tmp_path / "elsewhere"))).encode()
    assert entry.handle(elsewhere, {"HOME": str(home), "CLAUDE_PROJECT_DIR": str(project)}) == b""
    assert len(logged(place)) == 2


def test_the_record_tells_the_whole_overhead(project, place, home):
    raw = json.dumps(payload("Stop")).encode()
    started = time.monotonic_ns()
    entry.handle(raw, {"HOME": str(home), "CLAUDE_PROJECT_DIR": str(project)}, spent_ms=40.0)
    at_most = (time.monotonic_ns() - started) / 1e6
    (record,) = logged(place)
    assert 40 < record["payload"]["overhead_ms"] <= 40 + at_most + 0.001


def test_a_clock_that_goes_backwards_breaks_nothing(project, place):
    later = time.time() + 3600
    future = journal.event(
        place, "orchestration.prompt.decided", SESSION, "p", ("prompt", "p"), {"turn": 4, "tier": "opus"}, later
    )
    journal.record(place, future)
    assert ask(project, prompt("yes, go on")) == b""
    first, second = logged(place)
    assert first["id"] > second["id"]
    assert second["payload"]["turn"] == 5


@pytest.mark.parametrize("event", EVENTS)
def test_the_process_ends_with_0_and_says_what_the_function_says(event, hook, project, place):
    asked = ask(project, payload(event))
    code, stdout, stderr = hook(payload(event), CLAUDE_PROJECT_DIR=str(project), **AT_HOME)
    assert (code, stdout.encode(), stderr) == (0, asked, "")
    assert len(logged(place)) == 2


def test_main_leaves_without_the_interpreter_s_clean_up(project, home):
    """Nothing after `main` runs: neither `atexit` nor the flush of buffers, which a hook does not need."""
    code = (
        f"import sys, atexit; sys.path.insert(0, {hookline.here()[1]!r}); atexit.register(print, 'late')\n"
        "from orchestrate.entry import main\nmain()\nprint('not left')"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        input=json.dumps(payload("Stop")).encode(),
        cwd=project,
        env={"HOME": str(home)},
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
