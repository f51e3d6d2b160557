"""`orchestrate-request` with the real client: what an agent is told, what comes back, and every way it can fail."""

import json
import re
import time

import pytest
from fake_api import text_of

pytestmark = pytest.mark.client

PROMPT = "Fix typo in README.md"
PROMPTS = {
    "haiku": PROMPT,
    "sonnet": "Add CSV export to the orders page with tests",
    "opus": "Design the sharding of the ledger",
}
NOBODY_ASKS = {"ORCHESTRATOR_RUN__PERMISSION_MODE": "bypassPermissions"}
AT_ONCE = {"ORCHESTRATOR_RUN__BACKOFF_S": "0.01"}
SUBSCRIBER = {"ANTHROPIC_API_KEY": "", "CLAUDE_CODE_OAUTH_TOKEN": "not-a-token"}
HANGS = {"hang_s": 60}
FIGURES = ("decisions", "delegations", "followed", "ignored", "unknown", "rate", "coverage")


def bash(command):
    """The model calls the Bash tool, once."""
    return {"tool_use": [{"name": "Bash", "input": {"command": command, "description": "look"}}], "times": 1}


def limited_until(reset_at, **more):
    headers = {
        "anthropic-ratelimit-unified-status": "rejected",
        "anthropic-ratelimit-unified-reset": str(reset_at),
        "anthropic-ratelimit-unified-representative-claim": "five_hour",
    }
    return {"status": 429, "headers": headers, **more}


def kinds(asked):
    return [(attempt["model"], attempt["kind"]) for attempt in asked.record["attempts"]]


def ended(asked):
    """The record tells the exit code that was given."""
    assert asked.rc == asked.record["exit_code"]
    return asked.rc, asked.record["outcome"]


def models(asked):
    return [request["body"]["model"] for request in asked.requests]


def told(asked):
    """What the agent was told by us: its system prompt and what a user says."""
    body = asked.requests[0]["body"]
    said = [text_of(message["content"]) for message in body["messages"] if message["role"] == "user"]
    return text_of(body["system"]), "\n".join(said)


@pytest.fixture
def world(new_world):
    """A world without our hooks: `orchestrate-request` needs none."""
    return new_world(installed=False)


@pytest.fixture(scope="module")
def answered(new_world):
    """A world in which each tier has answered a request, and what came of it."""
    world = new_world(installed=False)
    rules = [{"model": tier, "text": f"{tier} has done it."} for tier in PROMPTS]
    return world, {tier: world.request(prompt, "--json", rules=rules) for tier, prompt in PROMPTS.items()}


@pytest.mark.parametrize("tier", PROMPTS)
def test_each_tier_is_reached(answered, tier):
    _, runs = answered
    asked = runs[tier]
    record = asked.record
    assert ended(asked) == (0, "ok")
    assert models(asked) == [f"claude-{tier}-5-5"]
    assert (record["agent"], record["tier"], record["decision"]["agent"]) == (
        f"{tier}-general",
        tier,
        f"{tier}-general",
    )
    assert (record["model_requested"], record["model_served"]) == (tier, f"claude-{tier}-5-5")
    assert record["answer"] == f"{tier} has done it."


def test_the_record_shows_what_was_used_and_what_we_took(answered):
    _, runs = answered
    record = runs["haiku"].record
    (used,) = record["models"].values()
    assert list(record["models"]) == ["claude-haiku-5-5"]
    assert (used["input_tokens"], used["output_tokens"]) == (10, 5)
    assert (used["cache_read_tokens"], used["cache_write_tokens"]) == (0, 0)
    assert used["cost_usd"] == pytest.approx(record["cost_usd"])
    assert record["cost_usd"] > 0
    assert (record["mode"], record["turns"], record["truncated"]) == ("orchestration", 1, False)
    assert kinds(runs["haiku"]) == [("haiku", "ok")]
    assert 0 < record["overhead_ms"] < record["took_ms"]


def test_the_agent_hears_its_own_prompt_and_the_request_and_no_directive(answered):
    _, runs = answered
    system, said = told(runs["haiku"])
    assert "You do one small task, exactly as it is written" in system
    assert said.endswith(PROMPT)
    assert "[orchestrate" not in system + said


def test_what_ran_is_kept_and_told_in_the_session(answered):
    world, runs = answered
    record = runs["haiku"].record
    (folder,) = world.home.rglob(f"runs/{record['run']}")
    assert json.loads((folder / "run.json").read_text()) == record
    assert (folder / "answer.md").read_text() == record["answer"]
    stream = [json.loads(line) for line in (folder / "stream.jsonl").read_text().splitlines()]
    assert stream[-1]["result"] == record["answer"]
    mine = [event for event in world.events() if event["prompt_id"] == record["prompt_id"]]
    assert [event["type"].partition(".")[2] for event in mine] == ["prompt.decided", "run.started", "run.finished"]
    assert mine[2]["entity"] == {"type": "run", "id": record["run"]}
    assert mine[2]["payload"]["model_served"] == "claude-haiku-5-5"


