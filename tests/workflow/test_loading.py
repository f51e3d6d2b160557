"""Workflow files: the language, what is told of a mistake, what may be included, and what hostile files cost."""

import json
import os
import re
import sys
import time
from pathlib import Path

import pytest
from tiers import some
from workflow_example import RESEARCH

from orchestrate.workflow import conditions, fields, loading
from orchestrate.workflow.spec import Input, Step
from state import compiled, trust, workflow_folder
from state.errors import NOT_FOUND, UserError

AGENTS = ("haiku-general", "sonnet-general", "opus-general")


def flow(steps, **more):
    """A workflow's YAML, by way of JSON, which is YAML."""
    return json.dumps({"workflow": {"name": "w", **more, "steps": steps}})


def agent(name, prompt="x", **more):
    return {"id": name, "agent": "haiku-general", "prompt": prompt, **more}


def test_a_chain_of_three_loads_as_it_stands(flows):
    path = flows.put("research.yaml", RESEARCH)
    found = flows.read(path, AGENTS)
    assert (found.errors, found.warnings) == ([], [])
    assert found.workflow == flows.load("research", AGENTS)
    assert found.workflow.name == "research-analysis"
    assert found.workflow.inputs == (Input("topic", line=4),)
    assert found.workflow.steps == (
        Step(
            "search",
            "agent",
            "haiku-general",
            "Search for papers on {topic}",
            output="search_results",
            path=path,
            line=4,
        ),
        Step(
            "analyze",
            "agent",
            "sonnet-general",
            "Analyze these papers: {search_results}",
            depends_on=("search",),
            output="analysis",
            path=path,
            line=9,
        ),
        Step(
            "write",
            "agent",
            "sonnet-general",
            "Write summary based on: {analysis}",
            depends_on=("analyze",),
            output="summary",
            path=path,
            line=15,
        ),
    )
    assert (found.workflow.is_declared, found.workflow.needs_trust, len(found.workflow.digest)) == (False, (), 64)


def test_json_says_the_same(flows):
    path = flows.put("research.json", flow([agent("a", "on {topic}\t{{", output="o")]).replace(": ", ":\t"))
    assert flows.load(path).steps == (
        Step("a", "agent", "haiku-general", "on {topic}\t{{", output="o", path=path, line=1),
    )


EVERY_KEY = """\
workflow:
  name: all of it
  description: every key there is
  inputs:
    topic:
    depth: 3
    dry: {default: false, description: "try it out"}
    tags: [a, b]
    note: {description: a note, required: true}
  defaults: {agent: haiku-general, retry: 2, timeout: 5m, on_error: continue, budget: 0.5, worktree: true}
  templates:
    review: {agent: opus-general, prompt: "Review {draft}", timeout: 2h, depends_on: [draft]}
  steps:
    - {id: draft, prompt: "On {topic} {depth} {dry} {note}", output: draft, foreach: tags, worktree: false}
    - {id: review, template: review, retry: 0, output: verdict}
    - id: tests
      command: make 'all tests' {depth}
      depends_on: review
      timeout: 90
      on_error: fallback
      fallback: mend
      output: log
      repo: ../other
    - {id: mend, route: auto, prompt: "Mend {verdict}", depends_on: [review], when: "contains(verdict, 'no')"}
    - {id: good, gate: "status('tests') == 'finished' and depth > 2", depends_on: [tests]}
    - {id: ship, workflow: ship, with: {what: "{verdict}"}, depends_on: good, foreach: ["x", "{topic}"]}
"""
SHIP = "workflow: {name: ship, inputs: [what], steps: [{id: go, route: auto, prompt: 'Ship {what}'}]}\n"


