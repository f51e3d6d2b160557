"""A word on a decision, and the prompt's text by its id, in what the real client leaves behind."""

import json

import pytest

pytestmark = pytest.mark.client

PROMPT = "Fix the typo in README.md – and only that one, s'il vous plaît"  # noqa: RUF001  as people type


@pytest.fixture(scope="module")
def asked(new_world):
    world = new_world()
    assert world.claude(PROMPT).rc == 0
    return world


def decided(world):
    return next(event for event in world.events() if event["type"] == "orchestration.prompt.decided")


def test_the_last_prompt_is_the_one_that_is_meant(asked):
    line = json.loads(asked.orchestrate("feedback", "good", "--json"))
    event = decided(asked)
    assert (line["prompt_id"], line["hash"]) == (event["prompt_id"], event["payload"]["hash"])


def test_its_text_is_found_in_the_clients_transcript(asked):
    prompt_id = decided(asked)["prompt_id"]
    assert json.loads(asked.orchestrate("route", "explain", prompt_id[:8], "--text", "--json"))["text"] == PROMPT


def test_it_can_be_learned_from(asked):
    asked.orchestrate("feedback", "good")
    figures = json.loads(asked.orchestrate("route", "learn", "--dry-run", "--json"))["figures"]
    assert (figures["signals"], figures["texts"], figures["without_text"]) == ({"user": 1}, 1, 0)
