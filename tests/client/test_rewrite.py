"""The rewrite rung with the real client: what the API is asked for is what the hook decided, for every spawn."""

import json
import re

import pytest
from fake_api import AGENT_HEADER

pytestmark = pytest.mark.client

GO = "Say hello in one word."
EASY = ["Fix the typo in README.md", "Sort the imports in app/models/*.py", "Bump the version in package.json to 1.2.3"]
HARD = [
    "Find the race that loses a wakeup between the lock-free queue and the scheduler, and prove the fix right.",
    "Design the sharding of our ledger across regions, with the trade-offs of consistency and failover.",
]
TIERS = ("haiku", "sonnet", "opus")
OWN = "claude-opus-5-5"


def agent(text, **more):
    return {"name": "Agent", "input": {"description": "do it", "prompt": f"CHILD {text}", **more}}


def calls(count):
    """Spawns of every shape, with models that nobody decided on."""
    texts = (EASY + HARD) * count
    models = ({"model": "sonnet"}, {"model": "opus"}, {}, {"model": "haiku", "subagent_type": "general-purpose"})
    wait = ({"run_in_background": False}, {})
    shape = {"subagent_type": "general-purpose"}
    return [agent(texts[n], **{**shape, **models[n % 4], **wait[n % 2]}) for n in range(count)]


def decided(world):
    """Child's prompt hash to the alias that was decided."""
    events = [event for event in world.events() if event["type"] == "orchestration.spawn.requested"]
    return [(event["payload"]["rung"], event["payload"]["model_set"]) for event in events]


def children(run):
    """The first request of every agent: its prompt's tail and its model."""
    first = {}
    for request in run.requests:
        name = request["headers"].get(AGENT_HEADER)
        if name:
            first.setdefault(name, request["body"]["model"])
    return first


def launched(world):
    return {
        event["entity"]["id"]: event["payload"]
        for event in world.events()
        if event["type"] == "orchestration.spawn.launched"
    }


@pytest.mark.parametrize("mode", ["default", "dontAsk", "acceptEdits"])
def test_every_spawn_gets_the_model_decided(mode, world):
    spawns = calls(12)
    run = world.claude(
        GO,
        rules=[{"agent": False, "prompt": GO, "times": 1, "tool_use": spawns}],
        args=["--permission-mode", mode],
    )
    assert run.rc == 0
    told = launched(world)
    assert len(told) == len(children(run)) == 12
    rulings = decided(world)
    assert {rung for rung, _ in rulings} == {"rewrite"}
    assert all(payload["is_as_decided"] is True for payload in told.values())
    served = {payload["agent_id"]: payload["decided_tier"] for payload in told.values()}
    asked = {name: next(tier for tier in TIERS if tier in model) for name, model in children(run).items()}
    assert asked == served
    assert set(served.values()) == {"haiku", "opus"}


@pytest.mark.parametrize("mode", ["auto", "plan"])
def test_where_the_client_checks_calls_they_stay_as_they_are(mode, world):
    world.claude(
        GO,
        rules=[{"agent": False, "prompt": GO, "times": 1, "tool_use": calls(1)}],
        args=["--permission-mode", mode],
    )
    ((rung, model),) = decided(world)
    assert (rung, model) == ("none", None)


def test_nested_agents_and_two_sessions_at_once(world):
    shape = {"subagent_type": "general-purpose", "run_in_background": False}
    nested = [agent("Fix the typo in CHANGES.md", **shape, model="opus")]
    spawns = [agent(HARD[1], **shape, model="haiku")]
    rules = [
        {"agent": False, "prompt": GO, "times": 2, "tool_use": spawns},
        {"agent": True, "prompt": "CHILD Design", "times": 2, "tool_use": nested},
    ]
    runs = world.side_by_side([GO, GO], rules)
    assert [run.rc for run in runs] == [0, 0]
    told = launched(world)
    assert sorted(payload["decided_tier"] for payload in told.values()) == ["haiku", "haiku", "opus", "opus"]
    assert sorted(children(runs[0]).values()) == ["claude-haiku-5-5"] * 2 + ["claude-opus-5-5"] * 2


