"""workflow.yaml: what it may say, and how a mistake in it is told."""

import json

import pytest

from orchestrate.phases import workflow_file, workflows
from orchestrate.phases.workflow import Phase, Validation, after, position
from state.errors import UserError

PATH = ".orchestrator/workflow.yaml"


def parse(text):
    return workflow_file.parse(PATH, text.encode())


def problems(text):
    with pytest.raises(UserError) as caught:
        parse(text)
    return str(caught.value).splitlines()


def test_the_shipped_template_says_all_that_there_is_to_say_of_six_phases():
    workflow = parse(workflows.TEMPLATE.read_text())
    assert [(phase.name, phase.order) for phase in workflow.phases] == [
        ("intake", 1),
        ("research", 2),
        ("plan", 3),
        ("execute", 4),
        ("review", 5),
        ("close", 6),
    ]
    assert [phase.name for phase in workflow.phases if not (phase.goal and phase.description and phase.next_step)] == []
    assert {name for phase in workflow.phases for name in phase.required} == {
        "TASK.md",
        "CONTEXT.md",
        "PLAN.md",
        "TODO.md",
        "CHANGES.md",
    }
    execute = workflow.phase("execute")
    assert execute.events == ["execute.start", "execute.step_complete", "execute.end"]
    assert (execute.hooks["on_start"], execute.hooks["on_end"]) == (
        ["git.capture_commit_hash"],
        ["git.capture_final_commit"],
    )
    assert [phase.name for phase in workflow.of_type("bug_fix")] == ["intake", "research", "execute", "review", "close"]
    assert workflow.of_type("feature") == workflow.of_type(None) == list(workflow.phases)


def test_the_shipped_template_names_no_program():
    assert [phase.validation.check_tests_passed for phase in parse(workflows.TEMPLATE.read_text()).phases] == [[]] * 6


def test_every_key_is_taken():
    text = """
phases:
  second: {order: 20, goal: "  later "}
  first:
    order: 3
    goal: off
    description: "line\\nline"
    artifacts: {required: [A.md, "ADR-*.md"], optional: docs/B.md}
    validation:
      required_fields: [title, x.y]
      recommended_fields: tags
      check_plan_completeness: true
      require_user_approval: True
      check_tests_passed: make test "a b"
    events: [first.start, Deploy-1, team:first.end]
    hooks: {on_start: [git.capture_commit_hash], on_end: git.capture_final_commit, on_bug_found: []}
    next_step: then {task}
variants:
  short: [second]
"""
    workflow = parse(text)
    validation = Validation(["title", "x.y"], ["tags"], True, True, ["make", "test", "a b"])
    hooks = {"on_start": ["git.capture_commit_hash"], "on_end": ["git.capture_final_commit"], "on_bug_found": []}
    first = Phase(
        "first",
        3,
        "off",
        "line\nline",
        ["A.md", "ADR-*.md"],
        ["docs/B.md"],
        validation,
        ["first.start", "Deploy-1", "team:first.end"],
        hooks,
        "then {task}",
    )
    second = Phase("second", 20, "later", "", [], [], Validation([], [], False, False, []), [], {}, "")
    assert workflow == (PATH, [first, second], {"short": ["second"]})
    assert (first.own_events(".start"), first.own_events(".end")) == (["first.start"], ["team:first.end"])
    assert (after(workflow.phases, first), after(workflow.phases, second)) == (second, None)
    assert (position(workflow.phases, second), position([first], second)) == ("2 of 2", "")


@pytest.mark.parametrize("program", ["[make, test]", "make test", "'make test'"])
def test_a_program_is_a_command_line_or_a_list(program):
    workflow = parse(f"phases: {{a: {{order: 1, goal: x, validation: {{check_tests_passed: {program}}}}}}}")
    assert workflow.phases[0].validation.check_tests_passed == ["make", "test"]


