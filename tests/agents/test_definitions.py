"""The agents that there are, read from their files as the client reads them (all of it seen with 2.1.329)."""

import os
import subprocess
import sys

import pytest

from orchestrate.agents.definitions import CLIENT, CLIENT_OWN, OURS, PROJECT, USER, Definition, find, known, parse
from state.errors import NOT_FOUND, UserError

SHIPPED = ["haiku-general", "opus-general", "sonnet-general"]
CLIENTS = ["Explore", "Plan", "claude", "general-purpose", "statusline-setup"]


@pytest.fixture
def write(project, home):
    """Write one agent's file: of the project, or of the user."""

    def put(path, front, body="do it", source=PROJECT):
        base = {PROJECT: project, USER: home}[source] / ".claude" / "agents"
        (base / path).parent.mkdir(parents=True, exist_ok=True)
        (base / path).write_text(f"---\n{front}\n---\n{body}\n")
        return str(base / path)

    return put


@pytest.fixture
def env(home):
    return {"HOME": str(home)}


def parsed(text):
    found = parse(text if isinstance(text, bytes) else text.encode(), PROJECT, "a.md")
    return None if found is None else (found.name, found.description, found.model, found.tools, found.prompt)


def test_every_field_of_a_definition(write, place, env):
    front = "name: a\ndescription: d\nmodel: opus\ntools: Read, Grep\ndisallowedTools: Bash"
    path = write("a.md", front, body="\nOne.\n\nTwo.\n")
    expected = Definition("a", "d", "opus", ["Read", "Grep"], ["Bash"], "One.\n\nTwo.", PROJECT, path)
    assert find(place, env, "a") == expected
    assert expected.as_json() == {
        "description": "d",
        "prompt": "One.\n\nTwo.",
        "model": "opus",
        "tools": ["Read", "Grep"],
        "disallowedTools": ["Bash"],
    }


def test_what_is_not_said_is_not_passed_on(write, place, env):
    write("a.md", "name: a\ndescription: d")
    assert find(place, env, "a").as_json() == {"description": "d", "prompt": "do it"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("---\nname: a\ndescription: d\n---\nbody\n", ("a", "d", None, None, "body")),
        ("---\r\nname: a\r\ndescription: d\r\n---\r\nbody\r\n", ("a", "d", None, None, "body")),
        ("\ufeff---\nname: a\ndescription: d\n---\nbody", ("a", "d", None, None, "body")),
        ("--- \nname: a\ndescription: d\n---  \nbody", ("a", "d", None, None, "body")),
        ("---\nname: a\ndescription: d\n---", ("a", "d", None, None, "")),
        ("---\nname: a\ndescription: caf\xe9\n---\n".encode("latin-1"), ("a", "caf\ufffd", None, None, "")),
        ("---\nname: a\ndescription: >-\n  one\n  two\n---\n", ("a", "one two", None, None, "")),
        ("---\nname: a\ndescription: 'it: is'\n---\n", ("a", "it: is", None, None, "")),
        (
            "---\nname: a\ndescription: Use this: when <x>y: z</x>\n---\n",
            ("a", "Use this: when <x>y: z</x>", None, None, ""),
        ),
        ("---\nname: a\ndescription: d # why\n---\n", ("a", "d", None, None, "")),
        ("---\nname: a\ndescription: d\n\nmodel: haiku\n---\n", ("a", "d", "haiku", None, "")),
        ("---\nname: a\ndescription: d\nmodel: inherit\n---\n", ("a", "d", None, None, "")),
        ("---\nname: a\ndescription: d\nmodel:\n---\n", ("a", "d", None, None, "")),
        ("---\nname: a\ndescription: d\ntools: [Read, 'Bash(ls)']\n---\n", ("a", "d", None, ["Read", "Bash(ls)"], "")),
        ("---\nname: a\ndescription: d\ntools:\n  - Read\n  - Grep\n---\n", ("a", "d", None, ["Read", "Grep"], "")),
        (
            "---\nname: a\ndescription: d\ntools: Read, Bash(git log:*, git show:*), Grep\n---\n",
            ("a", "d", None, ["Read", "Bash(git log:*, git show:*)", "Grep"], ""),
        ),
        ("---\nname: a\ndescription: d\ntools: '*'\n---\n", ("a", "d", None, None, "")),
        ("---\nname: a\ndescription: d\ntools:\n---\n", ("a", "d", None, [], "")),
        ("---\nname: a\ndescription: d\ntools: ''\n---\n", ("a", "d", None, [], "")),
        ("---\nname: a\ndescription: d\ntools: []\n---\n", ("a", "d", None, [], "")),
        ("---\nname: with space\ndescription: d\n---\n", ("with space", "d", None, None, "")),
        ("---\nname: a\ndescription: d\nwhen: 2026-13-45\n---\n", ("a", "d", None, None, "")),
    ],
)
def test_a_file_that_is_an_agent(text, expected):
    assert parsed(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "only text",
        "---\nname: a\ndescription: d\n",
        "\n---\nname: a\ndescription: d\n---\n",
        "---\ndescription: d\n---\n",
        "---\nname: a\n---\n",
        "---\nname: a\ndescription:\n---\n",
        "---\nname: 42\ndescription: d\n---\n",
        "---\nname: true\ndescription: d\n---\n",
        '---\nname: a\ndescription: "no end\n---\n',
        "---\nname: a\ndescription: d\n\ttools: Read\n---\n",
        "---\n- name: a\n---\n",
        "---\n---\n",
        b"\x00\xff\xfe",
    ],
)
def test_a_file_that_is_none(text):
    assert parsed(text) is None