def test_every_key_is_taken(flows):
    path, ship = flows.put("all.yaml", EVERY_KEY), flows.put("ship.yaml", SHIP)
    workflow = flows.load(path, AGENTS)
    assert (workflow.description, workflow.is_declared) == ("every key there is", True)
    assert workflow.inputs == (
        Input("topic", line=5),
        Input("depth", 3, required=False, line=6),
        Input("dry", False, "try it out", False, 7),
        Input("tags", ["a", "b"], required=False, line=8),
        Input("note", None, "a note", True, 9),
    )
    assert workflow.defaults == {
        "agent": "haiku-general",
        "retry": 2,
        "timeout": 300.0,
        "on_error": "continue",
        "budget": 0.5,
        "worktree": True,
    }
    common = {"path": path, "retry": 2, "timeout_s": 300.0, "on_error": "continue"}
    draft, review, tests, mend, good, shipping = workflow.steps
    assert draft == Step(
        "draft",
        "agent",
        "haiku-general",
        "On {topic} {depth} {dry} {note}",
        output="draft",
        foreach="tags",
        budget_usd=0.5,
        line=14,
        **common,
    )
    assert review == Step(
        "review",
        "agent",
        "opus-general",
        "Review {draft}",
        depends_on=("draft",),
        output="verdict",
        budget_usd=0.5,
        worktree=True,
        line=15,
        **{**common, "retry": 0, "timeout_s": 7200.0},
    )
    assert tests == Step(
        "tests",
        "command",
        command=("make", "all tests", "{depth}"),
        depends_on=("review",),
        output="log",
        fallback="mend",
        worktree=True,
        repo="../other",
        line=16,
        **{**common, "timeout_s": 90.0, "on_error": "fallback"},
    )
    assert (mend.kind, mend.agent, mend.when) == ("route", "", "contains(verdict, 'no')")
    assert (good.kind, good.gate, good.retry, good.on_error) == (
        "gate",
        "status('tests') == 'finished' and depth > 2",
        0,
        "continue",
    )
    assert (shipping.workflow, shipping.given, shipping.foreach) == (ship, {"what": "{verdict}"}, ("x", "{topic}"))
    assert workflow.children[ship].inputs == (Input("what", line=1),)


