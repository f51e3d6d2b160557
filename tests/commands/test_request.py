import io
import json
import os
import sys

import pytest

from orchestrate.cli import request
from state import config_keys, journal
from state.paths import LOG, session_dir


@pytest.fixture
def ask(project, monkeypatch, capfd):
    """Run `orchestrate-request WORDS` in the project, attended at any hour: (exit code, stdout, stderr)."""
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ATTENDED", "1")

    def run(*words, stdin=b""):
        monkeypatch.chdir(project)
        monkeypatch.setattr(sys, "argv", ["orchestrate-request", *words])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            request()
        return left.value.code, *capfd.readouterr()

    return run


def logged(place, session):
    return [json.loads(line) for line in journal.tail(f"{session_dir(place, session)}/{LOG}", 1 << 20)]


def test_a_typo_goes_to_haiku_and_is_recorded(ask, place):
    code, out, _ = ask("Fix typo in README.md", "--session", "s1")
    assert (code, "Route: haiku-general" in out) == (0, True)
    (entry,) = logged(place, "s1")
    assert (entry["type"], entry["actor"]) == ("orchestration.prompt.decided", "orchestrate-request")
    assert entry["payload"]["agent"] == "haiku-general"
    assert entry["payload"]["overhead_ms"] > 0


def test_interactive_reads_plain_text_from_stdin(ask, place):
    code, out, _ = ask("--interactive", "--session", "s1", stdin=b"Fix typo in README.md\n")
    assert (code, "Route: haiku-general" in out) == (0, True)
    assert len(logged(place, "s1")) == 1


def test_interactive_answers_a_hook_as_the_hook_would(ask, place, project):
    payload = {
        "hook_event_name": "UserPromptSubmit",
        "session_id": "s2",
        "prompt_id": "p",
        "cwd": str(project),
        "prompt": "Fix typo in README.md",
    }
    code, out, _ = ask("--interactive", stdin=json.dumps(payload).encode())
    answer = json.loads(out)["hookSpecificOutput"]
    assert (code, answer["hookEventName"], "haiku-general" in answer["additionalContext"]) == (
        0,
        "UserPromptSubmit",
        True,
    )
    (entry,) = logged(place, "s2")
    assert (entry["actor"], entry["prompt_id"]) == ("hook", "p")


def test_a_dry_run_records_nothing(ask, place):
    code, out, _ = ask("Fix typo in README.md", "--dry-run", "--json", "--session", "s1")
    assert (code, json.loads(out)["agent"]) == (0, "haiku-general")
    assert not os.path.exists(place.state + "/sessions")


def test_json_tells_the_recorded_payload(ask, place):
    _, out, _ = ask("Fix typo in README.md", "--json", "--session", "s1")
    (entry,) = logged(place, "s1")
    assert json.loads(out) == {"session": "s1", "prompt_id": entry["prompt_id"], **entry["payload"]}


