"""Which model a subagent gets: decided by its own prompt, unless the user, the prompt or its kind says so."""

import json
import os
import time

import pytest
from payloads import AT_HOME, PROMPT, SESSION, SPAWN, ask, logged, payload, prompt

from state.paths import session_dir

EASY = "Fix the typo in README.md"
HARD = (
    "Find the cause of the intermittent deadlock between the connection pool and the cache writer: it cannot be "
    "reproduced, happens once a week under load, and we only have partial thread dumps. Prove the fix is right."
)
SHORT = {"description": "do it", "prompt": EASY}


def spawn(kind="general-purpose", text=EASY, **fields):
    asked = {"description": "do it", "prompt": text, "subagent_type": kind, **fields}
    return payload("PreToolUse", tool_input={name: value for name, value in asked.items() if value is not None})


def changed(answer):
    """The whole input that the client is given in place of the call's own."""
    if not answer:
        return None
    value = json.loads(answer)
    assert value == {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "updatedInput": value["hookSpecificOutput"]["updatedInput"],
        }
    }
    return value["hookSpecificOutput"]["updatedInput"]


def ruled(place, kind="orchestration.spawn.requested"):
    return [record["payload"] for record in logged(place) if record["type"] == kind][-1]


def define(folder, name, head):
    (folder / "agents").mkdir(parents=True, exist_ok=True)
    (folder / "agents" / f"{name}.md").write_text(f"---\nname: {name}\n{head}---\nDo it.\n")


def beat(place, age_s=0.0):
    folder = session_dir(place, SESSION)
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/mod.json", "w") as file:
        file.write("{}")
    os.utime(f"{folder}/mod.json", (time.time() - age_s,) * 2)


@pytest.mark.parametrize(
    ("text", "asked", "tier"),
    [(EASY, "opus", "haiku"), (EASY, None, "haiku"), (HARD, "haiku", "opus"), (HARD, None, "opus")],
)
def test_a_spawn_gets_the_model_that_its_own_prompt_needs(text, asked, tier, project, place):
    call = spawn(text=text, model=asked, run_in_background=False, isolation="worktree", effort="low")
    assert changed(ask(project, call)) == {**call["tool_input"], "model": tier}
    found = ruled(place)
    assert (found["tier"], found["rung"], found["model_set"], found["model"]) == (tier, "rewrite", tier, asked)
    assert found["rung_reason"] == "the mod gave no sign of life"


def test_what_asks_for_the_right_model_is_not_rewritten(project, place):
    assert ask(project, spawn(model="haiku")) == b""
    assert (ruled(place)["rung"], ruled(place)["model_set"]) == ("rewrite", "haiku")


@pytest.mark.parametrize(("name", "teams"), [("bob", None), ("bob", ""), ("bob", "0"), ("bob", "false"), (None, "1")])
def test_an_agent_that_is_no_teammate_is_decided(name, teams, project):
    env = {} if teams is None else {"CLAUDE_CODE_EXPERIMENTAL_AGENT_TEAMS": teams}
    assert changed(ask(project, spawn(name=name), **env))["model"] == "haiku"


def test_a_long_prompt_comes_back_whole(project, place):
    text = HARD + " \N{SNOWMAN}" * 40_000
    assert changed(ask(project, spawn(text=text)))["prompt"] == text