ONE = "workflow:\n  steps:\n  - id: a\n    agent: haiku-general\n    prompt: x\n"
TWO = f"{ONE}    output: made\n  - id: b\n    agent: haiku-general\n"
WRONG = {
    "nothing": ("", ["1: workflow: missing: give workflow: with name and steps"]),
    "no steps": ("workflow: {name: x}\n", ["1: workflow.steps: missing: give at least one"]),
    "steps that are no list": (
        "workflow:\n  steps: {a: b}\n",
        ["2: workflow.steps: expected a list of steps"],
    ),
    "a step that is no group": (
        "workflow:\n  steps:\n  - a\n",
        ["3: steps[0]: expected a group of keys", "3: steps[0].id: missing"],
    ),
    "an unknown key": (f"{ONE}    promt: y\n", ["6: steps.a.promt: no such key (did you mean prompt?)"]),
    "a key twice": (f"{ONE}    prompt: y\n", ["6: steps.a.prompt: is given twice (first on line 5)"]),
    "an unknown key above": (
        f"{ONE}  nmae: y\n",
        ["6: workflow.nmae: no such key (did you mean name?)"],
    ),
    "no id": ("workflow:\n  steps:\n  - agent: haiku-general\n    prompt: x\n", ["3: steps[0].id: missing"]),
    "a wrong id": (
        "workflow:\n  steps:\n  - id: a.b\n    route: auto\n    prompt: x\n",
        ["3: steps[0].id: expected 1 to 64 letters, digits, dashes and underscores, got 'a.b'"],
    ),
    "a wrong id and a wrong agent": (
        "workflow:\n  steps:\n  - id: a.b\n    agent: x\n    prompt: x\n",
        [
            "3: steps[0].agent: no agent named 'x' (`orchestrate agents list` shows them)",
            "3: steps[0].id: expected 1 to 64 letters, digits, dashes and underscores, got 'a.b'",
        ],
    ),
    "no id and a wrong agent": (
        "workflow:\n  steps:\n  - agent: x\n    prompt: x\n",
        ["3: steps[0].agent: no agent named 'x' (`orchestrate agents list` shows them)", "3: steps[0].id: missing"],
    ),
    "nothing to do": (
        "workflow:\n  steps:\n  - id: a\n",
        ["3: steps.a: says nothing to do: give one of agent, route, command, gate, workflow"],
    ),
    "two things to do": (
        f"{ONE}    command: make\n",
        ["3: steps.a: is agent and command at once: give one of them"],
    ),
    "no prompt": ("workflow:\n  steps:\n  - {id: a, agent: haiku-general}\n", ["3: steps.a.prompt: missing"]),
    "a key of another kind": (
        "workflow:\n  steps:\n  - id: a\n    gate: '1 == 1'\n    prompt: x\n",
        ["3: steps.a.prompt: a step with gate has no prompt"],
    ),
    "another route": (
        "workflow:\n  steps:\n  - {id: a, route: opus, prompt: x}\n",
        ["3: steps.a.route: expected auto, got 'opus'"],
    ),
    "a list for a text": (f"{ONE}    when: [x]\n", ["6: steps.a.when: expected text"]),
    "a wrong time": (
        f"{ONE}    timeout: soon\n",
        ["6: steps.a.timeout: expected a time from 1s to 168h, as 90s, 15m or 2h"],
    ),
    "no time": (f"{ONE}    timeout: 0\n", ["6: steps.a.timeout: expected a time from 1s to 168h, as 90s, 15m or 2h"]),
    "too many tries": (f"{ONE}    retry: 11\n", ["6: steps.a.retry: expected a whole number from 0 to 10"]),
    "half a try": (f"{ONE}    retry: 1.5\n", ["6: steps.a.retry: expected a whole number from 0 to 10"]),
    "no number": (f"{ONE}    budget: nan\n", ["6: steps.a.budget: expected a number from 0.01 to 10000"]),
    "a flag": (f"{ONE}    worktree: maybe\n", ["6: steps.a.worktree: expected true or false"]),
    "on_error": (
        f"{ONE}    on_error: stop\n",
        ["6: steps.a.on_error: expected fail or continue or fallback, got 'stop'"],
    ),
    "a fallback that is not named": (
        f"{ONE}    on_error: fallback\n",
        ["3: steps.a.fallback: missing: name the step that runs when this one has failed"],
    ),
    "a fallback that never runs": (
        f"{ONE}    on_error: fail\n    fallback: b\n  - {{id: b, route: auto, prompt: x}}\n",
        ["3: steps.a.fallback: is never run with on_error: fail"],
    ),
    "a fallback to itself": (f"{ONE}    fallback: a\n", ["3: steps.a.fallback: cannot be itself"]),
    "a fallback that there is not": (
        f"{TWO}    prompt: x\n    fallback: aa\n",
        ["7: steps.b.fallback: no step with id 'aa' (did you mean a?)"],
    ),
    "a fallback of two": (
        f"{ONE}    fallback: c\n  - {{id: b, route: auto, prompt: x, fallback: c}}\n"
        "  - {id: c, route: auto, prompt: x}\n",
        ["7: steps.b.fallback: c stands in for a already"],
    ),
    "a missing id": (f"{ONE}    depends_on: [aa]\n", ["3: steps.a.depends_on: no step with id 'aa' (did you mean a?)"]),
    "a missing id in a condition": (
        f"{ONE}    when: status('bb') == 'failed'\n",
        ["3: steps.a.when: no step with id 'bb'"],
    ),
    "an id twice": (
        f"{ONE}  - {{id: a, route: auto, prompt: x}}\n",
        ["6: steps.a.id: is given twice (first in PATH, on line 3)"],
    ),
    "a cycle": (
        f"{ONE}    depends_on: [c]\n  - {{id: b, route: auto, prompt: x, depends_on: a}}\n"
        "  - {id: c, route: auto, prompt: x, depends_on: b}\n",
        ["3: steps.a.depends_on: a cycle, in which each waits for the next: a → c → b → a"],
    ),
    "a step that waits for itself": (
        f"{ONE}    depends_on: a\n",
        ["3: steps.a.depends_on: a cycle, in which each waits for the next: a → a"],
    ),
    "an unknown agent": (
        ONE.replace("haiku-general", "haiku-genral"),
        ["3: steps.a.agent: no agent named 'haiku-genral' (did you mean haiku-general?)"],
    ),
    "an agent far from any": (
        ONE.replace("haiku-general", "zzz"),
        ["3: steps.a.agent: no agent named 'zzz' (`orchestrate agents list` shows them)"],
    ),
    "a value that is not declared": (
        f"{TWO}    depends_on: a\n    prompt: on {{topik}}\n  inputs: [topic]\n",
        ["7: steps.b.prompt: no value named 'topik' (did you mean topic?)"],
    ),
    "a value far from any": (
        f"{TWO}    depends_on: a\n    prompt: on {{zzz}}\n  inputs: []\n",
        ["7: steps.b.prompt: no value named 'zzz' (no input, and no output of a step)"],
    ),
    "a value near an output": (
        f"{TWO}    depends_on: a\n    prompt: on {{mad}}\n",
        ["7: steps.b.prompt: no value named 'mad' (did you mean made? else declare inputs:)"],
    ),
    "a value that is made later": (
        f"{TWO}    prompt: on {{made}}\n",
        ["7: steps.b.prompt: {made} is made by a, which need not have run before: add depends_on: [a]"],
    ),
    "a value of its own": (
        ONE.replace("prompt: x", "prompt: on {made}") + "    output: made\n",
        ["3: steps.a.prompt: {made} is made by this step itself"],
    ),
    "a condition on what is made later": (
        f"{TWO}    prompt: x\n    when: made == 'x'\n",
        ["7: steps.b.when: {made} is made by a, which need not have run before: add depends_on: [a]"],
    ),
    "items that are made later": (
        f"{TWO}    prompt: x\n    foreach: '{{made}}'\n",
        ["7: steps.b.foreach: {made} is made by a, which need not have run before: add depends_on: [a]"],
    ),
    "a list without items": (
        f"{TWO}    prompt: x\n    foreach: []\n",
        ["10: steps.b.foreach: expected at least one item"],
    ),
    "an item without a list": (
        ONE.replace("prompt: x", "prompt: on {item}"),
        ["3: steps.a.prompt: {item} is known in a step with foreach alone"],
    ),
    "an output twice": (
        f"{TWO}    prompt: x\n    output: made\n",
        ["7: steps.b.output: made is made by a already: several steps may, where each has a when:"],
    ),
    "an output that is an input": (
        f"{TWO}    prompt: x\n    depends_on: a\n    when: made == 'x'\n  inputs: [made]\n",
        ["3: steps.a.output: made is an input already"],
    ),
    "an output with a meaning": (
        f"{ONE}    output: item\n",
        ["6: steps.a.output: item has a meaning of its own: take another name"],
    ),
    "an output that is no name": (
        f"{ONE}    output: a-b\n",
        ["6: steps.a.output: expected a name of letters, digits and underscores, got 'a-b'"],
    ),
    "a lone brace": (
        f"{ONE}    foreach: ['a {{']\n",
        ["6: steps.a.foreach: a brace stands alone near 'a {': a value reads {name}, a brace itself {{ or }}"],
    ),
    "a program by value": (
        "workflow:\n  steps:\n  - id: a\n    command: '{x} y'\n",
        ["4: steps.a.command: a program is not named by a value: values are its arguments"],
    ),
    "no program": (
        "workflow:\n  steps:\n  - id: a\n    command: []\n",
        ['4: steps.a.command: expected a command, as "make test" or [make, test]'],
    ),
    "an open quote": (
        "workflow:\n  steps:\n  - id: a\n    command: make 'x\n",
        [
            "4: steps.a.command: no closing quotation: quote it as for a shell",
        ],
    ),
    "a command for a shell": (
        "workflow:\n  steps:\n  - id: a\n    command: make > log\n",
        [
            "4: steps.a.command: no shell runs this, and > needs one: write sh -c '...' around all of it, or quote it "
            "where it is an argument",
        ],
    ),
    "an unknown template": (
        f"{ONE}    template: zzz\n",
        ["3: steps.a.template: no template named 'zzz' (there are none)"],
    ),
    "a fallback by default": (
        f"{ONE}  defaults:\n    on_error: fallback\n",
        [
            "3: steps.a.fallback: missing: name the step that runs when this one has failed",
            "7: defaults.on_error: a fallback is a step's own: give it there",
        ],
    ),
    "a wrong condition": (f"{ONE}    when: x.y\n", ["6: steps.a.when: a condition has no attributes (a dot)"]),
    "tabs": ("workflow:\n\tsteps: []\n", ["2: not valid YAML: found character that cannot start any token"]),
    "no YAML": ("workflow: [\n", ["2: not valid YAML: did not find expected node content"]),
    "a list above": ("- a\n", ["1: expected `key: value` lines"]),
    "two documents": ("workflow: {}\n---\nworkflow: {}\n", ["2: not valid YAML: but found another document"]),
    "no UTF-8": (b"workflow:\n  name: \xff\n", ["2: not UTF-8"]),
    "UTF-16": ("workflow: {}".encode("utf-16"), ["1: not UTF-8"]),
    "a NUL": (
        b"workflow:\n  name: '\x00'\n",
        ["1: not valid YAML: unacceptable character #x0000: control characters are not allowed"],
    ),
}


