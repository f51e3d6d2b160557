import json

import pytest

from state import snapshot


def test_context_names_every_signal(cli, monkeypatch):
    monkeypatch.setenv("CLAUDE_BATCH_MODE", "1")
    code, out, _ = cli("context", "--json")
    found = json.loads(out)
    assert code == 0
    assert found.pop("hour") in range(24)
    assert found.pop("is_overnight") in (True, False)
    assert found == {
        "context": "batch",
        "is_interactive": False,
        "is_batch": True,
        "is_api": False,
        "has_workflow": False,
        "user_preference": "auto",
        "declared": "batch",
    }


def test_context_in_words(cli, monkeypatch):
    monkeypatch.setenv("API_REQUEST", "1")
    lines = cli("context").out.splitlines()
    assert lines[0] == "context: api"
    assert "is_api: yes" in lines


def test_a_workflow_file_is_a_signal(cli, place, project):
    (project / ".orchestrator/workflows").mkdir(parents=True)
    (project / ".orchestrator/workflows/nightly.yaml").write_text("workflow: {}\n")
    assert json.loads(cli("context", "--json").out)["has_workflow"] is True


def test_explain_gives_mode_reason_and_signals(cli, monkeypatch):
    monkeypatch.setenv("CLAUDE_OVERNIGHT", "1")
    found = json.loads(cli("mode", "--explain", "--json").out)
    assert (found["mode"], found["reason"], found["source"]) == ("orchestration", "CLAUDE_OVERNIGHT=1", "rollout")
    assert found["signals"]["context"] == "overnight"


@pytest.mark.parametrize("word", ["directive", "orchestration", "auto"])
def test_set_holds_from_the_next_prompt_on(cli, place, word):
    assert cli("mode", "set", word).out == f"mode: {word} (this project, from the next prompt on)\n"
    assert snapshot.read(place, {}).values["mode"] == word


def test_the_preference_orchestration_moves_an_interactive_user(cli, monkeypatch):
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ATTENDED", "1")
    assert cli("mode").out == "directive\n"
    cli("mode", "set", "orchestration", "--global")
    assert cli("mode").out == "orchestration\n"
    cli("mode", "set", "directive")
    assert cli("mode", "--explain").out.splitlines()[0] == "directive: the preference is directive"


def test_another_word_is_a_usage_error(cli):
    code, out, err = cli("mode", "set", "telepathy")
    assert (code, out) == (2, "")
    assert "telepathy" in err


def test_what_is_wrong_with_the_settings_is_told(cli, place, project):
    (project / ".orchestrator").mkdir()
    (project / ".orchestrator/config.yaml").write_text("mode: telepathy\n")
    code, out, err = cli("mode")
    assert (code, out) == (0, "directive\n")
    assert "config.yaml:1" in err


@pytest.mark.parametrize("name", ["ORCHESTRATOR_MODE", "ORCHESTRATOR_ROLLOUT__STAGE"])
def test_a_value_that_a_variable_cannot_have_is_told(cli, monkeypatch, name):
    monkeypatch.setenv(name, "bogus")
    ran = cli("mode")
    assert ran.code == 0
    assert f"{name}=bogus" in ran.err
