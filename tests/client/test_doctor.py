"""The self-check, by the real client: what it proves where the hooks work, and what it says where they do not."""

import json

import pytest

pytestmark = pytest.mark.client

HAIKU = "haiku was decided, and the subagent asked for claude-haiku-5-5"
TOLD = "the model was told, with this session's mark"


def files(folder):
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def checked(world, *words, **env):
    """`orchestrate doctor --self-check --json`, which must leave no trace and ask nothing of the user's own API."""
    before = files(world.home.parent)
    asked = world.shell("orchestrate doctor --self-check --json " + " ".join(words), **env)
    assert (asked.stderr, asked.requests, world.ends_within(30)) == ("", [], True)
    assert files(world.home.parent) == before
    found = json.loads(asked.stdout)
    assert asked.rc == (1 if found["failures"] else 0)
    return found


def proofs(found):
    return {proof["rung"]: (proof["proven"], proof["why"]) for proof in found["self_check"]["proofs"]}


@pytest.fixture(scope="module")
def plugged(new_world, plugin):
    world = new_world("--scope", "plugin")
    world.client("plugin", "marketplace", "add", str(plugin))
    world.client("plugin", "install", "orchestrate@orchestrate-local")
    return world


@pytest.mark.parametrize("scope", ["user", "project", "local"])
def test_hooks_in_the_settings_are_proven(scope, new_world):
    world = new_world(installed=False)
    world.orchestrate("install", "--scope", scope)
    found = checked(world)
    assert proofs(found) == {
        "mod": (False, "no mod is installed"),
        "rewrite": (True, HAIKU),
        "directive": (True, TOLD),
    }
    assert (found["rungs"]["live"], found["self_check"]["live"], found["self_check"]["runs"]) == (
        "rewrite",
        "rewrite",
        1,
    )
    assert 0 < found["self_check"]["took_s"] < 120
    assert found["failures"] == []


def test_the_plugin_is_proven_with_its_mod_and_without(plugged):
    found = checked(plugged)
    assert proofs(found) == {"mod": (True, HAIKU), "rewrite": (True, HAIKU), "directive": (True, TOLD)}
    assert (found["rungs"]["live"], found["self_check"]["live"], found["self_check"]["runs"]) == ("mod", "mod", 2)
    assert found["failures"] == []


def test_the_main_thread_is_proven_where_it_may_be_switched(plugged):
    found = checked(plugged, ORCHESTRATOR_ENFORCEMENT="session")
    assert proofs(found)["mod"] == (True, f"{HAIKU}; the main thread on claude-haiku-5-5")
    assert found["rungs"]["main_thread"] == "mod"


def test_nothing_of_the_user_s_takes_part(new_world, tmp_path):
    """Neither other hooks, nor settings that would decide otherwise, nor a login."""
    world, traces = new_world(), tmp_path / "traces"
    traces.mkdir()
    settings = json.loads((world.config / "settings.json").read_text())
    spy = {"type": "command", "command": f"touch {traces}/spied"}
    settings["hooks"]["UserPromptSubmit"].append({"hooks": [spy]})
    settings["env"] = {"CLAUDE_CODE_SUBAGENT_MODEL": "opus", "CLAUDE_CODE_SUBAGENT_MODEL_FORCE": "1"}
    settings["apiKeyHelper"] = f"touch {traces}/helped; echo key"
    (world.config / "settings.json").write_text(json.dumps(settings))
    found = checked(world, ANTHROPIC_API_KEY="of-the-user", ANTHROPIC_AUTH_TOKEN="of-the-user", ANTHROPIC_MODEL="haiku")
    assert (found["rungs"]["live"], found["self_check"]["live"]) == ("directive", "rewrite")
    assert list(traces.iterdir()) == []
    (forced,) = [check for check in found["checks"] if check["name"] == "models" and "SUBAGENT" in check["fact"]]
    assert forced["state"] == "warn"


def test_a_hook_that_is_missing_is_found_missing(new_world):
    world = new_world()
    settings = json.loads((world.config / "settings.json").read_text())
    del settings["hooks"]["PreToolUse"]
    (world.config / "settings.json").write_text(json.dumps(settings))
    found = checked(world)
    assert proofs(found)["rewrite"] == (False, "the hook for spawns did not run")
    assert (found["rungs"]["live"], found["self_check"]["live"]) == ("directive", "directive")
    assert found["failures"] == []  # it is as the rules said


def test_hooks_that_cannot_start_prove_nothing(new_world):
    world = new_world()
    text = (world.config / "settings.json").read_text()
    (world.config / "settings.json").write_text(text.replace("orchestrate.entry", "orchestrate.entry.gone"))
    found = checked(world)
    assert found["self_check"]["live"] == "none"
    assert proofs(found)["directive"] == (False, "the hook for prompts did not run")
    assert found["failures"] == ["self-check"]


def test_status_and_doctor_agree(plugged):
    asked = plugged.shell("orchestrate hooks status --self-check --json")
    status = json.loads(asked.stdout)
    assert (asked.rc, status["rungs"]["live"], status["self_check"]["live"]) == (0, "mod", "mod")
    assert status["rungs"] == checked(plugged)["rungs"]
