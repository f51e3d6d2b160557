"""A limit that is nearly used up, and models that do not answer just now, change who does the work."""

import json
import time

import pytest
from payloads import ask, logged, payload, prompt

EASY = "Fix the typo in README.md"
HARD = (
    "Find the cause of the intermittent deadlock between the connection pool and the cache writer: it cannot be "
    "reproduced, happens once a week under load, and we only have partial thread dumps. Prove the fix is right."
)
MIDDLE = "Add pagination to the users endpoint and write tests for it"


@pytest.fixture
def used(home):
    """Say how much of the five-hour limit is used."""

    def say(percent, resets_in_s=7200, age_s=60):
        now = time.time()
        reading = {"used": percent, "resets_at": now + resets_in_s, "read_at": now - age_s, "source": "statusline"}
        (home / ".orchestrator/cache").mkdir(parents=True, exist_ok=True)
        (home / ".orchestrator/cache/quota.json").write_text(json.dumps({"v": 1, "windows": {"five_hour": reading}}))

    return say


@pytest.fixture
def failing(home):
    def say(*models, for_s=60.0):
        (home / ".orchestrator").mkdir(exist_ok=True)
        entries = {model: {"until": time.time() + for_s} for model in models}
        (home / ".orchestrator/breakers.json").write_text(json.dumps({"closed": {"until": None}, **entries}))

    return say


def decided(place):
    return [record["payload"] for record in logged(place) if record["type"] == "orchestration.prompt.decided"][-1]


@pytest.mark.parametrize(("text", "tier", "lower"), [(HARD, "opus", "sonnet"), (MIDDLE, "sonnet", "haiku")])
def test_under_pressure_the_work_goes_one_tier_down(text, tier, lower, used, project, place):
    used(93)
    assert f"{lower}-general".encode() in ask(project, prompt(text))
    found = decided(place)
    assert (found["tier"], found["agent"]) == (lower, f"{lower}-general")
    assert found["stepped_down"] == {"from": tier, "why": "93% of the five-hour limit is used"}


@pytest.mark.parametrize(
    ("percent", "changes", "env"),
    [
        (89, {}, {}),
        (93, {}, {"ORCHESTRATOR_QUOTA__STEP_DOWN": "off"}),
        (93, {}, {"ORCHESTRATOR_QUOTA__PRESSURE": "0.95"}),
        (93, {"resets_in_s": 600}, {}),
        (93, {"resets_in_s": -5}, {}),
        (93, {"age_s": 7 * 3600}, {}),
    ],
)
def test_without_pressure_nothing_changes(percent, changes, env, used, project, place):
    used(percent, **changes)
    ask(project, prompt(HARD), **env)
    assert (decided(place)["tier"], decided(place)["stepped_down"]) == ("opus", None)


@pytest.mark.parametrize("text", ["use opus for this: fix the typo in README.md", "hm, well"])
def test_what_the_user_chose_and_what_is_unsure_is_not_stepped_down(text, used, project, place):
    used(99)
    ask(project, prompt(text))
    assert decided(place)["stepped_down"] is None


def test_a_spawn_steps_down_too(used, project, place):
    used(93)
    call = payload("PreToolUse", tool_input={"prompt": HARD, "description": "x"})
    assert json.loads(ask(project, call))["hookSpecificOutput"]["updatedInput"]["model"] == "sonnet"


@pytest.mark.parametrize(
    ("text", "models", "tier", "stand_in"),
    [
        (EASY, ["haiku"], "haiku", "sonnet"),
        (EASY, ["haiku", "sonnet"], "haiku", "opus"),
        (HARD, ["opus"], "opus", "sonnet"),
    ],
)
def test_another_tier_stands_in_for_models_that_do_not_answer(text, models, tier, stand_in, failing, project, place):
    failing(*models)
    assert f"{stand_in}-general".encode() in ask(project, prompt(text))
    found = decided(place)["stood_in"]
    assert found == {"from": tier, "why": f"{tier} does not answer just now"}


@pytest.mark.parametrize(
    ("models", "for_s", "env"),
    [
        (["opus"], 60, {}),
        (["haiku"], -1, {}),
        (["haiku", "sonnet", "opus"], 60, {}),
        (["claude-haiku-4-5"], 60, {}),
    ],
)
def test_what_does_not_concern_the_tier_or_leaves_nobody_changes_nothing(models, for_s, env, failing, project, place):
    failing(*models, for_s=for_s)
    ask(project, prompt(EASY), **env)
    assert (decided(place)["tier"], decided(place)["stood_in"]) == ("haiku", None)


def test_a_concrete_model_of_the_tier_counts(failing, project, place):
    failing("claude-haiku-4-5")
    ask(project, prompt(EASY), ORCHESTRATOR_MODELS__HAIKU="claude-haiku-4-5")
    assert decided(place)["stood_in"]["from"] == "haiku"


def test_a_stand_in_that_the_main_thread_already_is_stays(failing, project, place):
    failing("haiku")
    assert ask(project, prompt(EASY), ANTHROPIC_MODEL="claude-sonnet-5-5") == b""
    assert (decided(place)["action"], decided(place)["tier"]) == ("stay", "sonnet")


@pytest.mark.parametrize("text", ["[]", "{", "", '{"haiku": 7}', '{"haiku": {"until": "soon"}}'])
def test_a_file_that_cannot_be_understood_changes_nothing(text, home, project, place):
    (home / ".orchestrator/cache").mkdir(parents=True)
    (home / ".orchestrator/breakers.json").write_text(text)
    (home / ".orchestrator/cache/quota.json").write_text(text)
    assert b"haiku-general" in ask(project, prompt(EASY))
    assert not (place.state and list(home.rglob("hook-errors.log")))
