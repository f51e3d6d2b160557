import json

import pytest

SHIPPED = ["haiku-general", "opus-general", "sonnet-general"]
FRONT = "name: planner\ndescription: Plans the work of a sprint.\nmodel: opus\ntools: Read, Grep\n"


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
        ["haiku-general", "haiku", "ours"],
        ["opus-general", "opus", "ours"],
        ["planner", "opus", "project"],
        ["sonnet-general", "sonnet", "ours"],
    ]
    assert out.splitlines()[2] == "planner         opus    project  Plans the work of a sprint."
    assert max(map(len, out.splitlines())) < 120


def test_the_list_as_json_names_the_files(cli, planner):
    listed = json.loads(cli("agents", "list", "--json").out)
    assert [entry["name"] for entry in listed] == ["haiku-general", "opus-general", "planner", "sonnet-general"]
    assert listed[2] == {
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


def test_installing_makes_ours_the_users(cli):
    assert cli("install").code == 0
    listed = json.loads(cli("agents", "list", "--json").out)
    assert [(entry["name"], entry["source"]) for entry in listed] == [(name, "user") for name in SHIPPED]


def test_an_unknown_agent_ends_with_three(cli):
    message = "orchestrate: agent 'sonnet': there is none (did you mean sonnet-general?)\n"
    assert cli("agents", "show", "sonnet") == (3, "", message)
