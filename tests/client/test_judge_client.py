"""The judge with the real client: one request without tools, of the request's text and the rubric alone."""

import json

import pytest
from fake_api import text_of
from made_users import prompts

from orchestrate.agents import judge
from routing import rules
from routing.features import Text
from routing.routing_core import decide

pytestmark = pytest.mark.client

UNSURE = next(text for text in prompts(400) if decide(text).abstained and not rules.leans(Text(text), False))
GOOD = json.dumps({"tier": "opus", "reason": "several causes"})
IS_JUDGE = {"system": "You decide which model should do a piece of work"}


@pytest.fixture
def world(new_world):
    return new_world(installed=False)


def judging(requests):
    return [each for each in requests if judge.SYSTEM[:40] in text_of(each["body"].get("system"))]


def test_the_judge_asks_the_real_client_once_and_gives_it_no_tools(world):
    (world.project / "CLAUDE.md").write_text("Always answer in verse.\n")
    rules = [{**IS_JUDGE, "text": GOOD}]
    asked = world.shell(f"orchestrate route {json.dumps(UNSURE)} --judge --json", rules=rules)
    told = json.loads(asked.stdout)
    assert (asked.rc, told["tier"], told["judged"]["reason"]) == (0, "opus", "several causes")
    assert told["judged"]["model"].startswith("claude-haiku")
    (request,) = judging(asked.requests)
    said = "".join(text_of(message["content"]) for message in request["body"]["messages"])
    assert (len(asked.requests), request["body"].get("tools", [])) == (1, [])
    assert UNSURE in said
    assert "verse" not in said
    assert list(world.config.glob("projects/*/*.jsonl")) == []


def test_in_a_batch_the_agent_is_the_judged_one(world):
    rules = [{**IS_JUDGE, "text": GOOD}, {"text": "done"}]
    env = {"BATCH_MODE": "1", "ORCHESTRATOR_JUDGE__ENABLED": "true"}
    asked = world.request(UNSURE, "--json", rules=rules, **env)
    assert (asked.record["agent"], asked.record["model_served"][:11]) == ("opus-general", "claude-opus")
    assert len(judging(asked.requests)) == 1


def test_a_judge_that_talks_has_not_judged(world):
    rules = [{**IS_JUDGE, "text": f"I would say: {GOOD}"}]
    told = json.loads(world.shell(f"orchestrate route {json.dumps(UNSURE)} --judge --json", rules=rules).stdout)
    assert (told["tier"], told["judged"]["failed"]) == (decide(UNSURE).tier, "its answer is no JSON object alone")