def test_a_spawn_with_a_very_long_prompt_arrives_whole(world):
    text = "Fix the typo in README.md\n```\n" + ("\N{SNOWMAN} " * 20 + "\n") * 1_000 + "```"
    run = world.claude(GO, [{"agent": False, "prompt": GO, "times": 1, "tool_use": [agent(text, model="opus")]}])
    (child,) = [request["body"] for request in run.requests if AGENT_HEADER in request["headers"]]
    ((_, decided_model),) = decided(world)
    assert decided_model in child["model"]
    assert decided_model != "opus"
    assert json.dumps(text, ensure_ascii=False)[1:-1] in json.dumps(child["messages"], ensure_ascii=False)


@pytest.mark.parametrize("model", ["sonnet", "opus"])
def test_a_teammate_keeps_the_model_it_was_given(model, world):
    uses = [agent(EASY[0], subagent_type="general-purpose", name="bob", model=model)]
    rules = [{"agent": False, "prompt": GO, "times": 1, "tool_use": uses}]
    args = ["--permission-mode", "acceptEdits"]
    with world.interactive(rules, args, CLAUDE_CODE_EXPERIMENTAL_AGENT_TEAMS="1") as tty:
        tty.type(GO)
        tty.wait_asked(3)
        tty.until(lambda: launched(world), "the launch in the log")
        tty.wait_gone("esc to interrupt")
    (told,) = launched(world).values()
    assert (told["status"], told["decided_tier"]) == ("teammate_spawned", None)
    assert model in told["model"]
    assert decided(world) == [("none", None)]


SCRIPT = """export const meta = {{ name: 'both', description: 'two agents' }}
// it's one agent after another
const first = await agent({easy})
const rest = await parallel([() => agent({hard}, {{ label: 'hard' }}), () => agent(`${{first}}: ` + 'go on')])
return rest"""


def test_the_agents_of_a_workflow_get_their_models_by_its_script(world):
    script = SCRIPT.format(easy=json.dumps(EASY[0]), hard=json.dumps(HARD[0]))
    uses = [{"name": "Workflow", "input": {"script": script}}]
    rules = [{"agent": False, "times": 1, "prompt": GO, "tool_use": uses}]
    run = world.claude(GO, rules, ["--permission-mode", "bypassPermissions"])
    ((rung, model),) = decided(world)
    assert (run.rc, rung, model) == (0, "rewrite", None)
    (asked,) = [event["payload"] for event in world.events() if event["type"] == "orchestration.spawn.requested"]
    assert [agent["model_set"] for agent in asked["agents"]] == ["haiku", "opus", None]
    served = {
        "easy" if EASY[0] in text else "hard" if HARD[0] in text else "computed": request["body"]["model"]
        for request in run.requests
        if AGENT_HEADER in request["headers"] and (text := json.dumps(request["body"]["messages"]))
    }
    assert served == {"easy": "claude-haiku-5-5", "hard": "claude-opus-5-5", "computed": OWN}


def test_an_agent_that_a_script_computes_raises_no_alarm(world):
    script = f"export const meta = {{ name: 'both', description: 'two' }}\nawait agent({json.dumps(EASY[0])})\n"
    uses = [{"name": "Workflow", "input": {"script": script + "return await agent('Prove ' + 'it')"}}]
    rules = [{"agent": False, "times": 1, "prompt": GO, "tool_use": uses}]
    run = world.claude(GO, rules, ["--permission-mode", "bypassPermissions"])
    assert sorted(children(run).values()) == ["claude-haiku-5-5", OWN]
    assert json.loads(world.orchestrate("metrics", "ledger", "--json"))["alarm"] is None


@pytest.mark.parametrize("by", ["script", "scriptPath"])
def test_a_workflow_that_is_resumed_runs_no_agent_again(by, world):
    script = SCRIPT.format(easy=json.dumps(EASY[0]), hard=json.dumps(HARD[0]))
    args = ["--permission-mode", "bypassPermissions"]
    uses = [{"name": "Workflow", "input": {"script": script}}]
    first = world.claude(GO, [{"agent": False, "times": 1, "prompt": GO, "tool_use": uses}], args)
    (file,) = world.config.rglob("workflows/scripts/*.js")
    assert (len(children(first)), file.read_text().count("model: ")) == (3, 2)
    run = re.search(r"wf_[\w-]+$", file.stem).group()
    uses[0]["input"] = {by: script if by == "script" else str(file), "resumeFromRunId": run}
    rules = [{"agent": False, "times": 1, "prompt": "Go on", "tool_use": uses}]
    again = world.claude("Go on now.", rules, [*args, "--resume", first.init["session_id"]])
    assert "workflow" in json.dumps([request["body"]["messages"] for request in again.requests]).lower()
    assert (again.rc, children(again)) == (0, {})
