"""Sessions of an experiment: each in one arm, for good, and no session in any without the user's word."""

from collections import Counter

import pytest
from payloads import ask, logged, payload, prompt

from orchestrate.request.arms import ARMS, arm_of
from state.paths import locate
from state.snapshot import read

ON = {"ORCHESTRATOR_AB__ENABLED": "1"}
EASY = "Fix the typo in README.md"


def settings(home, project, **env):
    return read(locate(str(project), {"HOME": str(home)}), {**ON, **env})


def only(arm):
    return {**ON, "ORCHESTRATOR_AB__ARMS": arm}


def decided(place):
    return [record["payload"] for record in logged(place) if record["type"] == "orchestration.prompt.decided"][-1]


def test_arms_are_even_and_stable(home, project):
    found = settings(home, project)
    arms = [arm_of(found, f"session-{number}") for number in range(4000)]
    assert arms == [arm_of(found, f"session-{number}") for number in range(4000)]
    assert set(arms) == set(ARMS)
    assert all(900 < count < 1100 for count in Counter(arms).values())


@pytest.mark.parametrize(("named", "arm"), [("session", "session"), ("nobody,session", "session"), ("nobody", None)])
def test_only_arms_that_exist_are_given(named, arm, home, project):
    found = settings(home, project)
    found.values = {**found.values, "ab.arms": named}
    assert arm_of(found, "any") == arm


def test_without_the_user_s_word_there_is_no_arm(project, place):
    ask(project, prompt(EASY))
    assert decided(place)["arm"] is None


@pytest.mark.parametrize(
    ("arm", "mode", "subagents"),
    [
        ("directive", "directive", "none"),
        ("subagents", "directive", "rewrite"),
        ("session", "directive", "rewrite"),
        ("orchestration", "orchestration", "rewrite"),
    ],
)
def test_an_arm_decides_mode_and_ceiling(arm, mode, subagents, project, place):
    ask(project, prompt(EASY), **only(arm), PATH="")
    found = decided(place)
    assert (found["arm"], found["mode_chosen"], found["subagents_rung"]) == (arm, mode, subagents)


def test_spawns_belong_to_the_arm_too(project, place):
    assert ask(project, payload("PreToolUse", tool_input={"prompt": EASY}), **only("directive")) == b""
    assert logged(place)[-1]["payload"]["rung_reason"] == "enforcement is advise"


def test_the_environment_stands_above_the_arm(project, place):
    ask(project, prompt(EASY), **only("orchestration"), ORCHESTRATOR_MODE="directive")
    assert decided(place)["mode_chosen"] == "directive"
    ask(project, prompt(EASY), **only("subagents"), ORCHESTRATOR_ENFORCEMENT="off")
    assert decided(place)["subagents_reason"] == "enforcement is off"