@pytest.mark.parametrize(("text", "told"), WRONG.values(), ids=WRONG)
def test_a_mistake_is_told_with_file_line_and_step(text, told, flows):
    path = f"{flows.project}/.orchestrator/workflows/w.yaml"
    assert [line.replace(path, "PATH") for line in flows.mistakes(text, agents=AGENTS)] == told


def test_wrong_json_is_told_with_its_line(flows):
    assert flows.mistakes('{"workflow":\n {,}}', "w.json") == [
        "2: not valid JSON: unexpected character, expected a string key"
    ]


def warnings(flows, text, name="w.yaml"):
    path = flows.put(name, text)
    found = flows.read(path)
    assert found.errors == []
    return [str(warning).removeprefix(f"{path}:") for warning in found.warnings]


@pytest.mark.parametrize(
    ("steps", "more", "told"),
    [
        ([agent("a", output="x"), agent("b", "{x}", depends_on="a", output="last")], {}, []),
        ([agent("a", output="x"), agent("b", depends_on="a")], {}, ["1: steps.a.output: {x} is used by no step"]),
        ([agent("a")], {"inputs": ["x"]}, ["1: inputs.x: is used by no step"]),
        (
            [agent("a", when="1 == 2"), agent("b", depends_on="a")],
            {},
            [
                "1: steps.a.when: never runs: when: 1 == 2 is never true",
                "1: steps.b.when: never runs: it waits for a alone, which never runs",
            ],
        ),
    ],
)
def test_what_is_odd_is_a_warning(flows, steps, more, told):
    assert warnings(flows, flow(steps, **more)) == told


