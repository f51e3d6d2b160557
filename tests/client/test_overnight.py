"""One night with the real client: worktrees, readings from its stream, checks, and the report of the morning."""

import json
import time

import pytest
from made_repo import Repo

pytestmark = pytest.mark.client

SUBSCRIBER = {"ANTHROPIC_API_KEY": "", "CLAUDE_CODE_OAUTH_TOKEN": "not-a-token"}
NAMES = ("one", "two", "three")


@pytest.fixture
def world(new_world):
    made = new_world(installed=False)
    made.repo = Repo(made.project)
    (made.project / "a.txt").write_text("not committed\n")
    return made


def limits(share):
    """What the platform says of the account's limits with each answer."""
    prefix, reset = "anthropic-ratelimit-unified", str(int(time.time()) + 7200)
    five_hour = {f"{prefix}-5h-utilization": str(share), f"{prefix}-5h-reset": reset, f"{prefix}-5h-status": "allowed"}
    return {
        f"{prefix}-status": "allowed",
        f"{prefix}-reset": reset,
        f"{prefix}-representative-claim": "five_hour",
        **five_hour,
    }


def writes(world, number, name, **more):
    """The model writes a file into the job's worktree, and says so."""
    path = f"{world.home}/.orchestrator/overnight/J-{number}/tree/{name}.txt"
    use = {"name": "Write", "input": {"file_path": path, "content": f"{name}\n"}}
    return {"prompt": f"Write {name}.txt", "tool_use": [use], "times": 1, **more}


def night(world, rules, checks, **env):
    """The jobs queued, run and reported: what the night told on stderr, the report, the requests."""
    adds = [
        f"orchestrate overnight add 'Write {name}.txt' --minutes 5 --quota 1 --check 'grep -q {wanted} {name}.txt'"
        for name, wanted in zip(NAMES, checks, strict=True)
    ]
    until = time.strftime("%H:%M", time.gmtime(time.time() + 3 * 3600))
    line = f"{' && '.join(adds)} && orchestrate overnight run --until {until} && orchestrate overnight report --json"
    asked = world.shell(line, rules=rules, **env)
    assert asked.rc == 0, asked.stderr
    return asked.stderr, json.loads(asked.stdout[asked.stdout.index("{") :]), asked.requests


def test_a_night_ships_what_passes_its_checks_and_says_what_does_not(world):
    before = world.repo.state()
    asks = "It is written.\nDECISION: one file or two?"
    rules = [
        writes(world, 1, "one", headers=limits(0.1)),
        {"text": asks, "headers": limits(0.12), "times": 1},
        *(writes(world, nth, name, headers=limits(0.2)) for nth, name in ((2, "two"), (3, "three"))),
        {"text": "It is written.", "headers": limits(0.2)},
    ]
    told, report, requests = night(world, rules, ("one", "SOMETHING-ELSE", "three"), **SUBSCRIBER)
    assert [line["code"] for line in report["shipped"]] == ["J-1", "J-3"], told
    assert [(line["code"], line["checks"][0]["code"]) for line in report["not_done"]] == [("J-2", 1)]
    assert world.repo.state() == before
    for line in (*report["shipped"], *report["not_done"]):
        name = NAMES[int(line["code"][2:]) - 1]
        assert world.repo.git("show", f"{line['commit']}:{name}.txt", at=line["worktree"]) == f"{name}\n"
    assert [owed["text"] for owed in report["decisions"] if owed["code"] == "J-1"][1:] == ["one file or two?"]
    (five_hour, _) = report["quota"]["windows"]
    assert (five_hour["used"], five_hour["left"]) == (10.0, 80.0)
    points = {line["code"]: line["points"] for line in (*report["shipped"], *report["not_done"])}
    assert (points["J-1"], points["J-2"] + points["J-3"]) == (2.0, pytest.approx(8.0, abs=0.1))
    assert "J-1: begun as a probe of the limits" in told
    assert len(requests) == 6
    by_mode = json.loads(world.orchestrate("metrics", "report", "--by-mode", "--json"))
    assert by_mode["by"]["mode"]["orchestration"]["followed"] == 3
    for name in [name for line in report["shipped"] for name in (*line["events"], line["decision"])]:
        (event,) = json.loads(world.orchestrate("events", "list", "--id", name, "--json"))
        assert event["id"] == name


def test_with_an_api_key_nobody_tells_of_limits_and_the_probe_stays_alone(world):
    rules = [writes(world, nth, name) for nth, name in enumerate(NAMES, 1)]
    told, report, _ = night(world, rules, NAMES)
    assert [line["code"] for line in report["shipped"]] == ["J-1"], told
    assert (report["why"], len(report["not_done"])) == ("blind", 2)
    assert [used["used"] for used in report["quota"]["windows"]] == [None, None]


def test_with_an_api_key_the_user_may_have_them_all_run(world):
    rules = [writes(world, nth, name) for nth, name in enumerate(NAMES, 1)]
    told, report, _ = night(world, rules, NAMES, ORCHESTRATOR_OVERNIGHT__BLIND_JOBS="2")
    assert [line["code"] for line in report["shipped"]] == ["J-1", "J-2", "J-3"], told
