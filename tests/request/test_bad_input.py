"""Whatever comes in on stdin: exit code 0, a valid answer or none, and nothing outside the state."""

import json
import os
import time
from pathlib import Path

import pytest
from payloads import AT_HOME, EVENTS, PAYLOADS, SESSION, ask, faults, files, logged, payload, prompt, said
from tiers import some

from state import paths

WRONG = [None, True, 0, -1, 1.5, 10**400, "", "x" * 5000, "\0", "\ud800", [], [[1]], {}, {"a": {"b": [None]}}]
NOT_A_PAYLOAD = {
    "empty": b"",
    "blank": b" \r\n\t",
    "not JSON": b"hello",
    "half": b'{"hook_event_name": "UserPromptSubmit", "prompt": "Fix ty',
    "two values": b"{}{}",
    "list": b"[1, 2]",
    "string": b'"UserPromptSubmit"',
    "number": b"42",
    "null": b"null",
    "NUL bytes": b"\0" * 100,
    "invalid UTF-8": b'{"hook_event_name": \xff\xfe}',
    "UTF-16": '{"hook_event_name": "Stop"}'.encode("utf-16"),
    "deep list": b"[" * 200_000,
    "deep object": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "huge number": b'{"hook_event_name": ' + b"9" * 50_000 + b"}",
}


def only_state(tmp_path, place):
    """What was written anywhere, without what lies in the folder of this project's state."""
    return [name for name in files(tmp_path) if not (tmp_path / name).is_relative_to(place.state)]


@pytest.mark.parametrize("raw", some(NOT_A_PAYLOAD.values(), 4), ids=NOT_A_PAYLOAD)
def test_what_is_no_payload_is_reported_and_never_blocks(raw, hook, place, tmp_path):
    code, stdout, stderr = hook(raw)
    assert (code, stdout) == (0, "")
    assert stderr.startswith("Traceback (most recent call last)")
    (fault,) = faults(place)
    assert list(fault) == ["ts", "event", "session", "where", "error", "traceback"]
    assert (fault["event"], fault["session"], fault["where"]) == ("", "", "decode")
    assert fault["error"].startswith(("ValueError: ", "JSONDecodeError: "))
    assert stderr.endswith(fault["error"] + "\n")
    assert only_state(tmp_path, place) == []


def test_a_payload_without_an_event_is_somebody_else_s(hook, tmp_path):
    assert hook(b"{}") == (0, "", "")
    assert hook(b'{"hook_event_name": null}') == (0, "", "")
    assert files(tmp_path) == []


def fields():
    return [(event, name) for event in EVENTS for name in PAYLOADS[event] if name != "hook_event_name"]


@pytest.mark.parametrize(("event", "name"), some(fields(), 16))
def test_a_field_of_any_shape_is_survived_and_recorded(event, name, project, place, home):
    for wrong in WRONG:
        answer = ask(project, payload(event, **{name: wrong}))
        assert answer == b"" or said(answer)
    sessions = os.listdir(f"{place.state}/sessions")
    logs = [Path(place.state, "sessions", session, "log.jsonl").read_text().splitlines() for session in sessions]
    kinds = [json.loads(line)["type"] for lines in logs for line in lines]
    assert len(kinds) == len(WRONG)
    assert "orchestration.hook.failed" not in kinds
    assert list(home.rglob("hook-errors.log")) == []


@pytest.mark.parametrize("event", EVENTS)
def test_a_payload_of_wrong_fields_only_is_one_record(event, project, place):
    for wrong in WRONG:
        junk = dict.fromkeys(PAYLOADS[event], wrong)
        answer = ask(project, {**junk, "hook_event_name": event, "session_id": SESSION})
        assert answer == b"" or said(answer)
    assert len(logged(place)) == len(WRONG)


@pytest.mark.parametrize("event", ["PreToolUse", "PostToolUse"])
@pytest.mark.parametrize("part", ["tool_input", "tool_response"])
def test_nested_fields_of_any_shape(event, part, project, place):
    for wrong in WRONG:
        nested = dict.fromkeys(
            {**PAYLOADS["PostToolUse"]["tool_input"], **PAYLOADS["PostToolUse"]["tool_response"]}, wrong
        )
        assert ask(project, payload(event, **{part: nested})) == b""
    assert len(logged(place)) == len(WRONG)


@pytest.mark.parametrize(
    "text",
    ["\ud800 fix the typo", "fix \0 the typo", "\udcff", "\u202e fix", "\ufeffFix typo", "🙂" * 3000, "a\u0301" * 9000],
    ids=ascii,
)
def test_odd_text_is_routed_and_its_length_kept(text, hook, place):
    code, stdout, stderr = hook(prompt(text), **AT_HOME)
    assert (code, stderr) == (0, "")
    assert stdout == "" or said(stdout)
    (record,) = logged(place)
    assert (record["type"], record["payload"]["length"]) == ("orchestration.prompt.decided", len(text))


def test_bytes_that_are_no_utf_8_inside_a_prompt_are_replaced(hook, place):
    raw = json.dumps(prompt("Fix typo in README.md @@")).encode().replace(b"@@", b"\xff\xfe")
    code, stdout, stderr = hook(raw, **AT_HOME)
    assert (code, stderr) == (0, "")
    assert "haiku-general" in said(stdout)
    assert [record["payload"]["length"] for record in logged(place)] == [24]