def test_the_report_counts_what_we_ran_as_followed(answered):
    world, _ = answered
    report = json.loads(world.orchestrate("metrics", "report", "--json", "--by-mode"))
    whole = dict(zip(FIGURES, (3, 3, 3, 0, 0, 1.0, 1.0), strict=True))
    assert {name: report[name] for name in FIGURES} == whole
    assert {mode: {name: part[name] for name in FIGURES} for mode, part in report["by"]["mode"].items()} == {
        "orchestration": whole
    }
    assert (report["agents_finished"], report["agents_failed"], report["agent_success"]) == (3, 0, 1.0)


def test_without_json_the_answer_alone_is_on_stdout(world):
    asked = world.request(PROMPT, rules=[{"text": "The typo is fixed."}])
    assert (asked.rc, asked.stdout) == (0, "The typo is fixed.\n")
    assert asked.stderr.splitlines()[0] == "haiku-general: started on haiku"


def test_a_reader_that_has_seen_enough_does_not_end_the_run(world):
    rules = [{"text": "first", **bash("true")}, {"text": "second\n" * 20_000}]
    line = f"orchestrate-request '{PROMPT}' | head -1"
    asked = world.shell(line, rules=rules, **NOBODY_ASKS)
    assert (asked.rc, asked.stdout) == (0, "first\n")
    assert "Traceback" not in asked.stderr
    assert [event["payload"]["outcome"] for event in world.events("run.finished")] == ["ok"]


def test_the_user_names_the_agent(world):
    folder = world.project / ".claude" / "agents"
    folder.mkdir(parents=True)
    (folder / "planner.md").write_text("---\nname: planner\ndescription: Plans.\nmodel: opus\n---\nPlan like a mole.\n")
    asked = world.request(PROMPT, "--json", "--agent", "planner")
    assert ended(asked) == (0, "ok")
    assert (asked.record["agent"], asked.record["tier"], models(asked)) == ("planner", "opus", ["claude-opus-5-5"])
    assert "Plan like a mole." in told(asked)[0]
    assert (asked.record["decision"]["override"], asked.record["decision"]["agent"]) == (True, "planner")


def test_agents_run_is_the_same_by_another_name(world):
    record = world.shell(f"orchestrate agents run opus-general '{PROMPT}' --json").record
    assert (record["agent"], record["model_served"], record["outcome"]) == ("opus-general", "claude-opus-5-5", "ok")


def test_the_user_names_the_model(world):
    asked = world.request(PROMPT, "--json", "--model", "sonnet")
    assert ended(asked) == (0, "ok")
    assert (asked.record["agent"], models(asked)) == ("haiku-general", ["claude-sonnet-5-5"])


def test_an_agent_that_is_not_there_ends_with_three_and_asks_nobody(world):
    asked = world.request(PROMPT, "--agent", "haiku")
    assert (asked.rc, asked.stdout, asked.requests) == (3, "", [])
    assert asked.stderr == "orchestrate-request: agent 'haiku': there is none (did you mean haiku-general?)\n"


@pytest.mark.parametrize("request_", ["/etc/hosts has a typo, fix it", "/clear the old logs", "  /help"])
def test_a_request_that_begins_with_a_slash_is_no_command_of_the_client(world, request_):
    asked = world.request(request_, "--json", rules=[{"text": "Done."}])
    assert (ended(asked), asked.record["answer"]) == ((0, "ok"), "Done.")
    assert told(asked)[1].endswith(f"The request: {request_.strip()}")


def test_one_run_hands_its_result_to_another(world):
    first = world.request(PROMPT, "--json", rules=[{"text": "It was in line 3."}]).record["run"]
    rules = [bash('cat "$ORCHESTRATOR_CONTEXT_FILE" > seen.json; echo "$ORCHESTRATOR_DEPTH" > depth')]
    second = world.request("Check the fix", "--json", "--context-from", first, rules=rules, **NOBODY_ASKS)
    assert ended(second) == (0, "ok")
    given = json.loads((world.project / "seen.json").read_text())
    assert given["results"] == [
        {"run": first, "agent": "haiku-general", "outcome": "ok", "answer": "It was in line 3."}
    ]
    assert (given["run"], given["request"]) == (second.record["run"], "Check the fix")
    assert f"runs/{second.record['run']}/context.json" in told(second)[0]
    assert (world.project / "depth").read_text() == "1\n"


