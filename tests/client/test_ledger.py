"""The ledger of a real session against what the API was asked for."""

import json
from collections import Counter

import pytest
from fake_api import AGENT_HEADER

pytestmark = pytest.mark.client

PROMPT = "Fix typo in README.md"


def agent(kind, model, **more):
    asked = {"description": "look", "prompt": f"CHILD {kind}", "subagent_type": kind, "model": model, **more}
    return {"name": "Agent", "input": asked}


@pytest.fixture(scope="module")
def session(new_world):
    """A prompt whose main thread starts one agent and waits, and one that works beside it: (world, run, ledger)."""
    world = new_world()
    calls = [agent("haiku-general", "haiku", run_in_background=False), agent("opus-general", "opus")]
    reads = {"agent": True, "prompt": "CHILD", "times": 2, "tool_use": [{"name": "Read", "input": {"file_path": "/x"}}]}
    run = world.claude(PROMPT, rules=[{"agent": False, "prompt": PROMPT, "times": 1, "tool_use": calls}, reads])
    return world, run, json.loads(world.orchestrate("metrics", "ledger", "--json"))


def test_every_message_is_there_once_on_the_model_that_served_it(session):
    _, run, ledger = session
    asked = Counter((request["headers"].get(AGENT_HEADER), request["body"]["model"]) for request in run.requests)
    told = Counter()
    for row in ledger["rows"]:
        (model,) = row["served"] or [None]
        told[row["agent_id"], model] += row["messages"]
    assert told == asked
    assert len(asked) == 3
    assert asked.total() >= 6


def test_the_tokens_are_those_that_the_api_counted(session):
    _, run, ledger = session
    tokens = [sum(row[name] for row in ledger["rows"]) for name in ("input_tokens", "output_tokens")]
    assert tokens == [10 * len(run.requests), 5 * len(run.requests)]


def test_what_was_decided_was_served(session):
    world, _, ledger = session
    (decided,) = [event for event in world.events() if event["type"] == "orchestration.prompt.decided"]
    rows = [row for row in ledger["rows"] if row["part"] == "agent"]
    assert {row["agent_type"]: (row["prompt_id"], row["verdict"]) for row in rows}["haiku-general"] == (
        decided["prompt_id"],
        "ok",
    )
    assert all(row["tool_use_id"] for row in rows)
    assert (ledger["summary"]["mismatches"], ledger["alarm"]) == (0, None)


def test_a_forced_model_is_found(new_world):
    world = new_world()
    rule = {"agent": False, "prompt": PROMPT, "times": 1, "tool_use": [agent("haiku-general", "haiku")]}
    forced = {"CLAUDE_CODE_SUBAGENT_MODEL": "sonnet", "CLAUDE_CODE_SUBAGENT_MODEL_FORCE": "1"}
    world.claude(PROMPT, rules=[rule], **forced)
    (row,) = json.loads(world.orchestrate("metrics", "ledger", "--mismatch", "--json"))["rows"]
    assert (row["part"], row["requested"], row["kind"]) == ("agent", "haiku", "forced_env")
