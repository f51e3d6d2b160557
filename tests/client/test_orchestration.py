"""The hook in orchestration mode: the agent's answer takes the place of the prompt in the real client."""

import json

import pytest
from fake_api import AGENT_HEADER, text_of
from rig import REPO

pytestmark = pytest.mark.client

PROMPT = "Fix typo in README.md"
ANSWER = "The typo is fixed."
BLOCKED = "UserPromptSubmit operation blocked by hook:\n"
ANSWERS = {"model": "haiku", "text": ANSWER}
BATCH = {"CLAUDE_BATCH_MODE": "1"}
FIGURES = ("decisions", "delegations", "followed", "ignored", "unknown", "rate", "coverage")


def models(run):
    return [request["body"]["model"] for request in run.requests]


def heard_by_main(run):
    """What the model of the session itself was told; the agents of these tests are on haiku."""
    (main,) = [request for request in run.requests if "opus" in request["body"]["model"]]
    return "\n".join(text_of(message["content"]) for message in main["body"]["messages"])


@pytest.fixture(scope="module")
def answered(new_world):
    """A world in which the hook had an agent answer the prompt, and the run."""
    world = new_world()
    return world, world.claude(PROMPT, rules=[ANSWERS], **BATCH)


def test_the_answer_stands_where_the_models_would(answered):
    _, run = answered
    assert (run.rc, run.stderr) == (0, "")
    assert (run.result["subtype"], run.result["is_error"]) == ("success", False)
    assert run.result["result"] == BLOCKED + ANSWER  # and no "Original prompt: ..." after it


def test_the_session_asked_its_own_model_nothing(answered):
    _, run = answered
    assert models(run) == ["claude-haiku-5-5"]
    assert (run.result["num_turns"], run.result["modelUsage"]) == (0, {})


def test_the_agent_is_told_the_request_alone(answered):
    """Its own hooks are off: nothing is routed twice."""
    world, run = answered
    body = run.requests[0]["body"]
    said = "\n".join(text_of(message["content"]) for message in body["messages"])
    assert "You do one small task, exactly as it is written" in text_of(body["system"])
    assert said.count(PROMPT) == 1
    assert "[orchestrate" not in said
    assert AGENT_HEADER not in run.requests[0]["headers"]
    assert world.kinds() == ["session.start", "prompt.decided", "run.started", "run.finished", "session.end"]


def test_decision_and_run_are_told_under_the_prompt(answered):
    world, run = answered
    (decided,) = world.events("prompt.decided")
    (started,) = world.events("run.started")
    (finished,) = world.events("run.finished")
    assert {event["session"] for event in world.events()} == {run.init["session_id"]}
    assert decided["prompt_id"] == started["prompt_id"] == finished["prompt_id"]
    assert started["entity"] == finished["entity"]
    said = decided["payload"]
    assert (said["context"], said["mode"], said["rung"], said["degraded"]) == (
        "batch",
        "orchestration",
        "orchestration",
        None,
    )
    assert (finished["payload"]["outcome"], finished["payload"]["model_served"]) == ("ok", "claude-haiku-5-5")


def test_the_report_counts_it_as_followed(answered):
    world, _ = answered
    report = json.loads(world.orchestrate("metrics", "report", "--json", "--by-mode"))
    assert {name: report[name] for name in FIGURES} == dict(zip(FIGURES, (1, 1, 1, 0, 0, 1.0, 1.0), strict=True))
    assert list(report["by"]["mode"]) == ["orchestration"]


def test_nothing_is_left_running(answered):
    world, _ = answered
    assert world.processes() == []


@pytest.mark.parametrize(
    ("name", "context"), [("BATCH_MODE", "batch"), ("CLAUDE_OVERNIGHT", "overnight"), ("API_REQUEST", "api")]
)
def test_every_unattended_context_is_answered_by_an_agent(world, name, context):
    run = world.claude(PROMPT, rules=[ANSWERS], **{name: "1"})
    assert (run.result["result"], models(run)) == (BLOCKED + ANSWER, ["claude-haiku-5-5"])
    assert [event["payload"]["context"] for event in world.events("prompt.decided")] == [context]


def test_who_prefers_orchestration_gets_it_without_a_word_from_the_environment(world):
    world.orchestrate("mode", "set", "orchestration")
    run = world.claude(PROMPT, rules=[ANSWERS])
    assert (run.result["result"], models(run)) == (BLOCKED + ANSWER, ["claude-haiku-5-5"])
    assert [event["payload"]["mode_source"] for event in world.events("prompt.decided")] == ["preference"]


def test_a_plugin_runs_its_own_agents(new_world):
    world = new_world(installed=False)
    world.orchestrate("install", "--scope", "plugin")
    rules = [{"model": "haiku", "tool_use": [{"name": "Bash", "input": {"command": "true"}}]}]
    rules += [{"model": "sonnet", "text": ANSWER}]
    args = ["--plugin-dir", str(REPO / "hooks")]
    run = world.claude(PROMPT, rules, args, **BATCH, ORCHESTRATOR_RUN__MAX_TURNS="1")
    assert (run.result["result"], models(run)) == (ANSWER, ["claude-haiku-5-5", "claude-sonnet-5-5"])
    assert [event["payload"]["agent"] for event in world.events("run.started")] == ["orchestrate:haiku-general"]
    assert [event["payload"]["agent"] for event in world.events("run.finished")] == ["sonnet-general"]


