"""What the hooks leave for the mod, and when they take it to be there."""

import json
import os
import time

import pytest
from payloads import PROMPT, SESSION, ask, logged, payload, prompt

from state.paths import session_dir

EASY = "Fix the typo in README.md"


@pytest.fixture
def plugin(tmp_path):
    return {"CLAUDE_PLUGIN_ROOT": str(tmp_path)}


def beat(folder, age_s=0.0):
    with open(f"{folder}/mod.json", "w") as file:
        file.write('{"v":1}')
    os.utime(f"{folder}/mod.json", (time.time() - age_s,) * 2)


def route(folder):
    path = f"{folder}/route.json"
    return json.load(open(path)) if os.path.exists(path) else None


def decided(place):
    return [record["payload"] for record in logged(place) if record["type"] == "orchestration.prompt.decided"][-1]


def test_a_prompt_that_the_mod_saw_is_answered_with_a_route(folder, project, place):
    beat(folder)
    before = time.time() * 1000
    assert ask(project, prompt(EASY))
    found = route(folder)
    assert before - 1 <= found.pop("at") <= time.time() * 1000
    assert found == {"v": 1, "prompt_id": PROMPT, "main": None, "answer": None, "status": "haiku"}
    assert (decided(place)["subagents_rung"], decided(place)["main_model"]) == ("mod", None)


@pytest.mark.parametrize("age_s", [None, 60])
def test_without_a_sign_of_this_prompt_there_is_no_route(age_s, folder, project, place):
    if age_s:
        beat(folder, age_s)
    ask(project, prompt(EASY))
    assert route(folder) is None
    assert decided(place)["subagents_reason"] == "the mod gave no sign of life"


@pytest.mark.parametrize("ceiling", ["off", "advise"])
def test_a_lower_ceiling_takes_the_route_away(ceiling, folder, project, place):
    beat(folder)
    ask(project, prompt(EASY))
    assert route(folder)
    ask(project, prompt(EASY), ORCHESTRATOR_ENFORCEMENT=ceiling)
    assert route(folder) is None
    assert decided(place)["subagents_rung"] == "none"


def test_switched_off_nothing_is_written(folder, project):
    beat(folder)
    ask(project, prompt(EASY), ORCHESTRATOR_DISABLED="1")
    assert os.listdir(folder) == ["mod.json"]


def test_a_session_of_the_plugin_has_a_pointer_until_it_ends(folder, project, home, plugin):
    ask(project, payload("SessionStart"), **plugin)
    pointer = home / f".orchestrator/live/{SESSION}.json"
    assert json.loads(pointer.read_bytes()) == {"folder": folder}
    assert pointer.stat().st_mode & 0o777 == 0o600
    ask(project, payload("SessionEnd"), **plugin)
    assert not pointer.exists()


def test_the_pointer_bears_the_client_s_own_id(project, home, plugin, place):
    ask(project, payload("SessionStart"), ORCHESTRATOR_SESSION="mine", **plugin)
    pointer = json.loads((home / f".orchestrator/live/{SESSION}.json").read_bytes())
    assert pointer == {"folder": session_dir(place, "mine")}


def test_a_session_without_the_plugin_has_none(project, home):
    ask(project, payload("SessionStart"))
    assert not (home / ".orchestrator/live").exists()


def test_a_session_that_begins_again_has_no_mod_until_it_gives_a_sign(folder, project, place):
    beat(folder)
    ask(project, prompt(EASY))
    ask(project, payload("SessionStart"))
    assert sorted(os.listdir(folder)) == ["log.jsonl"]


def test_a_compaction_is_no_new_session(folder, project, place):
    beat(folder)
    ask(project, prompt(EASY))
    ask(project, payload("SessionStart", source="compact"))
    assert sorted(os.listdir(folder)) == ["log.jsonl", "mod.json", "route.json"]


def test_a_link_in_the_place_of_the_sessions_is_not_followed(folder, project, place, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    os.rename(f"{place.state}/sessions", elsewhere)
    os.symlink(elsewhere, f"{place.state}/sessions")
    beat(folder)
    ask(project, prompt(EASY))
    assert sorted(os.listdir(elsewhere / SESSION)) == ["mod.json"]


def test_a_folder_that_takes_nothing_costs_the_route_alone(folder, project, place):
    beat(folder)
    os.mkdir(f"{folder}/route.json")
    os.mkdir(f"{folder}/route.json/full")
    assert b"haiku-general" in ask(project, prompt(EASY))
    assert sorted(os.listdir(folder)) == ["log.jsonl", "mod.json", "route.json"]