@pytest.mark.parametrize(
    ("call", "env", "why"),
    [
        (spawn("fork"), {}, "a fork runs on its parent's model"),
        (spawn(team_name="crew"), {}, "a teammate keeps the model it was given"),
        (spawn(name="bob"), {"CLAUDE_CODE_EXPERIMENTAL_AGENT_TEAMS": "1"}, "a teammate keeps the model it was given"),
        (spawn("tester"), {}, "the definition of tester is not known here"),
        (spawn("other:tester"), {}, "the definition of other:tester is not known here"),
        (spawn("../../etc/passwd"), {}, "the definition of ../../etc/passwd is not known here"),
        (spawn("pinned"), {}, "the definition of pinned names claude-haiku-4-5-20251001"),
        (spawn(text="hm"), {}, "unsure: it stays as it was asked for"),
        (spawn(), {"ORCHESTRATOR_ENFORCEMENT": "off"}, "enforcement is off"),
        (spawn(), {"ORCHESTRATOR_ENFORCEMENT": "advise"}, "enforcement is advise"),
        (spawn(), {"ORCHESTRATOR_ROLLOUT__ENABLED": "false"}, "enforcement is advise"),
        (spawn(), {"ORCHESTRATOR_DEPTH": "1"}, "nested"),
        (
            {**spawn(), "permission_mode": "auto"},
            {},
            "the mod gave no sign of life; in auto mode a rewritten call may be refused",
        ),
        (
            {**spawn(), "permission_mode": "plan"},
            {},
            "the mod gave no sign of life; in plan mode a rewritten call may be refused",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_left_as_it_is(call, env, why, project, place):
    define(project / ".claude", "pinned", "model: claude-haiku-4-5-20251001\n")
    assert ask(project, call, **env) == b""
    found = ruled(place)
    assert (found["rung"], found["rung_reason"], found["model_set"]) == ("none", why, None)


@pytest.mark.parametrize("head", ["", "model: inherit\n", 'model: "inherit" # as its parent\n', "tools: Read\n"])
def test_an_agent_of_the_user_s_own_that_names_no_model_is_decided_too(head, project, place, home):
    define(home / ".claude", "tester", head)
    assert changed(ask(project, spawn("tester")))["model"] == "haiku"


def test_the_project_s_definition_comes_before_the_user_s(project, place, home):
    define(home / ".claude", "tester", "model: opus\n")
    define(project / ".claude", "tester", "")
    assert changed(ask(project, spawn("tester")))["model"] == "haiku"


def test_an_agent_that_the_directive_named_keeps_the_prompt_s_tier(project, place):
    assert ask(project, prompt("Rename foo to bar in src/a.py"))
    call = spawn("haiku-general", text=HARD, model="opus")
    assert changed(ask(project, call))["model"] == "haiku"
    assert ruled(place)["reason"] == "as decided for the prompt"


def test_a_directive_of_another_prompt_binds_nobody(project, place):
    assert ask(project, prompt("Rename foo to bar in src/a.py"))
    call = {**spawn("haiku-general", text=HARD), "prompt_id": "another"}
    assert changed(ask(project, call))["model"] == "opus"


def test_the_user_s_own_choice_stands(project, place):
    ask(project, prompt("use opus for this: fix the typo in README.md"))
    assert ask(project, spawn(model="sonnet")) == b""
    assert ruled(place)["rung_reason"] == "the user chose the model of this prompt"


def test_the_user_s_own_choice_reaches_the_agent_that_was_named_for_it(project, place):
    assert b"opus-general" in ask(project, prompt("use opus for this: fix the typo in README.md"))
    assert changed(ask(project, spawn("opus-general", model="haiku")))["model"] == "opus"


def test_a_concrete_model_comes_through_the_agent_that_pins_it(project, place, home):
    pinned = {"ORCHESTRATOR_MODELS__HAIKU": "claude-haiku-4-5-20251001"}
    assert changed(ask(project, spawn(model="opus"), **pinned)) == {
        **SHORT,
        "subagent_type": "general-purpose",
        "model": "haiku",
    }
    define(home / ".claude", "haiku-general", "model: claude-haiku-4-5-20251001\n")
    assert changed(ask(project, spawn(model="opus"), **pinned)) == {**SHORT, "subagent_type": "haiku-general"}
    assert ruled(place)["model_set"] == "claude-haiku-4-5-20251001"


def mod_file(place):
    path = f"{session_dir(place, SESSION)}/spawns/{SPAWN}"
    return json.loads(open(path).read()) if os.path.exists(path) else None


def test_a_live_mod_sets_the_model_in_every_permission_mode(project, place):
    beat(place)
    call = {**spawn(model="opus"), "permission_mode": "auto"}
    assert ask(project, call, ORCHESTRATOR_MODELS__HAIKU="claude-haiku-4-5-20251001") == b""
    assert (ruled(place)["rung"], ruled(place)["rung_reason"]) == ("mod", "the mod is live")
    assert mod_file(place) == {"model": "claude-haiku-4-5-20251001", "tier": "haiku"}
    launched = payload("PostToolUse", tool_response={"agentId": "a", "resolvedModel": "claude-haiku-4-5-20251001"})
    assert ask(project, launched) == b""
    assert mod_file(place) is None
    assert ruled(place, "orchestration.spawn.launched")["is_as_decided"] is True


def test_the_mod_asks_for_the_agents_of_a_workflow(project, place):
    call = payload("PreToolUse", tool_name="WorkflowAgent", tool_input={"prompt": HARD})
    assert json.loads(ask(project, call)) == {"model": "opus"}
    assert (ruled(place)["rung"], ruled(place)["model_set"]) == ("mod", "opus")
    assert ask(project, call, ORCHESTRATOR_ENFORCEMENT="advise") == b""


def test_a_mod_that_did_not_see_the_prompt_is_not_there(project, place):
    beat(place, age_s=60)
    ask(project, prompt(EASY))
    assert changed(ask(project, spawn(model="opus")))["model"] == "haiku"


LAUNCHED = {"agentId": "a", "agentType": "general-purpose", "status": "async_launched"}


def launch(project, model, number):
    call = {**spawn(model="opus"), "tool_use_id": f"toolu_{number}"}
    answer = ask(project, call)
    ask(
        project,
        {
            **payload("PostToolUse", tool_response={**LAUNCHED, "resolvedModel": model}),
            "tool_use_id": f"toolu_{number}",
        },
    )
    return answer


def test_three_failures_in_a_row_switch_the_rung_off_and_are_told_once(project, place):
    outcomes = []
    for number, model in enumerate(["claude-opus-5-5"] * 2 + ["claude-haiku-5-5"] + ["claude-opus-5-5"] * 3):
        assert launch(project, model, number)
        found = ruled(place, "orchestration.spawn.launched")
        outcomes.append((found["is_as_decided"], found["blown"]))
    assert outcomes == [(False, None)] * 2 + [(True, None)] + [(False, None)] * 2 + [(False, "rewrite")]
    assert launch(project, "claude-opus-5-5", 9) == b""
    assert ruled(place)["rung_reason"] == ("the mod gave no sign of life; rewriting failed too often in this session")
    first, second = (json.loads(ask(project, prompt(EASY))).get("systemMessage") for _ in range(2))
    assert first == (
        "orchestrate: an agent did not get the model decided, three times in a row: spawns are left alone "
        "for the rest of this session (`orchestrate doctor`)"
    )
    assert second is None


def test_the_status_line_can_tell_of_another_model(project, place, monkeypatch):
    monkeypatch.setitem(AT_HOME, "ORCHESTRATOR_STATUSLINE__ALARM", "on")
    launch(project, "claude-opus-5-5", 1)
    with open(f"{session_dir(place, SESSION)}/alarm") as file:
        assert file.read() == "haiku was decided, claude-opus-5-5 served\n"


@pytest.mark.parametrize("model", [None, "gateway/some-model"])
def test_a_model_that_does_not_tell_its_tier_is_no_failure(model, project, place):
    for number in range(4):
        launch(project, model, number)
    assert ruled(place, "orchestration.spawn.launched")["is_as_decided"] is None
    assert launch(project, model, 5)


def test_another_session_has_its_own_fuse(project, place):
    for number in range(3):
        launch(project, "claude-opus-5-5", number)
    assert changed(ask(project, {**spawn(model="opus"), "session_id": "another"}))["model"] == "haiku"


def test_a_forced_environment_is_recorded(project, place):
    forced = {"CLAUDE_CODE_SUBAGENT_MODEL": "opus", "CLAUDE_CODE_SUBAGENT_MODEL_FORCE": "1"}
    ask(project, spawn(), **forced, ANTHROPIC_DEFAULT_HAIKU_MODEL="mine", ANTHROPIC_DEFAULT_OPUS_MODEL="other")
    found = ruled(place)
    assert (found["env_model"], found["env_forced"], found["env_alias"]) == ("opus", True, "mine")


@pytest.mark.parametrize("wrong", [None, [], 7, "x", {"prompt": 7}, {"prompt": EASY, "subagent_type": ["a"]}])
def test_garbage_leaves_the_spawn_alone_or_decides_it(wrong, project, place):
    answer = ask(project, payload("PreToolUse", tool_input=wrong))
    assert answer == b"" or set(changed(answer)) == {*wrong, "model"}
    assert ruled(place)["tool"] == "Agent"
    assert logged(place)[-1]["prompt_id"] == PROMPT