def test_neither_request_nor_key_is_in_any_command_line(world):
    """Looked at from inside, as any user of the machine could: the request comes by stdin here too."""
    look = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' > seen"
    env = {**NOBODY_ASKS, "ANTHROPIC_API_KEY": "key-3f9c", "MY_TOKEN": "token-8d21"}
    asked = world.request("--interactive", stdin="Fix typo-61ab in README.md", rules=[bash(look)], **env)
    assert asked.rc == 0
    seen = (world.project / "seen").read_text()
    assert "--agent haiku-general" in seen
    assert re.findall("key-3f9c|token-8d21|typo-61ab", seen) == []


def test_two_requests_at_once_share_a_session(world):
    calls = [(PROMPT, "--json", "--session", "shared"), (PROMPTS["opus"], "--json", "--session", "shared")]
    both = world.requests_side_by_side(calls)
    assert [ended(asked) for asked in both] == [(0, "ok"), (0, "ok")]
    assert len({asked.record["run"] for asked in both}) == 2
    types = [event["type"].partition(".")[2] for event in world.events()]
    assert sorted(types) == ["prompt.decided"] * 2 + ["run.finished"] * 2 + ["run.started"] * 2
    assert {event["session"] for event in world.events()} == {"shared"}


def test_a_limit_without_a_reset_is_tried_again(world):
    asked = world.request(PROMPT, "--json", rules=[{"status": 429, "times": 1}], **AT_ONCE)
    assert ended(asked) == (0, "ok")
    assert kinds(asked) == [("haiku", "rate_limited"), ("haiku", "ok")]


def test_a_limit_is_waited_for_until_its_reset(world):
    reset_at = int(time.time()) + 4
    asked = world.request(PROMPT, "--json", rules=[limited_until(reset_at, times=1)], **AT_ONCE, **SUBSCRIBER)
    assert time.time() >= reset_at
    assert ended(asked) == (0, "ok")
    assert kinds(asked) == [("haiku", "rate_limited"), ("haiku", "ok")]


def test_a_limit_that_lasts_too_long_ends_the_run(world):
    tomorrow = int(time.time()) + 86_400
    asked = world.request(PROMPT, "--json", rules=[limited_until(tomorrow)], **SUBSCRIBER)
    assert (ended(asked), len(asked.requests)) == ((1, "rate_limited"), 1)
    assert asked.record["detail"].startswith("You've hit your 5-hour limit")


def test_without_an_api_key_nothing_is_said_of_money(world):
    record = world.request(PROMPT, "--json", **SUBSCRIBER).record
    (used,) = record["models"].values()
    assert (record["outcome"], record["cost_usd"], used["cost_usd"], used["input_tokens"]) == ("ok", None, None, 10)


def test_an_overloaded_model_is_tried_three_times_and_then_replaced(world):
    asked = world.request(PROMPT, "--json", rules=[{"model": "haiku", "status": 529}], **AT_ONCE)
    assert ended(asked) == (0, "ok")
    assert kinds(asked) == [*[("haiku", "overloaded")] * 3, ("sonnet", "ok")]
    assert (asked.record["agent"], asked.record["model_served"]) == ("haiku-general", "claude-sonnet-5-5")


def test_the_next_request_knows_that_a_model_is_overloaded(world):
    rules = [{"model": "haiku", "status": 529}]
    world.request(PROMPT, "--json", rules=rules, **AT_ONCE)
    asked = world.request(PROMPT, "--json", rules=rules)
    assert (ended(asked), kinds(asked)) == ((0, "ok"), [("sonnet", "ok")])
    assert "haiku does not answer just now: sonnet instead of haiku" in asked.stderr


def test_a_model_that_is_not_there_is_replaced_at_once(world):
    asked = world.request(PROMPT, "--json", rules=[{"model": "haiku", "status": 404}])
    assert ended(asked) == (0, "ok")
    assert kinds(asked) == [("haiku", "model_not_found"), ("sonnet", "ok")]


def test_a_model_that_the_user_named_is_not_replaced(world):
    asked = world.request(PROMPT, "--json", "--model", "haiku", rules=[{"model": "haiku", "status": 404}])
    assert (ended(asked), kinds(asked)) == ((1, "model_not_found"), [("haiku", "model_not_found")])


def test_a_key_that_is_not_accepted_ends_the_run(world):
    asked = world.request(PROMPT, "--json", rules=[{"status": 401}])
    assert (ended(asked), len(asked.requests)) == ((1, "auth"), 1)
    assert asked.record["detail"] == "Failed to authenticate. API Error: 401 the fake API says 401"
    assert (asked.record["answer"], asked.record["model_served"], asked.record["models"]) == ("", None, {})


