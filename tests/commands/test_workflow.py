"""`orchestrate workflow validate|show|list` and `wave plan`: what is printed, and how they end."""

import json
import subprocess
import sys
from xml.etree import ElementTree

import pytest

GOOD = """\
workflow:
  name: research
  inputs: {topic: , depth: 2}
  steps:
    - {id: search, agent: haiku-general, prompt: "On {topic} {depth}", output: found}
    - {id: read, route: auto, depends_on: search, prompt: "Read {found}", output: notes}
    - {id: check, command: make lint, depends_on: search}
    - {id: write, agent: sonnet-general, depends_on: [read, check], prompt: "Write {notes}"}
"""
ODD = 'workflow: {steps: [{id: a, route: auto, prompt: x, when: "1 == 2"}]}\n'
BAD = """\
workflow:
  steps:
    - {id: a, agent: haiku-genral, prompt: x, depends_on: c}
    - {id: b, agent: haiku-general, prompt: x, depends_on: a}
    - {id: c, agent: haiku-general, prompt: "{y", depends_on: b}
"""


@pytest.fixture
def put(project, home):
    def write(name, text, folder=None):
        path = (folder or project / ".orchestrator/workflows") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    (project / ".orchestrator").mkdir()
    return write


WAITS = ".orchestrator/workflows/w.yaml:7: steps.check.command: make lint is not run until you trust this repository"


def test_a_good_workflow_is_told_with_what_waits_for_trust(cli, put):
    put("w.yaml", GOOD)
    valid = ".orchestrator/workflows/w.yaml: valid: research, 4 steps in 3 levels; needs topic\n"
    assert cli("workflow", "validate", "w") == (0, f"warning: {WAITS} (`orchestrate trust`)\n{valid}", "")
    assert cli("workflow", "validate", "w", "--strict").code == 1
    assert cli("trust").out.splitlines()[1:] == ["  workflow w: check: make lint is run"]
    assert cli("workflow", "validate", "w", "--strict") == (0, valid, "")


def test_what_is_wrong_is_told_with_file_line_and_step(cli, put, project):
    put("bad.yaml", BAD, project)
    assert cli("workflow", "validate", "bad.yaml") == (
        1,
        "bad.yaml:3: steps.a.agent: no agent named 'haiku-genral' (did you mean haiku-general?)\n"
        "bad.yaml:3: steps.a.depends_on: a cycle, in which each waits for the next: a → c → b → a\n"
        "bad.yaml:5: steps.c.prompt: a brace stands alone near '{y': a value reads {name}, a brace itself {{ or }}\n"
        "bad.yaml: not valid: 3 mistakes\n",
        "",
    )


def test_warnings_do_not_fail_unless_told_to(cli, put, project):
    put("odd.yaml", ODD, project)
    told = (
        "odd.yaml:1: warning: steps.a.when: never runs: when: 1 == 2 is never true\n"
        "odd.yaml: valid: odd, 1 step in 1 level\n"
    )
    assert cli("workflow", "validate", "odd.yaml") == (0, told, "")
    assert cli("workflow", "validate", "odd.yaml", "--strict") == (1, told, "")


def test_several_files_fail_where_one_does(cli, put, project):
    put("odd.yaml", ODD, project)
    put("bad.yaml", BAD, project)
    ran = cli("workflow", "validate", "odd.yaml", "bad.yaml", "--json")
    good, bad = json.loads(ran.out)
    assert (ran.code, good["valid"], bad["valid"]) == (1, True, False)
    assert good["warnings"] == [
        {
            "file": f"{project}/odd.yaml",
            "line": 1,
            "step": "a",
            "key": "when",
            "message": "never runs: when: 1 == 2 is never true",
        }
    ]
    assert [(error["line"], error["step"], error["key"]) for error in bad["errors"]] == [
        (3, "a", "agent"),
        (3, "a", "depends_on"),
        (5, "c", "prompt"),
    ]


def test_a_file_that_there_is_not_is_told(cli, put):
    ran = cli("workflow", "validate", "nope.yaml")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("orchestrate: nope.yaml: there is no such file")


