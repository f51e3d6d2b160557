"""The same as a plugin, from a marketplace that the client reads in place."""

import pytest
from rig import REPO

pytestmark = pytest.mark.client

PLUGIN = REPO / "hooks"
PROMPT = "Fix typo in README.md"


def accepted(run):
    assert run.rc == 0, run.lines[0]["text"] + run.stderr
    return run


@pytest.fixture(scope="module")
def plugged(new_world):
    """A world that has the plugin and nothing of ours in its settings."""
    world = new_world("--scope", "plugin")
    accepted(world.client("plugin", "marketplace", "add", str(PLUGIN)))
    accepted(world.client("plugin", "install", "orchestrate@orchestrate-local"))
    return world


@pytest.fixture(scope="module")
def run(plugged):
    return plugged.claude(PROMPT)


@pytest.mark.parametrize("manifest", ["plugin.json", "marketplace.json"])
def test_the_client_finds_the_manifests_valid(new_world, manifest):
    accepted(new_world(installed=False).client("plugin", "validate", str(PLUGIN / ".claude-plugin" / manifest)))


def test_the_directive_names_the_plugins_agent(run):
    assert (run.rc, run.result["result"]) == (0, "ok")
    assert run.heard.count('subagent_type "orchestrate:haiku-general"') == 1


def test_the_plugins_agents_are_listed(run):
    wanted = {f"orchestrate:{tier}-general" for tier in ("haiku", "sonnet", "opus")}
    assert wanted <= set(run.init["agents"])


def test_the_plugin_records_a_whole_turn(plugged, run):
    kinds = [
        event["type"].partition(".")[2] for event in plugged.events() if event["session"] == run.init["session_id"]
    ]
    assert kinds == ["session.start", "prompt.decided", "turn.end", "session.end"]


def test_without_a_recorded_interpreter_the_plugin_is_silent(plugged, run, unhooked):
    plugged.orchestrate("uninstall", "--scope", "plugin")
    before = plugged.events()
    silent = plugged.claude(PROMPT)
    assert (silent.rc, silent.result["result"], silent.stderr) == (0, "ok", "")
    assert "[orchestrate" not in silent.heard
    assert plugged.events() == before
