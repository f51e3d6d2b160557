"""Enforcement `session`: the main thread's own model, once for each user turn, through the mod alone."""

import json
import os
import time
from pathlib import Path

import pytest
from payloads import PROMPT, ask, logged, prompt

from state.journal import stamp

EASY = "Fix the typo in README.md"
MIDDLE = "Add pagination to the users endpoint and write tests for it"
HARD = (
    "Find the cause of the intermittent deadlock between the connection pool and the cache writer: it cannot be "
    "reproduced, happens once a week under load, and we only have partial thread dumps. Prove the fix is right."
)
ALL = {"ORCHESTRATOR_ENFORCEMENT": "session"}


@pytest.fixture
def mod(folder):
    """Sign a prompt as the mod does, and tell of its steps."""

    def sign(*steps):
        with open(f"{folder}/mod.json", "w") as file:
            file.write('{"v":1}')
        with open(f"{folder}/steps.jsonl", "a") as file:
            for step in steps:
                file.write(json.dumps({"at": time.time() * 1000, "agent": None, "error": None, **step}) + "\n")

    return sign


@pytest.fixture
def transcript(tmp_path):
    """What the session's last step used."""

    def write(model, read=0, written=0, age_s=30.0):
        usage = {
            "input_tokens": 10,
            "output_tokens": 300,
            "cache_read_input_tokens": read,
            "cache_creation_input_tokens": written,
        }
        at = stamp(time.time() - age_s)
        lines = [
            {"type": "user", "message": {"role": "user", "content": "go"}, "timestamp": at},
            {"type": "assistant", "timestamp": at, "message": {"id": "m", "model": model, "usage": usage}},
        ]
        path = tmp_path / "transcript.jsonl"
        path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
        return {"transcript_path": str(path)}

    return write


def decided(place):
    return [record["payload"] for record in logged(place) if record["type"] == "orchestration.prompt.decided"][-1]


def route(folder):
    with open(f"{folder}/route.json") as file:
        return json.load(file)


def test_a_fresh_session_gets_the_model_that_its_first_prompt_needs(mod, folder, project, place):
    mod()
    assert ask(project, prompt(EASY), **ALL) == b""
    found = decided(place)
    assert (found["rung"], found["main_model"], found["action"]) == ("mod", "haiku", "stay")
    assert found["switch"]["why"] == "a fresh context has no cache to lose"
    assert (route(folder)["main"], route(folder)["prompt_id"]) == ({"model": "haiku"}, PROMPT)


def test_a_warm_cache_is_not_thrown_away_for_a_small_gain(mod, folder, transcript, project, place):
    mod()
    answer = ask(project, {**prompt(MIDDLE), **transcript("claude-opus-5-5", read=180_000)}, **ALL)
    found = decided(place)
    assert (found["switch"]["switch"], found["main_model"]) == (False, "opus")
    assert found["switch"]["stay_usd"] < found["switch"]["switch_usd"]
    assert (found["rung"], b"sonnet-general" in answer) == ("directive", True)
    assert route(folder)["main"] == {"model": "opus"}


def test_a_gain_that_pays_for_the_lost_cache_is_taken(mod, transcript, project, place):
    mod()
    ask(project, {**prompt(EASY), **transcript("claude-opus-5-5", read=180_000)}, **ALL)
    assert (decided(place)["main_model"], decided(place)["rung"]) == ("haiku", "mod")
    assert decided(place)["switch"]["switch_usd"] < decided(place)["switch"]["stay_usd"]


def test_a_hard_prompt_gets_the_model_it_needs_whatever_the_cache(mod, transcript, project, place):
    mod()
    ask(project, {**prompt(HARD), **transcript("claude-haiku-5-5", read=180_000)}, **ALL)
    assert (decided(place)["main_model"], decided(place)["rung"]) == ("opus", "mod")