ONE = "phases:\n  a:\n    order: 1\n    goal: x\n"
WRONG = {
    "nothing": ("", [f"{PATH}:1: phases: missing: give at least one"]),
    "no phases": ("variants: {}\n", [f"{PATH}:1: phases: missing: give at least one"]),
    "a list": ("- a\n", [f"{PATH}:1: expected `key: value` lines"]),
    "no YAML": ("phases: [\n", [f"{PATH}:2: not valid YAML: expected the node content, but found '<stream end>'"]),
    "an alias": ("phases: &a {}\nvariants: *a\n", [f"{PATH}:2: not valid YAML: aliases are not supported"]),
    "an unknown key": (
        f"{ONE}    gaol: y\n",
        [f"{PATH}:5: phases.a.gaol: no such key (did you mean goal?)"],
    ),
    "an unknown group": (
        f"{ONE}zzz: 1\n",
        [f"{PATH}:5: zzz: no such key (have: phases, variants)"],
    ),
    "a key twice": (f"{ONE}    goal: y\n", [f"{PATH}:5: phases.a.goal: is given twice (first on line 4)"]),
    "what is missing": (
        "phases:\n  a: {}\n",
        [f"{PATH}:2: phases.a.goal: missing", f"{PATH}:2: phases.a.order: missing"],
    ),
    "an empty goal": ("phases:\n  a:\n    order: 1\n    goal: ''\n", [f"{PATH}:2: phases.a.goal: missing"]),
    "an order twice": (
        f"{ONE}  b: {{order: 1, goal: y}}\n",
        [f"{PATH}:5: phases.b.order: 1 is the order of a too: each phase has its own"],
    ),
    "no number": (
        "phases:\n  a: {order: first, goal: x}\n",
        [f"{PATH}:2: phases.a.order: expected a whole number from 0 to 9999"],
    ),
    "a phase's name": (
        "phases:\n  A-B: {order: 1, goal: x}\n",
        [f"{PATH}:2: phases: expected a phase's name in small letters, got 'A-B'"],
    ),
    "a word for a group": (
        f"{ONE}    artifacts: PLAN.md\n",
        [f"{PATH}:5: phases.a.artifacts: expected a group of keys"],
    ),
    "a group for a list": (
        f"{ONE}    events: [{{a: b}}]\n",
        [f"{PATH}:5: phases.a.events: expected a list of words"],
    ),
    "a flag": (
        f"{ONE}    validation: {{require_user_approval: yes}}\n",
        [f"{PATH}:5: phases.a.validation.require_user_approval: expected true or false"],
    ),
    "tests without a command": (
        f"{ONE}    validation: {{check_tests_passed: true}}\n",
        [f'{PATH}:5: phases.a.validation.check_tests_passed: expected a command, as "make test"'],
    ),
    "a quote that is open": (
        f"{ONE}    validation:\n      check_tests_passed: make 'test\n",
        [f"{PATH}:6: phases.a.validation.check_tests_passed: no closing quotation: quote it as for a shell"],
    ),
    "a command for a shell": (
        f"{ONE}    validation:\n      check_tests_passed: make && make test\n",
        [
            f"{PATH}:6: phases.a.validation.check_tests_passed: no shell runs this, and && needs one: write "
            "sh -c '...' around all of it, or quote it where it is an argument"
        ],
    ),
    "an unknown hook": (
        f"{ONE}    hooks:\n      on_end: [git.push]\n",
        [
            f"{PATH}:6: phases.a.hooks.on_end: no hook named 'git.push' "
            "(have: git.capture_commit_hash, git.capture_final_commit)"
        ],
    ),
    "an unknown moment": (
        f"{ONE}    hooks: {{on_begin: []}}\n",
        [f"{PATH}:5: phases.a.hooks.on_begin: no such key (did you mean on_end?)"],
    ),
    "an event's name": (
        f"{ONE}    events: ['a b']\n",
        [f"{PATH}:5: phases.a.events: expected an event's name, got 'a b'"],
    ),
    "a variant of an unknown phase": (
        f"{ONE}variants:\n  v: [a, b]\n",
        [f"{PATH}:6: variants.v: no phase named 'b' (have: a)"],
    ),
    "a variant that goes back": (
        f"{ONE}  b: {{order: 2, goal: y}}\nvariants:\n  v: [b, a]\n",
        [f"{PATH}:7: variants.v: a is out of order: phases go forward, each once"],
    ),
    "a variant that goes in a circle": (
        f"{ONE}variants:\n  v: [a, a]\n",
        [f"{PATH}:6: variants.v: a is out of order: phases go forward, each once"],
    ),
    "an empty variant": (f"{ONE}variants:\n  v: []\n", [f"{PATH}:6: variants.v: expected a list of phases"]),
}


@pytest.mark.parametrize(("text", "told"), WRONG.values(), ids=WRONG)
def test_a_mistake_is_told_with_file_line_and_key(text, told):
    assert problems(text) == told


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../b", "a\\b", "**/x", "a\x1bb", ""])
def test_an_artifact_stays_in_the_project(name):
    told = problems(f"{ONE}    artifacts:\n      required: [{json.dumps(name)}]\n")
    what = "expected a file's name or pattern within the project"
    assert told == [f"{PATH}:6: phases.a.artifacts.required: {what}, got {name!r}"]


def test_json_is_taken_wherever_yaml_is():
    text = b'{"phases":\t{"a": {"order": 1, "goal": "x"}}}'
    assert [phase.name for phase in workflow_file.parse("workflow.json", text).phases] == ["a"]
