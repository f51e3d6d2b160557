"""A red check with the real client: a stronger agent hears of it and mends what the first one left."""

import pytest
from fake_api import text_of

pytestmark = pytest.mark.client

PROMPT = "Fix typo in README.md"
NOBODY_ASKS = {"ORCHESTRATOR_RUN__PERMISSION_MODE": "bypassPermissions"}
CHECK = "sh -c 'echo 1 failed; test -e mended'"


@pytest.fixture
def world(new_world):
    return new_world(installed=False)


def bash(command, **more):
    return {"tool_use": [{"name": "Bash", "input": {"command": command, "description": "look"}}], "times": 1, **more}


def test_a_red_check_goes_to_the_next_tier_which_mends_it(world):
    rules = [
        {"model": "haiku", "text": "It is done."},
        bash("touch mended", model="sonnet"),
        {"model": "sonnet", "text": "Now it is done."},
    ]
    asked = world.request(PROMPT, "--json", "--check", CHECK, rules=rules, **NOBODY_ASKS)
    record = asked.record
    assert (asked.rc, record["outcome"], record["answer"]) == (0, "ok", "Now it is done.")
    assert [(each["model"], each["served"], each["kind"]) for each in record["attempts"]] == [
        ("haiku", "claude-haiku-5-5", "ok"),
        ("sonnet", "claude-sonnet-5-5", "ok"),
    ]
    assert record["check"] == {"command": CHECK, "code": 0, "tail": "1 failed\n"}
    first, second = asked.requests[:2]
    assert "1 failed" not in text_of(first["body"]["messages"][-1]["content"])
    assert "failed then (exit code 1)" in "".join(text_of(said["content"]) for said in second["body"]["messages"])


def test_a_check_that_stays_red_ends_with_one(world):
    asked = world.request(PROMPT, "--check", CHECK, rules=[{"text": "It is done."}])
    assert (asked.rc, asked.stdout, len(asked.requests)) == (1, "It is done.\nIt is done.\n", 2)
    assert f"red_check: the check is red: {CHECK}: exit code 1 (run r-" in asked.stderr.splitlines()[-1]