def test_a_concrete_model_is_set_by_its_id(mod, folder, project):
    mod()
    ask(project, prompt(EASY), **ALL, ORCHESTRATOR_MODELS__HAIKU="claude-haiku-4-5-20251001")
    assert route(folder)["main"] == {"model": "claude-haiku-4-5-20251001"}


def test_a_model_that_nobody_knows_stays(mod, folder, transcript, project, place):
    mod()
    ask(project, {**prompt(EASY), **transcript("local/some-model", read=5)}, **ALL)
    assert (decided(place)["main_model"], route(folder)["main"]) == (None, None)


@pytest.mark.parametrize(
    ("has_mod", "env", "why"),
    [
        (False, ALL, "the mod gave no sign of life"),
        (True, {}, "the mod is live"),
        (True, {"ORCHESTRATOR_ENFORCEMENT": "advise"}, "enforcement is advise"),
    ],
)
def test_without_mod_or_leave_the_main_thread_is_not_touched(has_mod, env, why, mod, project, place):
    if has_mod:
        mod()
    assert ask(project, prompt(EASY), **env)
    found = decided(place)
    assert (found["main_model"], found["rung"], found["subagents_reason"]) == (None, "directive", why)


def test_the_next_prompt_knows_what_was_chosen_before(mod, transcript, project, place):
    mod()
    ask(project, prompt(EASY), **ALL)
    mod({"asked": "haiku", "served": "claude-haiku-5-5"})
    ask(project, {**prompt(HARD), **transcript("claude-haiku-5-5", read=900)}, **ALL)
    assert (decided(place)["switch"]["from"], decided(place)["switch"]["to"]) == ("haiku", "opus")


WRONG = {"asked": "haiku", "served": "claude-opus-5-5"}


@pytest.mark.parametrize(
    ("step", "is_blown"),
    [
        (WRONG, True),
        ({**WRONG, "served": None, "error": "404"}, True),
        ({**WRONG, "served": "claude-haiku-5-5"}, False),
        ({**WRONG, "served": "gateway/any"}, False),
        ({**WRONG, "asked": None}, False),
        ({**WRONG, "agent": "a1"}, False),
        ({**WRONG, "at": 5}, False),
    ],
)
def test_a_mod_that_does_not_deliver_is_left_alone_after_three_prompts(step, is_blown, mod, folder, project, place):
    for _ in range(3):
        mod()
        ask(project, prompt(EASY), **ALL)
        assert decided(place)["rung"] == "mod"
        mod(step)
    answer = json.loads(ask(project, prompt(EASY), **ALL) or b"{}")
    found = decided(place)
    assert found["blown"] == ("mod" if is_blown else None)
    if is_blown:
        assert "the mod is left alone for the rest of this session" in answer["systemMessage"]
        assert (found["rung"], found["subagents_rung"]) == ("directive", "rewrite")
        assert not os.path.exists(f"{folder}/route.json")
    else:
        assert (found["rung"], "systemMessage" in answer) == ("mod", False)


@pytest.mark.parametrize("setting", ["on", "off"])
def test_the_status_line_can_tell_of_another_model(setting, mod, folder, project):
    wanted = {**ALL, "ORCHESTRATOR_STATUSLINE__ALARM": setting}
    mod()
    ask(project, prompt(EASY), **wanted)
    mod(WRONG)
    ask(project, prompt(EASY), **wanted)
    alarm = Path(folder, "alarm")
    told = alarm.read_text() if alarm.exists() else None
    assert told == ("haiku was decided, claude-opus-5-5 served\n" if setting == "on" else None)


@pytest.mark.parametrize("line", [b"garbage\n", b"[]\n", b'{"asked":"haiku"', b"\xff\n"])
def test_steps_that_cannot_be_read_count_for_nothing(line, mod, folder, project, place):
    for _ in range(4):
        mod()
        ask(project, prompt(EASY), **ALL)
        with open(f"{folder}/steps.jsonl", "ab") as file:
            file.write(line)
    assert decided(place)["rung"] == "mod"