def test_one_of_two_branches_makes_the_value(flows):
    steps = [
        agent("ask", output="verdict"),
        agent("b", depends_on="ask", when="verdict == 'yes'", output="text"),
        agent("c", depends_on="ask", when="verdict != 'yes'", output="text"),
        agent("d", "Use {text}", depends_on=["b", "c"]),
    ]
    assert warnings(flows, flow(steps)) == []


def test_steps_and_templates_come_from_other_files(flows):
    parts = """\
workflow:
  templates:
    check: {route: auto, prompt: 'Check {topic}', retry: 1}
  inputs: {topic: all}
  steps: [{id: first, template: check}]
"""
    shared = flows.put("parts/checks.yaml", parts)
    flows.put("parts/more.yaml", "workflow: {include: checks, steps: [{id: more, template: check}]}")
    main = flows.put(
        "main.yaml", flow([{"id": "own", "template": "check"}], include=["parts/checks.yaml", "parts/more"])
    )
    workflow = flows.load("main")
    assert [(step.id, step.prompt, step.path.rpartition("/")[2]) for step in workflow.steps] == [
        ("first", "Check {topic}", "checks.yaml"),
        ("more", "Check {topic}", "more.yaml"),
        ("own", "Check {topic}", "main.yaml"),
    ]
    assert workflow.inputs == (Input("topic", "all", required=False, line=4),)
    before = workflow.digest
    flows.put("parts/checks.yaml", parts + "# more\n")
    assert flows.load("main").digest != before
    assert (workflow.path, shared != main) == (main, True)


def test_the_users_own_are_included_and_run_as_well(flows):
    flows.put("mine.yaml", flow([agent("mine")]), user=True)
    flows.put("main.yaml", flow([agent("own"), {"id": "sub", "workflow": "mine"}], include="mine"))
    workflow = flows.load("main")
    assert [step.id for step in workflow.steps] == ["mine", "own", "sub"]
    assert [path.startswith(str(flows.user)) for path in workflow.children] == [True]


