"""The chain of three agents with the real client: what one has found is what the next is asked about."""

import json

import pytest
from fake_api import text_of
from workflow_example import RESEARCH

pytestmark = pytest.mark.client

GOES_SOON = {"ORCHESTRATOR_WORKFLOW__IDLE_S": "0.5"}


def said(request):
    messages = request["body"]["messages"]
    return "\n".join(text_of(message["content"]) for message in messages if message["role"] == "user")


def test_results_flow_from_agent_to_agent(new_world):
    world = new_world(installed=False)
    path = world.project / "research.yaml"
    path.write_text(RESEARCH)
    rules = [{"model": "haiku", "text": "Three papers on graphene."}, {"model": "sonnet", "text": "They agree."}]
    asked = world.request("graphene", "--workflow", str(path), rules=rules, **GOES_SOON)
    assert (asked.rc, asked.stdout) == (0, "They agree.\n")
    assert [request["body"]["model"] for request in asked.requests] == [
        "claude-haiku-5-5", "claude-sonnet-5-5", "claude-sonnet-5-5",
    ]  # fmt: skip
    asks = [
        "Search for papers on graphene",
        "Analyze these papers: Three papers",
        "Write summary based on: They agree.",
    ]
    assert [ask in said(request) for ask, request in zip(asks, asked.requests, strict=True)] == [True] * 3
    report = json.loads(world.orchestrate("metrics", "report", "--by-mode", "--json"))
    assert report["by"]["mode"]["orchestration"]["followed"] == 3