@pytest.mark.parametrize("name", ["BATCH_MODE", "CLAUDE_BATCH_MODE", "CLAUDE_OVERNIGHT", "API_REQUEST"])
def test_orchestration_without_a_runner_is_a_directive_and_says_so(ask, place, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    code, out, err = ask("Fix typo in README.md", "--session", "s1")
    assert (code, "Route: haiku-general" in out) == (0, True)
    assert err == "orchestrate-request: claude is not to be had: directive instead of orchestration\n"
    payload = logged(place, "s1")[0]["payload"]
    assert (payload["mode"], payload["mode_chosen"], payload["degraded"]) == (
        "directive",
        "orchestration",
        "cli_missing",
    )


def test_explicit_orchestration_is_refused_where_the_rollout_is_closed(ask, place):
    config_keys.set_key(place, "rollout.enabled", "false", "global")
    code, out, err = ask("Fix typo in README.md", "--mode", "orchestration")
    assert (code, out) == (4, "")
    assert err == "orchestrate-request: orchestration was asked for, but rollout.enabled is false: directive only\n"
    assert ask("Fix typo in README.md")[0] == 0


@pytest.mark.parametrize("words", [[], [""], ["  \n"], ["--interactive"]])
def test_an_empty_request_is_a_usage_error(ask, words):
    code, out, err = ask(*words)
    assert (code, out) == (2, "")
    assert "give a REQUEST" in err


def test_the_first_request_opens_a_session_that_the_next_one_shares(ask, place):
    first = json.loads(ask("Fix typo in README.md", "--json")[1])
    second = json.loads(ask("Rename a to b in x.py", "--json")[1])
    assert first["session"] == second["session"]
    assert second["turn"] == 2
    assert len(logged(place, first["session"])) == 2


def test_the_session_of_the_environment_is_taken(ask, place, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_SESSION", "from-env")
    assert json.loads(ask("Fix typo in README.md", "--json")[1])["session"] == "from-env"
    assert json.loads(ask("Fix typo in README.md", "--json", "--session", "given")[1])["session"] == "given"


def test_a_config_with_a_typo_is_named_and_the_request_still_routed(ask, place):
    os.makedirs(place.user)
    with open(place.user + "/config.yaml", "w") as file:
        file.write("rolout:\n  stage: batch\n")
    code, out, err = ask("Fix typo in README.md")
    assert (code, "Route: haiku-general" in out) == (0, True)
    assert "config.yaml:2: no key named 'rolout.stage' (did you mean rollout.stage?)" in err


def test_a_router_that_fails_gives_sonnet_and_names_the_failure(ask, monkeypatch):
    def broken(*_):
        raise RuntimeError("weights are gone")

    monkeypatch.setattr("routing.routing_core.decide", broken)
    payload = json.loads(ask("Fix typo in README.md", "--json", "--mode", "directive")[1])
    assert (payload["agent"], payload["confidence"], payload["degraded"]) == ("sonnet-general", 0.5, "routing_failed")
    assert payload["reason"] == "routing failed: RuntimeError: weights are gone"


def test_the_same_decision_as_route(ask, capfd, monkeypatch):
    from orchestrate.cli import main

    prompt = "Add CSV export to the orders page with tests"
    asked = json.loads(ask(prompt, "--json", "--dry-run")[1])
    monkeypatch.setattr(sys, "argv", ["orchestrate", "route", prompt, "--json", "--explain"])
    with pytest.raises(SystemExit):
        main()
    routed = json.loads(capfd.readouterr().out)
    assert {name: asked[name] for name in routed} == routed


def test_a_workflow_that_is_named_is_a_signal(ask, project):
    (project / "nightly.yaml").write_text("workflow: {}\n")
    for words, found in (([], False), (["--workflow", "nightly.yaml"], True)):
        told = json.loads(ask("Fix typo in README.md", "--dry-run", "--json", *words)[1])
        assert told["signals"]["has_workflow"] is found


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--workflow", "two.yaml"], "the inputs are: a, b"),
        (["--workflow", "none.yaml", "--dry-run"], "'none.yaml' does not exist"),
    ],
)
def test_a_workflow_is_not_silently_left_out(ask, project, words, complaint):
    two = "workflow: {name: two, steps: [{id: one, agent: haiku-general, prompt: 'join {a} and {b}'}]}\n"
    (project / "two.yaml").write_text(two)
    code, out, err = ask("Fix typo in README.md", *words)
    assert (code, out, complaint in err) == (2, "", True)


def test_a_check_without_a_run_is_not_passed_over(ask, project):
    code, out, err = ask("Fix typo in README.md", "--check", "touch checked")
    assert (code, "Route: haiku-general" in out) == (1, True)
    assert err.endswith("orchestrate-request: --check: no agent was run, and so there is nothing to check\n")
    assert not (project / "checked").exists()
    assert ask("Fix typo in README.md", "--check", "touch checked", "--dry-run")[0] == 0


@pytest.mark.parametrize("check", ["", "sh -c 'make"])
def test_a_check_that_is_no_command_is_a_usage_error(ask, check):
    code, out, err = ask("Fix typo in README.md", "--check", check)
    assert (code, out, err.startswith("orchestrate-request: --check: ")) == (2, "", True)