@pytest.mark.parametrize("word", ["/etc/passwd", "../../secret.yaml", "parts/../../x.yaml", "~/x.yaml", "a\\b.yaml"])
def test_an_include_stays_in_the_folders(flows, word):
    flows.put("../../secret.yaml", flow([agent("stolen")]))
    [told] = flows.mistakes(flow([agent("a")], include=[word]))
    assert told in (
        f"1: include: {word}: leads out of the folder of workflows: name a file within it",
        f"1: include: expected a file's name, got {word!r}",
    )


def test_parts_lie_beside_each_other_also_behind_a_link_to_the_project(flows, tmp_path):
    flows.put("parts/one.yaml", flow([agent("one")], include="two"))
    flows.put("parts/two.yaml", flow([agent("two")]))
    (tmp_path / "link").symlink_to(flows.project)
    workflow = flows.load(str(tmp_path / "link/.orchestrator/workflows/parts/one.yaml"))
    assert [step.id for step in workflow.steps] == ["two", "one"]


def test_a_link_is_not_followed(flows, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.yaml").write_text(flow([agent("stolen")]))
    flows.put("a.yaml", flow([agent("a")], include=["x.yaml"]))
    flows.put("b.yaml", flow([agent("b"), {"id": "c", "workflow": "deep/x"}]))
    folder = flows.project / ".orchestrator/workflows"
    (folder / "x.yaml").symlink_to(outside / "x.yaml")
    (folder / "deep").symlink_to(outside)
    told = "is a link or lies behind one: a workflow is a file of its own"
    for name, where in (("a", "x.yaml"), ("b", "deep/x.yaml")):
        with pytest.raises(UserError) as caught:
            flows.load(name)
        assert str(caught.value).endswith(f"{folder}/{where} {told}")


def test_a_folder_that_is_a_link_is_none(flows, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.yaml").write_text(flow([agent("stolen")]))
    (flows.project / ".orchestrator/workflows").symlink_to(outside)
    with pytest.raises(UserError) as caught:
        flows.load("x")
    assert caught.value.code == NOT_FOUND


def test_files_that_include_each_other_are_told(flows):
    flows.put("b.yaml", "workflow: {include: c}")
    flows.put("c.yaml", "workflow: {include: w}")
    flows.put("w.yaml", flow([agent("a")], include="b"))
    with pytest.raises(UserError, match=r"include: files include each other: w.yaml → b.yaml → c.yaml → w.yaml"):
        flows.load("w")


def test_workflows_that_run_each_other_are_told(flows):
    flows.put("b.yaml", flow([{"id": "again", "workflow": "w"}]))
    flows.put("w.yaml", flow([{"id": "down", "workflow": "b"}]))
    with pytest.raises(UserError, match=r"again.workflow: workflows run each other: w.yaml → b.yaml → w.yaml"):
        flows.load("w")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, ["1: steps.s.with: ship needs what"]),
        ({"what": "x", "more": "y"}, ["1: steps.s.with: ship has no input named 'more' (have: what)"]),
    ],
)
def test_a_workflow_that_is_run_gets_its_inputs(flows, given, told):
    flows.put("ship.yaml", SHIP)
    assert flows.mistakes(flow([{"id": "s", "workflow": "ship", "with": given}])) == told


COMMAND = flow([{"id": "run", "command": ["make", "test"]}])


def test_a_command_of_the_repository_waits_for_trust_in_its_workflows(flows):
    path = flows.put("w.yaml", COMMAND)
    waits = f"{path}:1: steps.run.command: make test is not run until you trust this repository (`orchestrate trust`)"
    assert flows.load("w").needs_trust == (waits,)
    sha256 = workflow_folder.digest(flows.place.state)
    trust.grant(flows.place, "settings", compiled.lock_timeout_s(flows.place), sha256)
    assert flows.load("w").needs_trust == ()
    trust.grant(flows.place, "settings", compiled.lock_timeout_s(flows.place))
    assert flows.load("w").needs_trust == ()
    flows.put("parts/unrelated.yaml", "workflow: {}")
    assert flows.load("w").needs_trust == (waits,)
    assert trust.is_trusted(flows.place, "settings")


