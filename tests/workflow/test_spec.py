"""The record of a workflow goes through JSON unchanged, with all that it may hold."""

import json

from orchestrate.workflow.spec import Input, Step, Workflow

CHILD = Workflow("child", (Input("x", line=3),), {}, (Step("one", "gate", gate="x == 'y'"),), "/c.yaml", "d")
WHOLE = Workflow(
    name="whole",
    inputs=(Input("topic"), Input("depth", 3, "how deep", False, 4)),
    defaults={"retry": 2},
    steps=(
        Step("a", "agent", agent="haiku-general", prompt="{topic}", output="found", retry=2, timeout_s=1.5, line=9),
        Step("b", "command", command=("make", "{found}"), depends_on=("a",), foreach=("x", "y"), worktree=True),
        Step("c", "workflow", workflow="/c.yaml", given={"x": "{found}"}, on_error="fallback", fallback="d"),
        Step("d", "route", prompt="p", foreach="found", when="len(found) > 0", budget_usd=0.5, repo="../r"),
    ),
    path="/w.yaml",
    digest="abc",
    description="all of it",
    is_declared=True,
    children={"/c.yaml": CHILD},
    needs_trust=("b",),
)


def test_a_workflow_goes_through_json_and_back():
    assert Workflow.from_dict(json.loads(json.dumps(WHOLE.as_dict()))) == WHOLE


def test_what_it_runs_is_told_with_what_its_children_run():
    child = Workflow("c", (), {}, (Step("z", "command", command=("rm", "-r", "x")),), "/c.yaml", "")
    whole = Workflow("w", (), {}, WHOLE.steps, "/w.yaml", "", children={"/c.yaml": child})
    assert whole.programs() == ["b: make {found} is run", "z: rm -r x is run", "d: works in ../r"]
