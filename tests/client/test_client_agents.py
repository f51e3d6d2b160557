"""The agents that the client has without any file: those that we list are those that it takes."""

import pytest

from orchestrate.agents.definitions import CLIENT_OWN

pytestmark = pytest.mark.client

PROMPT = "Fix typo in README.md"
NAMES = [agent.name for agent in CLIENT_OWN]


@pytest.fixture
def world(new_world):
    return new_world(installed=False)


def tools(asked):
    return {tool["name"] for tool in asked.requests[0]["body"]["tools"]}


def test_the_client_has_the_agents_that_we_say_it_has(world):
    assert sorted(world.claude(PROMPT).init["agents"]) == sorted(NAMES)


@pytest.mark.parametrize("agent", CLIENT_OWN, ids=lambda agent: agent.name)
def test_each_of_them_answers_a_request(world, agent):
    asked = world.request(PROMPT, "--json", "--agent", agent.name, rules=[{"text": "Done."}])
    record = asked.record
    assert (asked.rc, record["outcome"], record["agent"], record["answer"]) == (0, "ok", agent.name, "Done.")
    assert record["model_served"] == "claude-haiku-5-5"
    assert tools(asked).isdisjoint(agent.refused_tools or [])
    assert tools(asked) >= set(agent.tools or [])
    assert ("Write" in tools(asked)) == (agent.name in ("claude", "general-purpose"))


def test_a_file_of_the_project_beats_one_of_them(world):
    folder = world.project / ".claude" / "agents"
    folder.mkdir(parents=True)
    (folder / "plan.md").write_text("---\nname: Plan\ndescription: Plans.\ntools: Write\n---\nPlan like a mole.\n")
    asked = world.request(PROMPT, "--json", "--agent", "Plan")
    assert (asked.rc, "Write" in tools(asked), "Bash" in tools(asked)) == (0, True, False)
    assert "Plan like a mole." in str(asked.requests[0]["body"]["system"])


def test_a_tier_may_be_given_to_one_of_them(world):
    asked = world.request(PROMPT, "--json", ORCHESTRATOR_AGENTS__HAIKU="general-purpose")
    assert (asked.rc, asked.record["agent"], asked.record["decision"]["agent"]) == (
        0,
        "general-purpose",
        "general-purpose",
    )