def test_a_command_of_what_is_included_waits_as_well(flows):
    flows.put("parts/run.yaml", COMMAND)
    flows.put("mine.yaml", flow([agent("a")], include="parts/run"), user=True)
    assert len(flows.load("mine").needs_trust) == 1


def test_a_command_of_a_workflow_that_is_run_waits_as_well(flows):
    flows.put("sub.yaml", COMMAND)
    flows.put("w.yaml", flow([{"id": "s", "workflow": "sub"}]))
    assert len(flows.load("w").needs_trust) == 1


def test_another_folder_to_work_in_waits_as_well(flows):
    flows.put("w.yaml", flow([agent("a", repo="../other")]))
    [wait] = flows.load("w").needs_trust
    assert "steps.a.repo: ../other is not run until you trust" in wait


def test_the_users_own_command_waits_for_nothing(flows, tmp_path):
    flows.put("mine.yaml", COMMAND, user=True)
    assert flows.load("mine").needs_trust == ()
    (tmp_path / "elsewhere.yaml").write_text(COMMAND)
    assert flows.load(str(tmp_path / "elsewhere.yaml")).needs_trust == ()


@pytest.mark.parametrize("linked", [False, True])
def test_a_command_elsewhere_in_the_repository_is_not_run_from_there(flows, tmp_path, linked):
    path = flows.project / "w.yaml"
    if linked:
        (tmp_path / "x.yaml").write_text(COMMAND)
        path.symlink_to(tmp_path / "x.yaml")
    else:
        path.write_text(COMMAND)
    trust.grant(flows.place, "x", 10, workflow_folder.digest(flows.place.state))
    [wait] = flows.load(str(path)).needs_trust
    assert wait.endswith("is not run from here: put the file into .orchestrator/workflows and `orchestrate trust` it")


def test_a_name_that_there_is_not_is_told(flows):
    with pytest.raises(UserError) as caught:
        flows.load("nope")
    assert caught.value.code == NOT_FOUND
    assert str(caught.value).startswith("nope: there is no such file, nor a workflow of that name in ")


MANY = """\
    - id: s{0}
      agent: haiku-general
      depends_on: [s{1}]
      prompt: "On {{o{1}}} and more"
      output: o{0}
      when: "lower(o{1}) != 'x{0}'"
"""


def many(count):
    first = '    - {id: s0, agent: haiku-general, prompt: "x", output: o0}\n'
    return "workflow:\n  steps:\n" + first + "".join(MANY.format(n, n - 1) for n in range(1, count))


@pytest.mark.slow
def test_ten_thousand_steps_are_checked_in_two_seconds(flows):
    path = flows.put("big.yaml", many(10_000))
    assert min(checked_in_s(flows, path) for _ in range(2)) < limit_s()


def limit_s():
    """A tracer, as coverage is one, makes every line dearer."""
    return 2 if sys.gettrace() is None else 6


def checked_in_s(flows, path):
    """Of the processor: others use it too."""
    conditions.parse.cache_clear()
    began = time.process_time()
    found = flows.read(path, AGENTS)
    took = time.process_time() - began
    assert (found.errors, found.warnings, len(found.workflow.steps)) == ([], [], 10_000)
    return took


@pytest.mark.slow
def test_more_steps_are_told(flows):
    assert flows.mistakes(many(10_001)) == ["1: 10,001 steps: at most 10,000 are taken"]


