"""What one agent is started with: nothing of the request, of a secret or of the caller's client in it."""

import json
import re
from uuid import UUID

import pytest
from faking import Desk
from tiers import some

from orchestrate.agents import command
from orchestrate.agents.command import Spec

SPEC = Spec(
    program="claude",
    model="haiku",
    agent="haiku-general",
    definition=None,
    fallback_model="",
    max_turns=0,
    max_budget_usd=0.0,
    permission_mode="",
    client_session="0b8cf4cb-5d5c-4d0f-8d7c-1f1f3a6f2a10",
    note="",
    request_timeout_s=600.0,
    retries=2,
)
ALWAYS = ["claude", "-p", "--output-format", "stream-json", "--verbose", "--settings", '{"disableAllHooks":true}']
NAMED = ["--model", "haiku", "--agent", "haiku-general"]
SESSION = ["--session-id", SPEC.client_session]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, [*NAMED, *SESSION]),
        ({"program": "/opt/claude"}, [*NAMED, *SESSION]),
        ({"fallback_model": "sonnet"}, [*NAMED, "--fallback-model", "sonnet", *SESSION]),
        ({"max_turns": 7}, [*NAMED, "--max-turns", "7", *SESSION]),
        ({"max_budget_usd": 2.5}, [*NAMED, "--max-budget-usd", "2.5", *SESSION]),
        ({"max_budget_usd": 3.0}, [*NAMED, "--max-budget-usd", "3", *SESSION]),
        ({"permission_mode": "plan"}, [*NAMED, "--permission-mode", "plan", *SESSION]),
        ({"note": "read it"}, [*NAMED, *SESSION, "--append-system-prompt", "read it"]),
        (
            {"definition": {"description": "ä", "prompt": "p"}},
            [*NAMED, *SESSION, "--agents", '{"haiku-general":{"description":"ä","prompt":"p"}}'],
        ),
    ],
)
def test_the_command_line(changes, words):
    spec = SPEC._replace(**changes)
    assert command.argv(spec) == [spec.program, *ALWAYS[1:], *words]


def test_the_environment():
    env = {"HOME": "/h", "ANTHROPIC_API_KEY": "k", "API_TIMEOUT_MS": "5", "ORCHESTRATOR_SESSION": "old"}
    assert command.environment(env, SPEC, "s1", {"ORCHESTRATOR_CONTEXT_FILE": "/c"}) == {
        "HOME": "/h",
        "ANTHROPIC_API_KEY": "k",
        "API_TIMEOUT_MS": "600000",
        "CLAUDE_CODE_MAX_RETRIES": "2",
        "DISABLE_AUTOUPDATER": "1",
        "ORCHESTRATOR_CONTEXT_FILE": "/c",
        "ORCHESTRATOR_DEPTH": "1",
        "ORCHESTRATOR_SESSION": "s1",
        "ORCHESTRATOR_SESSION_ID": "s1",
    }


@pytest.mark.parametrize(
    ("name", "stays"),
    [
        ("CLAUDECODE", False),
        ("CLAUDE_CODE_ENTRYPOINT", False),
        ("CLAUDE_CODE_SESSION_ATTENDED", False),
        ("CLAUDE_CODE_SESSION_ID", False),
        ("CLAUDE_CODE_CHILD_SESSION", False),
        ("CLAUDE_CODE_MESSAGING_TOKEN", False),
        ("CLAUDE_EFFORT", False),
        ("CLAUDE_ENV_FILE", False),
        ("CLAUDE_PID", False),
        ("CLAUDE_PLUGIN_ROOT", False),
        ("CLAUDE_PROJECT_DIR", False),
        ("AI_AGENT", False),
        ("CLAUDE_CONFIG_DIR", True),
        ("CLAUDE_CODE_OAUTH_TOKEN", True),
        ("CLAUDE_CODE_USE_BEDROCK", True),
        ("ANTHROPIC_BASE_URL", True),
        ("HTTPS_PROXY", True),
    ],
)
def test_what_the_caller_was_told_is_not_passed_on(name, stays):
    assert (name in command.environment({name: "x"}, SPEC, "s1", {})) == stays


@pytest.mark.parametrize(
    ("before", "after"), [(None, "1"), ("", "1"), ("0", "1"), ("1", "2"), ("2", "3"), ("many", "2")]
)
def test_the_depth_counts(before, after):
    env = {} if before is None else {command.DEPTH: before}
    assert command.environment(env, SPEC, "s1", {})[command.DEPTH] == after


def test_every_attempt_is_a_session_of_its_own():
    made = {command.new_session() for _ in range(1000)}
    assert len(made) == 1000
    assert {(str(UUID(each)) == each, UUID(each).version, UUID(each).variant) for each in made} == {
        (True, 4, "specified in RFC 4122")
    }


@pytest.fixture
def desk(place, tmp_path):
    return Desk(place, tmp_path / "desk")


def test_neither_the_request_nor_a_secret_is_where_ps_shows_it(desk):
    key = "sk-ant-api03-abcdefghijklmnopqrstuvwxyz"
    assert desk.ask("ok", ANTHROPIC_API_KEY=key, CLAUDE_CODE_SESSION_ID="the caller's").code == 0
    argv = desk.saw("argv")
    assert (desk.saw("stdin"), "README" in argv, key in argv) == ("Fix typo in README.md", False, False)
    env = dict(line.split("=", 1) for line in desk.saw("env").splitlines() if "=" in line)
    assert (env["ANTHROPIC_API_KEY"], env["ORCHESTRATOR_DEPTH"], "CLAUDE_CODE_SESSION_ID" in env) == (key, "1", False)
    assert "README" not in "".join(value for name, value in env.items() if name.startswith("ORCHESTRATOR_"))


def test_each_attempt_is_started_with_a_session_of_its_own(desk):
    desk.ask("crash ok")
    first, second = desk.sessions()
    assert first != second


@pytest.mark.parametrize(
    ("request_", "told"),
    some(
        [
            ("Fix typo in README.md", "Fix typo in README.md"),
            ("/review the change", "The request: /review the change"),
            ("-p --model opus", "-p --model opus"),
            ("naïve café \N{PILE OF POO}", "naïve café \N{PILE OF POO}"),
        ],
        2,
    ),
)
def test_the_request_arrives_as_a_request(desk, request_, told):
    assert desk.ask("ok", "--", request=request_).code == 0
    assert desk.saw("stdin") == told


def test_our_own_agents_are_told_to_a_client_that_does_not_know_them(desk):
    desk.ask("ok")
    told = re.search(r"--agents (\{.*\})", desk.saw("argv"), re.S)
    assert json.loads(told[1])["haiku-general"].keys() >= {"description", "prompt"}


def test_an_agent_of_the_project_is_known_to_the_client(desk, project):
    folder = project / ".claude" / "agents"
    folder.mkdir(parents=True)
    (folder / "haiku-general.md").write_text("---\nname: haiku-general\ndescription: mine\n---\nDo it.\n")
    desk.ask("ok")
    assert ("--agent haiku-general" in desk.saw("argv"), "--agents" in desk.saw("argv")) == (True, False)
