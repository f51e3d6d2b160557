"""A prompt in the real client, from the directive in its model's messages to the figure in the report."""

import json

import pytest

pytestmark = pytest.mark.client

PROMPT = "Fix typo in README.md"
FIGURES = ("decisions", "delegations", "followed", "ignored", "unknown", "rate", "coverage")


def spawns(agent, **more):
    """The model answers the prompt by a call of the Agent tool, once."""
    asked = {"description": "fix it", "prompt": "CHILD", "subagent_type": agent, **more}
    return {"agent": False, "prompt": PROMPT, "times": 1, "tool_use": [{"name": "Agent", "input": asked}]}


@pytest.fixture(scope="module")
def obedient(new_world):
    """A world in which the model did as the directive says, and the run."""
    world = new_world()
    late = {"agent": True, "after": 2}  # an agent that ended sooner would be told of within the same turn
    return world, world.claude(PROMPT, rules=[spawns("haiku-general", model="haiku"), late])


@pytest.fixture(scope="module")
def deaf(new_world):
    """A world in which the model answered by itself, and the run."""
    world = new_world()
    return world, world.claude(PROMPT)


def figures(world):
    report = json.loads(world.orchestrate("metrics", "report", "--json"))
    return {name: report[name] for name in FIGURES}


def test_the_directive_reaches_the_model(deaf):
    _, run = deaf
    assert (run.rc, run.result["result"]) == (0, "ok")
    assert run.heard.count('subagent_type "haiku-general"') == 1
    assert "UserPromptSubmit hook additional context: " in run.heard


def test_the_agents_are_listed(deaf):
    _, run = deaf
    assert {"haiku-general", "sonnet-general", "opus-general"} <= set(run.init["agents"])


def test_the_subagent_runs_on_the_model_of_its_tier(obedient):
    _, run = obedient
    assert run.rc == 0
    child = [request["body"]["model"] for request in run.requests if "x-claude-code-agent-id" in request["headers"]]
    assert ["haiku" in model for model in child] == [True]


def test_a_spawned_subagent_is_joined_to_its_prompt(obedient):
    world, _ = obedient
    (decided,) = world.events("prompt.decided")
    joined = {event["type"].partition(".")[2] for event in world.events() if event["prompt_id"] == decided["prompt_id"]}
    assert joined >= {"prompt.decided", "spawn.requested", "agent.start", "spawn.launched", "turn.end"}
    (requested,) = world.events("spawn.requested")
    (launched,) = world.events("spawn.launched")
    (started,) = world.events("agent.start")
    assert requested["entity"] == launched["entity"]
    assert launched["payload"]["agent_id"] == started["entity"]["id"]
    assert {launched["payload"]["agent_type"], started["payload"]["agent_type"]} == {"haiku-general"}
    assert launched["payload"]["model"].startswith("claude-haiku-")


def test_one_session_holds_all_its_records(obedient):
    world, run = obedient
    assert {event["session"] for event in world.events()} == {run.init["session_id"]}


def test_a_background_agents_notification_is_not_routed(obedient):
    world, _ = obedient
    assert len(world.events("prompt.decided")) == 1
    assert [event["payload"]["kind"] for event in world.events("prompt.skipped")] == ["task_notification"]


def test_an_obeyed_directive_counts_as_followed(obedient):
    world, _ = obedient
    assert figures(world) == dict(zip(FIGURES, (1, 1, 1, 0, 0, 1.0, 1.0), strict=True))


def test_a_disregarded_directive_counts_as_ignored(deaf):
    world, _ = deaf
    assert figures(world) == dict(zip(FIGURES, (1, 1, 0, 1, 0, 0.0, 1.0), strict=True))


ADVISED = {"ORCHESTRATOR_ENFORCEMENT": "advise"}


def test_another_agent_or_another_model_counts_as_ignored(new_world):
    world = new_world()
    world.claude(PROMPT, rules=[spawns("general-purpose", model="haiku")], **ADVISED)
    world.claude(PROMPT, rules=[spawns("haiku-general", model="opus")], **ADVISED)
    assert figures(world) == dict(zip(FIGURES, (2, 2, 0, 2, 0, 0.0, 1.0), strict=True))


def test_the_agent_that_was_named_gets_the_model_decided_whatever_was_asked_for(new_world):
    world = new_world()
    world.claude(PROMPT, rules=[spawns("haiku-general", model="opus")])
    assert figures(world) == dict(zip(FIGURES, (1, 1, 1, 0, 0, 1.0, 1.0), strict=True))


def test_an_agent_that_is_waited_for_is_followed_and_its_tokens_are_recorded(new_world):
    world = new_world()
    world.claude(PROMPT, rules=[spawns("haiku-general", run_in_background=False)])
    (launched,) = world.events("spawn.launched")
    assert (launched["payload"]["status"], launched["payload"]["tokens"]) == ("completed", 15)
    assert figures(world) == dict(zip(FIGURES, (1, 1, 1, 0, 0, 1.0, 1.0), strict=True))


def test_switched_off_it_says_and_records_nothing(new_world):
    world = new_world()
    run = world.claude(PROMPT, ORCHESTRATOR_DISABLED="1")
    assert (run.rc, run.result["result"]) == (0, "ok")
    assert "[orchestrate" not in run.heard
    assert world.events() == []