HOSTILE = {
    "aliases": ("a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]\n", "2: not valid YAML: aliases are not supported"),
    "an alias to itself": ("workflow: &a\n  steps: *a\n", "2: not valid YAML: aliases are not supported"),
    "a merge": ("workflow: &a {name: x}\nb: {<<: *a}\n", "2: not valid YAML: aliases are not supported"),
    "deep brackets": ("workflow: " + "[" * 1_000_000, "1: nested too deeply: more than 20 levels"),
    "deep braces": ("workflow: " + "{a: " * 500_000, "1: nested too deeply: more than 20 levels"),
    "deep dashes": ("workflow:\n " + "- " * 1_000_000, "2: nested too deeply: more than 20 levels"),
    "deep keys": ("? " * 1_000_000, "1: nested too deeply: more than 20 levels"),
    "many entries": ("workflow: [" + "a," * 1_500_000 + "]", "1: more than 300,000 entries"),
    "a huge text": (
        "workflow:\n  steps:\n  - {id: a, route: auto, prompt: " + "x" * 1_000_000 + "}\n",
        "3: steps.a.prompt: longer than 65,536 characters: hand it over as a file",
    ),
    "a huge key": ("workflow:\n  " + "x" * 1000 + ": 1\n", f"2: workflow.{'x' * 79}…: no such key (have: name, "),
    "many unknown keys": (
        "workflow:\n" + "".join(f"  key{n}: 1\n" for n in range(50_000)),
        "2: workflow.key0: no such key (have: name, ",
    ),
    "many unknown ids": (
        flow([agent(f"s{n}", depends_on=[f"z{n}"]) for n in range(9000)]),
        "1: steps.s0.depends_on: no step with id 'z0'",
    ),
    "ten thousand in a circle": (
        flow([agent(f"s{n}", depends_on=[f"s{(n + 1) % 10_000}"]) for n in range(10_000)]),
        "1: steps.s0.depends_on: a cycle, in which each waits for the next: s0 → s1 → s2 → ",
    ),
    "a tag that makes things": (
        "workflow: !!python/object/apply:os.system [x]\n",
        "1: workflow: expected a group of keys",
    ),
    "a huge number": (
        "workflow:\n  steps:\n  - {id: a, route: auto, prompt: x, retry: " + "9" * 100_000 + "}\n",
        "3: steps.a.retry: expected a whole number from 0 to 10",
    ),
    "50 MB": (b"workflow:\n" + b"#" * (50 << 20), "1: larger than 4 MiB: this is no workflow"),
}


DEAR = ("many entries", "many unknown keys", "ten thousand in a circle", "50 MB")
QUICK = [text for name, (text, _) in HOSTILE.items() if name not in DEAR]


@pytest.mark.parametrize(("text", "told"), some(HOSTILE.values(), QUICK), ids=HOSTILE)
def test_a_hostile_file_costs_little_and_is_told_in_a_line(flows, text, told):
    path = flows.put("w.yaml", text)
    began = time.process_time()
    with pytest.raises(UserError) as caught:
        loading.load(path, flows.place)
    took = time.process_time() - began
    lines = str(caught.value).splitlines()
    assert lines[0].removeprefix(f"{path}:").strip().startswith(told)
    assert len(lines) <= 20
    assert max(map(len, lines)) < 400
    assert took < limit_s()


def test_what_is_no_file_is_not_waited_for(flows):
    folder = flows.project / ".orchestrator/workflows"
    folder.mkdir()
    os.mkfifo(folder / "pipe.yaml")
    (folder / "folder.yaml").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(UserError) as caught:
            flows.load(name)
        assert str(caught.value) == f"{folder}/{name}.yaml:1: is no file: a workflow is one"


def test_the_files_of_a_workflow_are_bounded_together(flows):
    for number in range(60):
        flows.put(f"parts/p{number}.yaml", "workflow: {}")
    flows.put("w.yaml", flow([agent("a")], include=[f"parts/p{number}" for number in range(60)]))
    with pytest.raises(UserError, match="more than 50 files are one workflow"):
        flows.load("w")


def examples_of_the_page():
    page = (Path(__file__).parents[2] / "docs/workflows.md").read_text(encoding="utf-8")
    return re.findall(r"^```yaml\n(workflow:.*?)^```$", page, re.M | re.S)


@pytest.mark.parametrize("text", examples_of_the_page())
def test_the_examples_of_the_page_are_right(flows, text):
    path = flows.put("w.yaml", text)
    found = flows.read(path, AGENTS)
    assert (found.errors, found.warnings) == ([], [])


def test_every_key_is_on_the_page():
    page = (Path(__file__).parents[2] / "docs/workflows.md").read_text(encoding="utf-8")
    told = {word for row in re.findall(r"^\| (`.*?) \|", page, re.M) for word in re.findall(r"`(\w+)", row)}
    assert {*fields.STEP, *fields.WORKFLOW} - told == {"prompt", "template"}  # told beside others