def test_a_prompt_that_is_a_path_is_answered_too(world):
    run = world.claude("/etc/hosts has a typo, fix it", rules=[ANSWERS], **BATCH)
    assert (run.result["result"], models(run)) == (BLOCKED + ANSWER, ["claude-haiku-5-5"])


@pytest.mark.parametrize("letter", ["x", "\u20ac", "\U0001f600", '"'])
def test_a_long_answer_is_cut_and_names_the_file_that_has_it_all(world, letter):
    """The client puts a file's path in place of more than 10,000 characters: ours must stay below."""
    answer = letter * 12_000
    run = world.claude(PROMPT, rules=[{"model": "haiku", "text": answer}], **BATCH)
    head, _, told = run.result["result"].removeprefix(BLOCKED).partition("\n\n")
    assert (head, models(run)) == (letter * 9_500, ["claude-haiku-5-5"])
    (path,) = world.home.rglob("runs/*/answer.md")
    assert told == f"[the whole answer, 12000 characters, is in {path}]"
    assert path.read_text() == answer


def test_where_the_agent_fails_the_prompt_goes_on_with_a_directive(world):
    run = world.claude(PROMPT, rules=[{"model": "haiku", "status": 401}], **BATCH)
    assert (run.rc, run.result["result"]) == (0, "ok")
    assert models(run) == ["claude-haiku-5-5", "claude-opus-5-5"]
    assert heard_by_main(run).count("Route: haiku-general (auth).") == 1
    assert [event["payload"]["outcome"] for event in world.events("run.finished")] == ["auth"]
    report = json.loads(world.orchestrate("metrics", "report", "--json"))
    assert (report["agents_failed"], report["errors"]) == (1, 0)


def test_where_the_agent_is_not_to_be_found_the_prompt_goes_on_with_a_directive(world):
    run = world.claude(PROMPT, **BATCH, ORCHESTRATOR_AGENTS__HAIKU="nobody")
    assert (run.rc, run.result["result"], models(run)) == (0, "ok", ["claude-opus-5-5"])
    assert heard_by_main(run).count("Route: nobody (the agent was not started).") == 1
    assert world.events("hook.failed") == []


@pytest.mark.parametrize("program", [{"PATH": "/usr/local/bin:/usr/bin:/bin"}, {"ORCHESTRATOR_CLAUDE_BINARY": "/none"}])
def test_where_there_is_no_client_to_run_the_prompt_goes_on_with_a_directive(world, program):
    run = world.claude(PROMPT, **BATCH, **program)
    assert (run.rc, run.result["result"], models(run)) == (0, "ok", ["claude-opus-5-5"])
    assert heard_by_main(run).count("Route: haiku-general (haiku: ") == 1
    (decided,) = world.events("prompt.decided")
    told = {name: decided["payload"][name] for name in ("mode", "mode_chosen", "degraded", "rung")}
    assert told == {"mode": "directive", "mode_chosen": "orchestration", "degraded": "cli_missing", "rung": "directive"}


def test_inside_an_agent_of_ours_a_hook_records_and_does_nothing(world):
    run = world.claude(PROMPT, **BATCH, ORCHESTRATOR_DEPTH="1")
    assert (run.rc, run.result["result"], models(run)) == (0, "ok", ["claude-opus-5-5"])
    assert "[orchestrate" not in heard_by_main(run)
    assert world.kinds() == ["session.start", "prompt.skipped", "turn.end", "session.end"]
    assert [event["payload"]["kind"] for event in world.events("prompt.skipped")] == ["nested"]


def test_a_client_that_an_agent_starts_routes_nothing_either(world):
    """The agent's own hooks are off by its settings; those of a client that it starts know by the environment."""
    start = "claude -p 'Fix typo in README.md' --model sonnet > inner.txt"
    rules = [
        {"model": "haiku", "tool_use": [{"name": "Bash", "input": {"command": start}}], "times": 1},
        {"model": "sonnet", "text": "from within"},
        ANSWERS,
    ]
    run = world.claude(PROMPT, rules=rules, **BATCH, ORCHESTRATOR_RUN__PERMISSION_MODE="bypassPermissions")
    assert run.result["result"] == BLOCKED + ANSWER
    assert (world.project / "inner.txt").read_text() == "from within\n"
    assert models(run) == ["claude-haiku-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"]
    assert len(world.events("prompt.decided")) == 1
    assert [event["payload"]["kind"] for event in world.events("prompt.skipped")] == ["nested"]


def test_two_prompts_at_once_are_answered_each_by_its_own_agent(world):
    prompts = [PROMPT, "Rename the variable foo to bar in a.py"]
    rules = [{"prompt": prompt, "text": f"done: {prompt}"} for prompt in prompts]
    runs = world.side_by_side(prompts, rules, **BATCH)
    assert [run.result["result"] for run in runs] == [f"{BLOCKED}done: {prompt}" for prompt in prompts]
    assert sorted(world.kinds()).count("run.finished") == 2