@pytest.mark.slow
def test_fifty_megabytes_are_answered_within_the_time_limit(hook, place):
    before = os.times()
    code, stdout, stderr = hook(prompt("Fix typo in README.md " * 2_400_000), **AT_HOME)
    after = os.times()  # what the hook itself took, whoever else is on the machine
    took_s = after.children_user + after.children_system - before.children_user - before.children_system
    assert 0 < took_s < 2
    assert (code, stderr) == (0, "")
    assert said(stdout)
    (record,) = logged(place)
    assert record["payload"]["length"] == 52_800_000
    assert len(json.dumps(record)) < 2000


@pytest.mark.parametrize(
    "session",
    [
        "../../x",
        "..",
        ".",
        "/etc/passwd",
        "a/b",
        "a\\b",
        "~",
        "é",
        "x" * 129,
        "x" * 100_000,
        "\0",
        "a\0b",
        "\ud800",
        " ",
        "\n",
    ],
    ids=ascii,
)
def test_a_session_id_is_never_a_path(session, project, place, tmp_path):
    assert said(ask(project, payload("UserPromptSubmit", session_id=session)))
    (folder,) = os.listdir(f"{place.state}/sessions")
    assert folder == paths.safe_session(session)
    assert folder.startswith("x-")
    (record,) = logged(place, session)
    assert record["session"] == session
    assert only_state(tmp_path, place) == []


@pytest.mark.parametrize("session", ["", None, 7, ["s"]])
def test_a_session_without_an_id_is_called_unknown(session, project, place):
    ask(project, payload("Stop", session_id=session))
    assert [record["session"] for record in logged(place, "unknown")] == ["unknown"]


@pytest.mark.parametrize(
    "cwd",
    some(["relative", "", "/x\0y", "/x\ud800", "/" + "a/" * 2_000_000, "/" + "a" * 300, None, 5, ["/"]], 3),
    ids=lambda value: ascii(value)[:20],
)
def test_a_folder_that_cannot_be_is_not_looked_for(cwd, hook, place, tmp_path):
    code, stdout, stderr = hook(payload("UserPromptSubmit", cwd=cwd), **AT_HOME)
    assert (code, stderr) == (0, "")
    assert said(stdout)
    state = paths.locate(cwd, os.environ) if cwd == "/" + "a" * 300 else place
    assert len(logged(state)) == 1
    assert only_state(tmp_path, state) == []


def test_the_traceback_is_told_once_a_minute_and_always_kept(project, place, capfd):
    told = []
    for _ in range(3):
        ask(project, b"garbage")
        told.append(capfd.readouterr().err.count("Traceback"))
    log = f"{place.state}/hook-errors.log"
    os.utime(log, (time.time() - 61,) * 2)
    ask(project, b"garbage")
    told.append(capfd.readouterr().err.count("Traceback"))
    assert told == [1, 0, 0, 1]
    assert [fault["error"] for fault in faults(place)] == ["ValueError: not JSON"] * 4


def test_a_full_fault_log_is_rotated(project, place, capfd):
    os.makedirs(place.state)
    log = f"{place.state}/hook-errors.log"
    with open(log, "w") as file:
        file.write("old\n" * (1 << 18) + "\n")
    ask(project, b"garbage")
    assert os.path.getsize(log + ".1") == (1 << 20) + 1
    assert [fault["where"] for fault in faults(place)] == ["decode"]


def test_a_handler_that_fails_is_counted_in_the_session(project, place, capfd):
    """The one way left to make a handler fail from outside: the agent's name makes the answer too long."""
    ask(project, payload("UserPromptSubmit"), ORCHESTRATOR_AGENTS__HAIKU="x" * 9000)
    (record,) = logged(place)
    (fault,) = faults(place)
    assert record["type"] == "orchestration.hook.failed"
    assert record["entity"] == {"type": "hook", "id": "UserPromptSubmit"}
    assert record["payload"] == {"error": fault["error"], "where": "handler", "overhead_ms": 0.0}
    assert (fault["event"], fault["session"]) == ("UserPromptSubmit", SESSION)


@pytest.mark.parametrize(
    "line",
    [
        b'{"type":"orchestration.prompt.decided"}',
        b'{"type":"orchestration.prompt.decided","id":7,"payload":{}}',
        b'{"type":"orchestration.prompt.decided","id":"zz","payload":{}}',
        b'{"id":"0199","payload":[1],"x":{"type":"orchestration.prompt.decided"}}',
        b'{"id":"019900000000","payload":"text","type":"orchestration.prompt.decided"}',
        b'{"id":"019900000000","payload":{"turn":"x","tier":5},"type":"orchestration.prompt.decided"}',
        b'["type":"orchestration.prompt.decided"',
        b'"type":"orchestration.prompt.decided"',
    ],
)
def test_a_spoiled_line_in_the_log_costs_no_answer(line, project, place, home):
    ask(project, payload("Stop"))
    with open(f"{place.state}/sessions/{SESSION}/log.jsonl", "ab") as log:
        log.write(line + b"\n")
    assert said(ask(project, payload("UserPromptSubmit")))
    assert list(home.rglob("hook-errors.log")) == []