def test_the_projects_agent_beats_the_users_and_the_users_beats_ours(write, place, env):
    write("x.md", "name: haiku-general\ndescription: project", source=PROJECT)
    write("y.md", "name: haiku-general\ndescription: user", source=USER)
    write("z.md", "name: opus-general\ndescription: user", source=USER)
    found = known(place, env)
    assert {name: (found[name].source, found[name].description[:7]) for name in SHIPPED} == {
        "haiku-general": (PROJECT, "project"),
        "opus-general": (USER, "user"),
        "sonnet-general": (OURS, "Everyda"),
    }
    assert [find(place, env, name) for name in found] == list(found.values())


def test_of_two_in_one_folder_the_first_path_wins(write, place, env):
    for path in ("zzz/a.md", "b.md", "a/z.md"):
        write(path, f"name: two\ndescription: {path}")
    assert find(place, env, "two").description == "a/z.md"


def test_the_client_may_keep_the_users_elsewhere(write, place, home):
    write("a.md", "name: a\ndescription: d", source=USER)
    found = known(place, {"HOME": "/nowhere", "CLAUDE_CONFIG_DIR": f"{home}/.claude"})
    assert list(found) == sorted(["a", *SHIPPED, *CLIENTS])


def test_without_a_home_there_are_the_projects_and_ours(write, place):
    write("a.md", "name: a\ndescription: d")
    assert list(known(place, {})) == sorted(["a", *SHIPPED, *CLIENTS])


def test_links_are_followed_and_a_loop_ends(write, place, env, project, tmp_path):
    write("a.md", "name: a\ndescription: d")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "b.md").write_text("---\nname: b\ndescription: d\n---\n")
    os.symlink(elsewhere, project / ".claude" / "agents" / "linked")
    for name in ("back", "again"):  # followed to the end, two of them would take for ever
        os.symlink(project / ".claude", elsewhere / name)
    assert [name for name, agent in known(place, env).items() if agent.source == PROJECT] == ["a", "b"]


def test_what_cannot_be_read_hides_nothing(write, place, env, project):
    write("a.md", "name: a\ndescription: d")
    os.mkfifo(project / ".claude" / "agents" / "pipe.md")
    os.symlink("nowhere", project / ".claude" / "agents" / "dead.md")
    (project / ".claude" / "agents" / "folder.md").mkdir()
    assert list(known(place, env)) == sorted(["a", *SHIPPED, *CLIENTS])


@pytest.mark.parametrize("name", CLIENTS)
def test_the_clients_own_agents_need_no_file(place, env, name):
    found = find(place, env, name)
    assert (found.source, found.model, found.prompt, found.path) == (CLIENT, None, "", "")
    assert found == known(place, env)[name]


def test_a_file_of_the_name_beats_the_clients_own(write, place, env):
    write("a.md", "name: Plan\ndescription: mine", source=USER)
    assert (find(place, env, "Plan").source, known(place, env)["Plan"].description) == (USER, "mine")


def test_the_clients_own_are_these():
    assert [agent.name for agent in CLIENT_OWN] == CLIENTS


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("explore", "agent 'explore': there is none (did you mean Explore?)"),
        ("orchestrate:Plan", "agent 'orchestrate:Plan': there is none (did you mean Plan?)"),
        ("haiku-genral", "agent 'haiku-genral': there is none (did you mean haiku-general or opus-general?)"),
        ("nobody", "agent 'nobody': there is none (`orchestrate agents list` shows them)"),
        ("", "agent '': there is none (`orchestrate agents list` shows them)"),
        (
            "other:sonnet-general",
            "agent 'other:sonnet-general': there is none (did you mean sonnet-general or opus-general?)",
        ),
    ],
)
def test_a_wrong_name_is_told_with_those_near_it(place, env, name, message):
    with pytest.raises(UserError) as raised:
        find(place, env, name)
    assert (str(raised.value), raised.value.code) == (message, NOT_FOUND)


def test_the_plugins_name_means_ours_even_where_the_user_has_one_of_that_name(write, place, env):
    write("a.md", "name: haiku-general\ndescription: user", source=USER)
    assert find(place, env, "orchestrate:haiku-general").source == OURS


@pytest.mark.parametrize("name", SHIPPED)
def test_ours_name_their_tier_and_have_a_prompt(place, env, name):
    found = find(place, env, name)
    assert (found.model, found.tools, found.refused_tools) == (name.partition("-")[0], None, None)
    assert len(found.prompt) > 200


def test_an_installed_agent_is_found_without_a_yaml_parser(place, env, home):
    code = (
        "import os, sys\nfrom state.paths import locate\nfrom orchestrate.agents.definitions import find\n"
        "find(locate(os.getcwd(), os.environ), os.environ, 'haiku-general')\nprint('yaml' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=place.root, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
