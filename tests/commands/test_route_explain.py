import json

import pytest
from made_talk import SESSION, Talk, decided

from orchestrate.learning import kept, records
from routing.correction import Correction

PROMPT = "9cb158ba-4e0e-4d2e-9c21-b931a26e7113"
TEXT = "Fix typo in README.md"
ANSWER = {
    "status": "completed",
    "agentId": "a1",
    "agentType": "haiku-general",
    "resolvedModel": "claude-haiku-5-5",
}


@pytest.fixture
def talk(project, home, place):
    """A prompt that was decided, done by an agent, and spoken of."""
    session = Talk(project, home)
    session.ask(PROMPT, TEXT)
    given = {"subagent_type": "haiku-general", "model": "haiku", "prompt": TEXT}
    told = {"tool_name": "Agent", "tool_use_id": "t", "tool_input": given}
    session.call("PreToolUse", PROMPT, **told)
    session.call("PostToolUse", PROMPT, **told, tool_response=ANSWER)
    session.end(PROMPT)
    return session


def test_everything_that_is_known_of_a_decision(cli, talk, place):
    cli("feedback", "too-weak", "--note", "it was not one typo")
    code, out, err = cli("route", "explain", "9cb1")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith(f"prompt {PROMPT} of session {SESSION}, ")
    assert lines[1].startswith("decided: haiku-general (direct, delegate, confidence 0.")
    assert lines[2].startswith("because: haiku: ")
    assert "main thread: not known" in lines
    assert any(line.startswith("rung: directive (") for line in lines)
    assert "correction in force: none" in lines
    assert any(line.startswith("served: haiku-general: ") for line in lines)
    assert any(line.startswith("feedback: too-weak (user, ") and line.endswith("it was not one typo") for line in lines)
    assert lines[-1] == "signal: user: too-weak of haiku, right is sonnet or opus"
    assert TEXT not in out


def test_json_has_the_decision_as_it_was_recorded(cli, talk, place):
    found = json.loads(cli("route", "explain", PROMPT, "--json").out)
    payload = decided(place)[0].payload
    assert found["decided"] == {name: payload[name] for name in found["decided"]}
    assert found["features"] == payload["features"]
    assert found["features"] != []
    assert (found["session"], found["hash"], found["length"]) == (SESSION, payload["hash"], len(TEXT))
    assert [row["agent"] for row in found["served"]] == ["haiku-general"]
    assert "text" not in found


def test_the_text_comes_from_the_transcript_and_only_when_asked(cli, talk):
    assert cli("route", "explain", PROMPT, "--text").out.endswith(f"\n\n{TEXT}\n")
    assert json.loads(cli("route", "explain", PROMPT, "--text", "--json").out)["text"] == TEXT
    talk.transcript.unlink()
    code, out, err = cli("route", "explain", PROMPT, "--text")
    assert (code, out) == (3, "")
    assert err == f"orchestrate: prompt {PROMPT}: its text is in no transcript: leave out --text for the rest\n"


def test_the_correction_that_was_in_force_is_named(cli, talk, place):
    record = kept.record_of(Correction("draft", (0.1, 0.1)), "2026-11-21T12:00:00.000Z", {})
    kept.write(place, record)
    talk.ask("p-2", TEXT)
    assert f"correction in force: {record['id']}" in cli("route", "explain", "p-2").out.splitlines()
    assert json.loads(cli("route", "explain", PROMPT, "--json").out)["correction"] is None


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        ({"tier": "opus", "model": "claude-haiku-5-5", "cached": False}, "judge: opus (claude-haiku-5-5)"),
        ({"tier": "opus", "model": "haiku", "cached": True}, "judge: opus (kept from before)"),
        ({"failed": "its answer names no tier"}, "judge: failed: its answer names no tier"),
    ],
)
def test_a_judgement_is_told(cli, talk, place, verdict, told):
    talk.ask("p-7", TEXT)
    payload = decided(place)[-1].payload
    talk.tell(place, "prompt.decided", "p-7", {**payload, "judged": {**verdict, "took_ms": 1.0}}, ("prompt", "p-7"))
    assert told in cli("route", "explain", "p-7").out.splitlines()


def test_what_changed_the_decision_is_told(cli, talk, place):
    payload = {**decided(place)[0].payload, "tier": "sonnet", "stepped_down": {"from": "opus", "why": "quota is short"}}
    talk.tell(place, "prompt.decided", "p-3", payload, ("prompt", "p-3"))
    assert "stepped down: from opus: quota is short" in cli("route", "explain", "p-3").out.splitlines()


def test_an_older_record_is_explained_as_far_as_it_tells(cli, talk, place):
    talk.tell(place, "prompt.decided", "p-4", {"agent": "haiku-general", "tier": "haiku"}, ("prompt", "p-4"))
    assert cli("route", "explain", "p-4").code == 0
    records.collect(place)


@pytest.mark.parametrize("words", [["zzz"], ["zzz", "--json"], ["zzz", "--text"]])
def test_an_unknown_prompt_is_exit_3(cli, talk, words):
    code, out, err = cli("route", "explain", *words)
    assert (code, out) == (3, "")
    assert err.startswith("orchestrate: prompt 'zzz': no decision is recorded here")
