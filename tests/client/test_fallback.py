"""The real client goes over to the model that stands in, within the run: nothing that was done is done again."""

import json

import pytest

pytestmark = pytest.mark.client

PROMPT = "Fix typo in README.md"
# Fewer tries than two, as the rig has it, and the client never falls back for an overloaded model.
OURS = {"CLAUDE_CODE_MAX_RETRIES": ""}
NOBODY_ASKS = {"ORCHESTRATOR_RUN__PERMISSION_MODE": "bypassPermissions"}
HAIKU, SONNET, OPUS = "claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5"


@pytest.fixture
def world(new_world):
    return new_world(installed=False)


def bash(command, **more):
    return {"tool_use": [{"name": "Bash", "input": {"command": command, "description": "look"}}], "times": 1, **more}


def models(asked):
    return [request["body"]["model"] for request in asked.requests]


def tried(asked):
    return [(attempt["model"], attempt["served"], attempt["kind"]) for attempt in asked.record["attempts"]]


def breakers(world):
    (path,) = [*world.home.glob(".orchestrator/breakers.json"), None][:1]
    return json.loads(path.read_text()) if path else {}


def failures(world):
    return {model: entry["failures"] for model, entry in breakers(world).items()}


def test_a_model_that_is_overloaded_three_times_is_stood_in_for_in_one_attempt(world):
    asked = world.request(PROMPT, "--json", rules=[{"model": "haiku", "status": 529, "times": 3}], **OURS)
    record = asked.record
    assert (asked.rc, record["outcome"], models(asked)) == (0, "ok", [HAIKU] * 3 + [SONNET])
    assert (record["model_requested"], record["model_served"]) == ("haiku", SONNET)
    assert tried(asked) == [("haiku", SONNET, "ok")]
    assert record["detail"] == "overloaded: sonnet stood in for haiku"
    assert f"overloaded: the client goes on with {SONNET} in place of {HAIKU}" in asked.stderr
    assert failures(world) == {"haiku": 1}


def test_in_the_middle_of_a_run_the_conversation_is_kept(world):
    rules = [
        bash("echo once >> seen", model="haiku"),
        {"model": "haiku", "status": 529},
        {"model": "sonnet", "text": "Done with what haiku saw."},
    ]
    asked = world.request(PROMPT, "--json", rules=rules, **OURS, **NOBODY_ASKS)
    record = asked.record
    assert (asked.rc, record["answer"], tried(asked)) == (0, "Done with what haiku saw.", [("haiku", SONNET, "ok")])
    assert models(asked) == [HAIKU] * 4 + [SONNET]
    assert (world.project / "seen").read_text() == "once\n"
    assert "tool_result" in json.dumps(asked.requests[-1]["body"]["messages"])
    assert {model: used["output_tokens"] for model, used in record["models"].items()} == {HAIKU: 5, SONNET: 5}


def test_after_three_such_runs_the_model_is_left_alone(world):
    """The client that fell back says so in its stream: each run is a failure of the model that was asked."""
    rules = [{"model": "haiku", "status": 529}]
    for count in (1, 2, 3):
        world.request(PROMPT, rules=rules, **OURS)
        assert failures(world) == {"haiku": count}
    asked = world.request(PROMPT, "--json", rules=rules, **OURS)
    assert (asked.rc, models(asked), tried(asked)) == (0, [SONNET], [("sonnet", SONNET, "ok")])


def test_a_stand_in_that_is_known_to_fail_is_passed_over(world):
    world.request(PROMPT, "--model", "sonnet", rules=[{"status": 529}], ORCHESTRATOR_RUN__BACKOFF_S="0.01")
    assert breakers(world)["sonnet"]["until"] is not None
    asked = world.request(PROMPT, "--json", rules=[{"model": "haiku", "status": 529}], **OURS)
    assert (asked.rc, models(asked)) == (0, [HAIKU] * 3 + [OPUS])


@pytest.mark.parametrize(
    ("status", "asked_first", "counts"),
    [
        (404, 2, {}),  # it is not there: no outage
        (500, 1, {"haiku": 1}),
        (400, 6, {}),  # the request is at fault
    ],
)
def test_what_else_the_client_falls_back_for(world, status, asked_first, counts):
    asked = world.request(PROMPT, "--json", rules=[{"model": "haiku", "status": status}], **OURS)
    assert (asked.rc, tried(asked)) == (0, [("haiku", SONNET, "ok")])
    assert models(asked) == [HAIKU] * asked_first + [SONNET]
    assert failures(world) == counts


def test_where_the_stand_in_is_overloaded_too_the_third_model_gets_the_request(world):
    rules = [{"model": "haiku|sonnet", "status": 529}]
    env = {"ORCHESTRATOR_RUN__BACKOFF_S": "0.01", "ORCHESTRATOR_RUN__ATTEMPTS": "1"}
    asked = world.request(PROMPT, "--json", rules=rules, **OURS, **env)
    assert (asked.rc, tried(asked)) == (0, [("haiku", None, "overloaded"), ("opus", OPUS, "ok")])
    assert failures(world) == {"haiku": 1, "sonnet": 1}


def test_a_client_without_tries_of_its_own_leaves_the_fallback_to_us(world):
    asked = world.request(PROMPT, "--json", rules=[{"model": "haiku", "status": 404}], CLAUDE_CODE_MAX_RETRIES="0")
    assert tried(asked) == [("haiku", None, "model_not_found"), ("sonnet", SONNET, "ok")]


@pytest.mark.parametrize("words", [["--model", "haiku"], ["--agent", "haiku-general", "--model", "haiku"]])
def test_a_model_that_the_user_named_has_no_stand_in(world, words):
    asked = world.request(PROMPT, "--json", *words, rules=[{"model": "haiku", "status": 404}], **OURS)
    assert (asked.rc, asked.record["outcome"], set(models(asked))) == (1, "model_not_found", {HAIKU})