def test_what_a_file_says_does_not_steer_the_terminal(cli, put, project):
    put("x.yaml", 'workflow: {steps: [{id: a, agent: "\\e[31mred", prompt: x, "\\a\\e[31m": x}]}', project)
    out = cli("workflow", "validate", "x.yaml").out
    assert "\x1b" not in out
    assert "\a" not in out


def test_a_workflow_is_shown(cli, put):
    put("w.yaml", GOOD)
    assert cli("workflow", "show", "w") == (
        0,
        "research\n"
        "input topic\n"
        "input depth = 2\n"
        "  search  haiku-general  → {found}\n"
        "  read    by the router  after search  → {notes}\n"
        "  check   $ make lint  after search\n"
        "  write   sonnet-general  after read, check\n"
        f"{WAITS} (`orchestrate trust`)\n",
        "",
    )
    told = json.loads(cli("workflow", "show", "w", "--json").out)
    assert (told["name"], told["levels"]) == ("research", [["search"], ["read", "check"], ["write"]])


def test_the_graph_is_drawn(cli, put):
    put("w.yaml", GOOD)
    assert cli("workflow", "show", "w", "--graph") == (
        0,
        "1  ●    search  haiku-general\n"
        "   ├─╮\n"
        "2  │ ◉  read    by the router\n"
        "   ■ │  check   $ make lint\n"
        "   ├─╯\n"
        "3  ●    write   sonnet-general\n",
        "",
    )


def test_an_output_without_such_characters_gets_others(put, project):
    put("w.yaml", GOOD)
    done = subprocess.run(
        [sys.executable, "-m", "orchestrate", "workflow", "show", "w", "--graph"],
        env={"PATH": "", "HOME": str(project), "PYTHONIOENCODING": "ascii", "ORCHESTRATOR_ROOT": str(project)},
        cwd=project,
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode("ascii").splitlines()[:3] == [
        "1  *    search  haiku-general",
        "   +-+",
        "2  | o  read    by the router",
    ]


def test_the_graph_is_written_as_svg(cli, put, project):
    put("w.yaml", GOOD)
    assert cli("workflow", "show", "w", "--graph", "-o", "w.svg") == (0, "", "")
    root = ElementTree.fromstring((project / "w.svg").read_text())
    assert root.find("{http://www.w3.org/2000/svg}title").text == "research"


def test_a_drawing_needs_the_graph(cli, put):
    assert cli("workflow", "show", "w", "-o", "w.svg").code == 2


def test_a_wrong_workflow_is_not_shown(cli, put, project):
    put("bad.yaml", BAD, project)
    ran = cli("workflow", "show", "bad.yaml")
    assert (ran.code, ran.out) == (1, "")
    assert "a cycle, in which each waits for the next: a → c → b → a" in ran.err


def test_workflows_are_listed(cli, put, project, home):
    assert cli("workflow", "list").out == ""
    put("w.yaml", GOOD)
    put("bad.yaml", BAD)
    put("parts/hidden.yaml", ODD)
    put("notes.md", "no workflow")
    put(
        "mine.json",
        json.dumps({"workflow": {"steps": [{"id": "a", "route": "auto", "prompt": "x"}]}}),
        home / ".orchestrator/workflows",
    )
    wrong = (
        ".orchestrator/workflows/bad.yaml:3: steps.a.agent: no agent named 'haiku-genral' (did you mean haiku-general?)"
    )
    assert cli("workflow", "list") == (
        0,
        f"bad   project  -  not valid: {wrong}\nw     project  4  valid\nmine  user     1  valid\n",
        "",
    )
    rows = json.loads(cli("workflow", "list", "--json").out)
    assert [(row["name"], row["source"], row["steps"], row["valid"], row["needs_trust"]) for row in rows] == [
        ("bad", "project", "-", False, False),
        ("w", "project", 4, True, True),
        ("mine", "user", 1, True, False),
    ]


def test_waves_are_planned(cli, put):
    put("w.yaml", GOOD)
    assert cli("wave", "plan", "w") == (0, "wave 1: search\nwave 2: read, check\nwave 3: write\n", "")
    planned = json.loads(cli("wave", "plan", "w", "--max-parallel", "1", "--json").out)
    assert [wave["steps"] for wave in planned] == [["search"], ["read"], ["check"], ["write"]]
    assert cli("wave", "plan", "w", "--max-parallel", "0").code == 2
