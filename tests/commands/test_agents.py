import json
import os

import pytest

from orchestrate.commands import request
from orchestrate.commands.agents import command

SHIPPED = ["haiku-general", "opus-general", "sonnet-general"]
FRONT = "name: planner\ndescription: Plans the work of a sprint.\nmodel: opus\ntools: Read, Grep\n"
CLAUDE = """#!/bin/sh
while [ "$1" != --agent ]; do shift; done
echo '{"type":"assistant","message":{"id":"m","model":"claude-x","content":[{"type":"text","text":"'$2'"}]}}'
echo '{"type":"result","subtype":"success","is_error":false,"result":"'$2'"}'
"""


@pytest.fixture
def planner(project):
    path = project / ".claude" / "agents" / "planner.md"
    path.parent.mkdir(parents=True)
    path.write_text(f"---\n{FRONT}---\nPlan first.\n\nThen write it down.\n")
    return str(path)


def test_all_agents_are_listed_by_name(cli, planner):
    code, out, err = cli("agents", "list")
    rows = [line.split(None, 3)[:3] for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert rows == [
        ["Explore", "-", "client"],
        ["Plan", "-", "client"],
        ["claude", "-", "client"],
        ["general-purpose", "-", "client"],
        ["haiku-general", "haiku", "ours"],
        ["opus-general", "opus", "ours"],
        ["planner", "opus", "project"],
        ["sonnet-general", "sonnet", "ours"],
        ["statusline-setup", "-", "client"],
    ]
    assert out.splitlines()[6] == "planner           opus    project  Plans the work of a sprint."
    assert max(map(len, out.splitlines())) < 120


def test_the_list_as_json_names_the_files(cli, planner):
    listed = json.loads(cli("agents", "list", "--json").out)
    assert [entry["name"] for entry in listed if entry["source"] != "client"] == [*SHIPPED[:2], "planner", SHIPPED[2]]
    assert next(entry for entry in listed if entry["name"] == "planner") == {
        "name": "planner",
        "model": "opus",
        "source": "project",
        "description": "Plans the work of a sprint.",
        "path": planner,
    }


def test_one_agent_is_shown_whole(cli, planner):
    assert cli("agents", "show", "planner") == (
        0,
        "name: planner\n"
        "description: Plans the work of a sprint.\n"
        "model: opus\n"
        "tools: Read, Grep\n"
        "refused_tools: -\n"
        "source: project\n"
        f"path: {planner}\n"
        "\n"
        "Plan first.\n\nThen write it down.\n",
        "",
    )


def test_one_agent_as_json(cli, planner):
    assert json.loads(cli("agents", "show", "planner", "--json").out) == {
        "name": "planner",
        "description": "Plans the work of a sprint.",
        "model": "opus",
        "tools": ["Read", "Grep"],
        "refused_tools": None,
        "prompt": "Plan first.\n\nThen write it down.",
        "source": "project",
        "path": planner,
    }


def test_an_agent_without_tools_says_so(cli, project):
    folder = project / ".claude" / "agents"
    folder.mkdir(parents=True)
    (folder / "a.md").write_text("---\nname: a\ndescription: d\ntools: []\n---\n")
    assert "tools: none\n" in cli("agents", "show", "a").out


def test_an_agent_of_the_client_has_no_file_and_no_prompt_to_show(cli):
    assert cli("agents", "show", "Explore") == (
        0,
        "name: Explore\n"
        "description: Looks things up in the code, and changes nothing.\n"
        "model: -\n"
        "tools: -\n"
        "refused_tools: Agent, Edit, Write\n"
        "source: client\n"
        "path: -\n",
        "",
    )


def test_installing_makes_ours_the_users(cli):
    assert cli("install").code == 0
    listed = json.loads(cli("agents", "list", "--json").out)
    sources = [(entry["name"], entry["source"]) for entry in listed if entry["source"] != "client"]
    assert sources == [(name, "user") for name in SHIPPED]


def test_an_unknown_agent_ends_with_three(cli):
    message = "orchestrate: agent 'sonnet': there is none (did you mean sonnet-general?)\n"
    assert cli("agents", "show", "sonnet") == (3, "", message)


@pytest.fixture
def fake_claude(tmp_path, monkeypatch):
    """A client that answers with the agent that it was started as."""
    path = tmp_path / "bin" / "claude"
    path.parent.mkdir()
    path.write_text(CLAUDE)
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")


def test_run_has_the_named_agent_answer(cli, fake_claude):
    code, out, err = cli("agents", "run", "opus-general", "Fix typo in README.md")
    assert (code, out) == (0, "opus-general\n")
    assert err.splitlines()[0] == "opus-general: started on opus"


def test_run_takes_an_agent_of_the_client(cli, fake_claude):
    code, out, err = cli("agents", "run", "general-purpose", "Fix typo in README.md")
    assert (code, out) == (0, "general-purpose\n")
    assert err.splitlines()[0] == "general-purpose: started on haiku"


def test_run_takes_a_check(cli, fake_claude):
    code, out, err = cli("agents", "run", "haiku-general", "Fix it", "--check", "false")
    assert (code, out) == (1, "haiku-general\n")
    assert "red_check: the check is red: false: exit code 1 (run r-" in err.splitlines()[-1]


def test_run_takes_the_options_of_orchestrate_request(cli, fake_claude):
    record = json.loads(cli("agents", "run", "haiku-general", "Fix it", "--model", "sonnet", "--json").out)
    assert (record["agent"], record["model_requested"], record["answer"]) == (
        "haiku-general",
        "sonnet",
        "haiku-general",
    )
    assert record["decision"]["override"] is True
    options = {option for option in request.command.params if option.name not in ("agent", "request")}
    assert options == {option for option in command.commands["run"].params if option.name not in ("agent", "request")}


@pytest.mark.parametrize("words", [["opus-general"], []])
def test_run_wants_an_agent_and_a_request(cli, words):
    code, out, _ = cli("agents", "run", *words)
    assert (code, out) == (2, "")


def test_running_an_unknown_agent_ends_with_three(cli, fake_claude):
    message = "orchestrate: agent 'nobody': there is none (`orchestrate agents list` shows them)\n"
    assert cli("agents", "run", "nobody", "Fix it") == (3, "", message)
