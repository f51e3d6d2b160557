import pytest
from tiers import some

from orchestrate.doctor import models, standing

DEFAULT = "CLAUDE_CODE_SUBAGENT_MODEL"


def found(scene):
    return [(finding.state, finding.fact) for finding in models.above(scene)]


def test_nothing_stands_above(machine):
    assert found(machine.look()) == [("ok", "nothing stands above the rungs")]


@pytest.mark.parametrize(
    ("env", "version", "state", "fact"),
    some(
        [
            (
                {DEFAULT: "opus", f"{DEFAULT}_FORCE": "1"},
                "2.1.329",
                "warn",
                f"{DEFAULT}=opus in the environment, forced in the environment: "
                "every subagent runs on it, whatever is decided",
            ),
            (
                {DEFAULT: "opus", f"{DEFAULT}_FORCE": "0"},
                "2.1.329",
                "ok",
                f"{DEFAULT}=opus in the environment: a default, which a decision beats",
            ),
            (
                {DEFAULT: "opus"},
                "2.1.197",
                "warn",
                f"{DEFAULT}=opus in the environment may beat what is decided in clients before 2.1.329",
            ),
            ({f"{DEFAULT}_FORCE": "1"}, "2.1.329", "ok", "nothing stands above the rungs"),
            (
                {"ANTHROPIC_DEFAULT_HAIKU_MODEL": "glm-9"},
                "2.1.329",
                "warn",
                "ANTHROPIC_DEFAULT_HAIKU_MODEL=glm-9 in the environment: this is what haiku means",
            ),
            (
                {"ANTHROPIC_DEFAULT_OPUS_MODEL": "claude-opus-4-8"},
                "2.1.329",
                "ok",
                "ANTHROPIC_DEFAULT_OPUS_MODEL=claude-opus-4-8 in the environment: this is what opus means",
            ),
            (
                {"ANTHROPIC_BASE_URL": "https://me:secret@gateway.example:8443/v1?key=secret"},
                "2.1.329",
                "warn",
                "ANTHROPIC_BASE_URL=https://gateway.example:8443 in the environment: "
                "a gateway may serve another model than it was asked for",
            ),
            (
                {"ANTHROPIC_BASE_URL": "http://me:secret@[::1"},
                "2.1.329",
                "warn",
                "ANTHROPIC_BASE_URL=(no URL) in the environment: "
                "a gateway may serve another model than it was asked for",
            ),
        ],
        3,
    ),
)
def test_a_variable_that_beats_a_decision(env, version, state, fact, machine):
    machine.client(f"#!/bin/sh\necho {version}\n")
    assert found(machine.look(ask_client=True, **env)) == [(state, fact)]


def test_the_settings_of_the_client_set_variables_too(machine):
    machine.settings({"env": {DEFAULT: "opus"}})
    forced = machine.settings({"env": {f"{DEFAULT}_FORCE": "1", DEFAULT: "sonnet"}}, "local")
    fact = f"{DEFAULT}=sonnet in {forced}, forced in {forced}: every subagent runs on it, whatever is decided"
    scene = machine.look(**{DEFAULT: "haiku"})
    assert found(scene) == [("warn", fact)]
    assert standing.facts(scene).forced == fact.partition(": ")[0]


@pytest.mark.parametrize(
    ("allowed", "state", "out"),
    [
        (["haiku", "sonnet", "opus"], "ok", ""),
        (["claude-haiku-5-5", "sonnet", "opus[1m]"], "ok", ""),
        (["haiku"], "warn", ": no decision reaches sonnet, opus"),
        ([], "warn", ": no decision reaches haiku, sonnet, opus"),
    ],
)
def test_the_models_that_are_allowed(allowed, state, out, machine):
    machine.settings({"availableModels": ["haiku", "opus", "sonnet"]})
    file = machine.settings({"availableModels": allowed}, "managed")
    fact = f"availableModels in {file} allows {', '.join(allowed) or 'nothing'}{out}"
    assert found(machine.look()) == [(state, fact)]


def test_a_model_that_our_settings_name_counts_as_its_tier(machine):
    machine.settings({"availableModels": ["haiku", "sonnet", "big-one"]})
    assert found(machine.look())[0][0] == "warn"
    assert found(machine.look(ORCHESTRATOR_MODELS__OPUS="big-one"))[0][0] == "ok"
