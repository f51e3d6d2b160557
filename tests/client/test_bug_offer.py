"""The offer to log a bug reaches the model's next request in the real client, where the user has asked for it."""

import json

import pytest
from fake_api import text_of

pytestmark = pytest.mark.client

OFFER = "[orchestrate] If this is a bug worth keeping, log it: orchestrate bug log --action log_and_continue"
RED = "printf 'a.py:3: KeyError: x\\n1 failed\\n' | cat # pytest"
RULES = [
    {"tool_use": [{"name": "Bash", "input": {"command": "echo 'ValueError: boom' >&2; exit 3", "description": "x"}}]},
    {"tool_use": [{"name": "Bash", "input": {"command": RED, "description": "x"}}]},
]
NOBODY_ASKS = ["--permission-mode", "bypassPermissions"]


def run(world):
    return world.claude("run it", rules=[{**rule, "times": 1} for rule in RULES], args=NOBODY_ASKS)


def told(request):
    """What the model was told after its last tool call."""
    return "\n".join(text_of(message["content"]) for message in request["body"]["messages"][-2:])


@pytest.fixture(scope="module")
def world(new_world):
    """The user has asked for offers before the install."""
    world = new_world(installed=False)
    (world.home / ".orchestrator").mkdir()
    (world.home / ".orchestrator/config.yaml").write_text("bugs: {offer: true}\n")
    world.orchestrate("install")
    return world


def test_a_failed_command_and_a_red_test_run_are_offered_in_the_next_request(world):
    done = run(world)
    after_failure, after_red = [request for request in done.requests if request["body"].get("tools")][1:3]
    assert f"{OFFER} -- 'ValueError: boom'" in told(after_failure)
    assert f"{OFFER} --file 'a.py' --line 3 -- 'a.py:3: KeyError: x'" in told(after_red)
    offered = [event for event in world.events() if event["type"] == "orchestration.bug.offered"]
    assert [event["payload"]["event"] for event in offered] == ["PostToolUseFailure", "PostToolUse"]
    assert done.rc == 0


def test_without_the_setting_the_client_has_no_such_hook_and_the_model_hears_nothing(new_world):
    world = new_world()
    hooks = json.loads((world.config / "settings.json").read_text())["hooks"]
    assert "PostToolUseFailure" not in hooks
    assert [group["matcher"] for group in hooks["PostToolUse"]] == ["Agent|Task"]
    done = run(world)
    assert "[orchestrate] If this" not in json.dumps(done.requests)


def test_an_install_after_the_setting_was_taken_back_takes_the_hooks_out(world):
    (world.home / ".orchestrator/config.yaml").write_text("bugs: {offer: false}\n")
    world.orchestrate("install")
    hooks = json.loads((world.config / "settings.json").read_text())["hooks"]
    assert ("PostToolUseFailure" in hooks, hooks["PostToolUse"][0]["matcher"]) == (False, "Agent|Task")