def test_what_failed_is_told_on_stderr(world):
    asked = world.request(PROMPT, rules=[{"status": 401}])
    assert (asked.rc, asked.stdout) == (1, "")
    last = asked.stderr.splitlines()[-1]
    assert re.fullmatch(r"orchestrate-request: auth: Failed to authenticate\. .* \(run r-[-0-9a-f]+\)", last)


def test_a_stream_that_breaks_off_is_asked_for_again(world):
    """Twice: once the stream, once the whole that the client asks for instead."""
    rules = [{"text": "half an answer", "cut": 3, "times": 2}, {"text": "The whole answer."}]
    asked = world.request(PROMPT, "--json", rules=rules, **AT_ONCE)
    assert (ended(asked), asked.record["answer"]) == ((0, "ok"), "The whole answer.")
    assert kinds(asked) == [("haiku", "api_error"), ("haiku", "ok")]


def test_an_agent_out_of_turns_hands_over_to_the_next_tier(world):
    rules = [{"model": "haiku", **bash("true")}, {"model": "sonnet", "text": "Done in one."}]
    asked = world.request(PROMPT, "--json", rules=rules, ORCHESTRATOR_RUN__MAX_TURNS="1")
    assert (ended(asked), asked.record["answer"]) == ((0, "ok"), "Done in one.")
    assert kinds(asked) == [("haiku", "max_turns"), ("sonnet", "ok")]
    assert (asked.record["agent"], asked.record["decision"]["agent"]) == ("sonnet-general", "haiku-general")
    assert set(asked.record["models"]) == {"claude-haiku-5-5", "claude-sonnet-5-5"}


def test_a_named_agent_out_of_turns_is_out_of_turns(world):
    env = {"ORCHESTRATOR_RUN__MAX_TURNS": "1"}
    asked = world.request(PROMPT, "--json", "--agent", "haiku-general", rules=[bash("true")], **env)
    assert (ended(asked), kinds(asked)) == ((1, "max_turns"), [("haiku", "max_turns")])


def test_a_tool_that_may_not_be_used_ends_with_four(world):
    env = {"ORCHESTRATOR_RUN__PERMISSION_MODE": "dontAsk"}
    asked = world.request(PROMPT, "--json", rules=[bash("touch here")], **env)
    assert ended(asked) == (4, "permission_denied")
    assert not (world.project / "here").exists()


def test_a_budget_that_is_spent_ends_with_four(world):
    asked = world.request(PROMPT, "--json", ORCHESTRATOR_RUN__MAX_BUDGET_USD="0.000001")
    assert (ended(asked), len(asked.requests)) == ((4, "budget"), 1)


def test_agents_three_deep_start_no_other(world):
    asked = world.request(PROMPT, ORCHESTRATOR_DEPTH="3")
    assert (asked.rc, asked.stdout, asked.requests) == (4, "", [])
    assert asked.stderr.endswith("agents start agents 3 deep already: this one is not started\n")


def test_an_api_that_hangs_is_given_up_after_two_attempts(world):
    patient = {"ORCHESTRATOR_RUN__ATTEMPTS": "10"}  # a minute for all: there is time for both, however long they start
    asked = world.request(PROMPT, "--json", "--timeout", "6", rules=[HANGS], **patient)
    assert (ended(asked), kinds(asked)) == ((124, "timeout"), [("haiku", "timeout")] * 2)
    assert (len(asked.requests), world.processes()) == (2, [])


def test_ctrl_c_ends_the_agent(world):
    asked = world.request(PROMPT, "--json", rules=[HANGS], signal="SIGINT")
    assert (ended(asked), kinds(asked)) == ((130, "aborted"), [("haiku", "aborted")])
    assert (len(asked.requests), world.processes()) == (1, [])


def test_ctrl_c_ends_what_the_agent_has_started(world):
    """A daemon in a session of its own, which the client itself leaves running."""
    rules = [bash("setsid sleep 600 > /dev/null 2>&1 & echo $! > pid"), HANGS]
    asked = world.request(PROMPT, "--json", rules=rules, signal="SIGINT", signal_at=2, **NOBODY_ASKS)
    assert ended(asked) == (130, "aborted")
    assert (world.project / "pid").exists()
    assert world.processes() == []


def test_kill_9_leaves_nothing_that_goes_on_spending(world):
    asked = world.request(PROMPT, rules=[HANGS], signal="SIGKILL")
    assert asked.rc == -9
    assert world.ends_within(60)
