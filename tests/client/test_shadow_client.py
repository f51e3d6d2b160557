"""One pair tried out with the real client: two tiers, a working copy each, and a judge without tools."""

import json
import os

import pytest
from fake_api import text_of
from made_history import NAME, TEXTS
from made_repo import Repo
from made_talk import Talk

pytestmark = pytest.mark.client

IS_JUDGE = {"system": "Two coding agents were given"}
EQUAL = json.dumps({"better": "equal", "reason": "the same line"})
SETTINGS = {
    "ORCHESTRATOR_SHADOW__CHECK": "grep -q GOOD done.txt",
    "ORCHESTRATOR_SHADOW__MAX_BUDGET_USD": "5",
    "ORCHESTRATOR_RUN__PERMISSION_MODE": "bypassPermissions",
}


@pytest.fixture
def world(new_world):
    made = new_world(installed=False)
    made.repo = Repo(made.project)
    Talk(made.project, made.home).ask("p-1", TEXTS[0])
    return made


def writes(model):
    call = {"name": "Bash", "input": {"command": f"echo GOOD {model} > done.txt", "description": "write"}}
    return [{"model": model, "tool_use": [call], "times": 1}, {"model": model, "text": "It is written."}]


def test_a_pair_is_worked_judged_and_cleaned_away(world):
    before = world.repo.state()
    rules = [{**IS_JUDGE, "text": EQUAL}, *writes("haiku"), *writes("sonnet")]
    asked = world.shell(f"orchestrate route shadow run {NAME} --json", rules=rules, **SETTINGS)
    told = json.loads(asked.stdout)
    (line,) = told["pairs"]
    assert (asked.rc, line["as_good"], line["judged"], line["green"]) == (0, True, "equal", True)
    assert [line[name]["served"].split("-")[1] for name in ("cheaper", "dearer")] == ["haiku", "sonnet"]
    assert told["ended"] == "no prompts of this class are left to try out"
    judges = [each["body"] for each in asked.requests if IS_JUDGE["system"] in text_of(each["body"].get("system"))]
    assert len(judges) == 2  # the pair, and the control
    assert all(not body.get("tools") for body in judges)
    said = "".join(text_of(message["content"]) for message in judges[0]["messages"])
    assert "+GOOD haiku" in said, "what was written is shown as it is"
    assert "+GOOD sonnet" in said
    assert world.repo.state() == before
    assert [name for name in os.listdir(f"{world.home}/.orchestrator/shadow") if not name.endswith(".lock")] == []
    status = json.loads(world.orchestrate("route", "shadow", "status", "--json"))
    assert [(row["class"], row["pairs"], row["as_good"]) for row in status if row["pairs"]] == [(NAME, 1, 1)]
