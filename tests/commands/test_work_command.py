import json
import os
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tiers import some

from state import journal, session_file
from state.paths import session_dir

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture
def shown(cli):
    def run(*words):
        ran = cli("work", *words, "--json")
        assert ran.code == 0, ran.err
        return json.loads(ran.out)

    return run


def seconds_left(ts):
    return datetime.fromisoformat(ts).timestamp() - time.time()


def test_add_next_complete(cli, shown):
    assert cli("work", "add", "Review the parser", "--priority", "P1").out == "W-1: added\n"
    assert shown("add", "Release it", "--id", "REL", "--depends", "W-1", "--tag", "a", "--project", "web") == ["REL"]
    claimed = shown("next", "--owner", "worker-1")
    assert {name: claimed[name] for name in ("id", "text", "priority", "attempt", "owner", "token")} == {
        "id": "W-1",
        "text": "Review the parser",
        "priority": "P1",
        "attempt": 1,
        "owner": "worker-1",
        "token": 1,
    }
    assert 3000 < seconds_left(claimed["expires_at"]) <= 3600
    assert cli("work", "list").out.splitlines() == [
        f"W-1       P1  claimed    Review the parser  (by worker-1 until {claimed['expires_at']})",
        "REL       P2  waiting    Release it  (for W-1)",
    ]
    assert cli("work", "complete", "W-1", "--token", "1", "--result", "fine").out == "W-1: completed\n"
    assert cli("work", "next").out.startswith("REL  token 1  until 20")
    item = shown("show", "REL")
    assert (item["state"], item["depends"], item["needed_by"], item["tags"]) == ("claimed", ["W-1"], [], ["a"])
    assert "needed_by: REL" in cli("work", "show", "W-1").out.splitlines()


def test_nothing_to_do_says_why_and_has_its_code(cli):
    empty = cli("work", "next")
    assert (empty.code, empty.out) == (3, "")
    assert empty.err == "orchestrate: nothing is queued: `orchestrate work add` adds an item\n"
    cli("work", "add", "x", "--not-before", "2h")
    later = cli("work", "next")
    assert (later.code, later.err.split(":")[1]) == (3, " none of the 1 queued items may begin now")


def test_the_limit_is_a_refusal_until_an_item_ends(cli, monkeypatch):
    for _ in range(4):
        cli("work", "add", "x")
    assert [cli("work", "next").code for _ in range(4)] == [0, 0, 0, 4]
    cli("work", "fail", "W-2", "--token", "1", "--reason", "no")
    assert cli("work", "next").out.startswith("W-4  ")


@pytest.mark.parametrize(("limit", "claimed"), some([("1", 1), ("5", 5), ("50", 5), ("-2", 1)], 2))
def test_wip_limit_is_the_setting_and_five_at_the_most(limit, claimed, cli, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_WORK__WIP_LIMIT", limit)
    for _ in range(7):
        cli("work", "add", "x")
    assert [cli("work", "next").code for _ in range(7)].count(0) == claimed


def test_claim_ttl_is_the_setting_and_an_option(shown, cli, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_WORK__CLAIM_TTL_S", "90")
    cli("work", "add", "x")
    cli("work", "add", "y")
    assert 20 < seconds_left(shown("next")["expires_at"]) <= 90
    assert 0 < seconds_left(shown("next", "--ttl", "20")["expires_at"]) <= 20
    assert 20 < seconds_left(shown("extend", "W-2", "--token", "1")["expires_at"]) <= 90
    assert 90 < seconds_left(shown("extend", "W-2", "--token", "1", "--ttl", "300")["expires_at"]) <= 300


def test_max_attempts_and_backoff_are_settings(shown, cli, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_WORK__MAX_ATTEMPTS", "2")
    monkeypatch.setenv("ORCHESTRATOR_WORK__BACKOFF_S", "0")
    cli("work", "add", "x")
    cli("work", "add", "y", "--max-attempts", "1")
    cli("work", "next")
    first = shown("fail", "W-1", "--token", "1", "--reason", "red", "--retry")
    assert (first["status"], first["attempts"]) == ("queued", 1)
    assert shown("next")["id"] == "W-1"
    assert shown("fail", "W-1", "--token", "2", "--reason", "red", "--retry")["status"] == "dead"
    monkeypatch.setenv("ORCHESTRATOR_WORK__BACKOFF_S", "900")
    cli("work", "next")
    assert shown("fail", "W-2", "--token", "1", "--reason", "red", "--retry")["status"] == "dead"
    cli("work", "add", "z")
    cli("work", "next")
    again = shown("fail", "W-3", "--token", "1", "--reason", "red", "--retry")
    assert 500 < seconds_left(again["retry_at"]) <= 900


def test_dead_letters_are_listed_and_retried(cli, shown):
    cli("work", "add", "x")
    assert cli("work", "fail", "W-1", "--reason", "not needed").out == "W-1: dead\n"
    assert cli("work", "list", "--dead").out == "W-1       P2  dead       x  (not needed)\n"
    assert [item["id"] for item in shown("list", "--state", "ready")] == []
    assert cli("work", "retry", "W-1").out == "W-1: queued again\n"
    assert (cli("work", "list", "--dead").out, cli("work", "next").code) == ("", 0)
    assert cli("work", "release", "W-1", "--token", "1", "--reason", "later").out == "W-1: released\n"
    assert shown("list", "--tag", "none") == []


def test_stats_know_what_they_do_not_know(cli, shown):
    assert cli("work", "stats").out.splitlines() == [
        "items: 0  ready 0  waiting 0  blocked 0  claimed 0  completed 0  dead 0",
        "completion rate: - (0 completed of 0 ended)",
        "utilisation: - of 3 at a time",
        "wait for a claim: p50 -, p90 -, p99 - (of 0 claimed)",
        "open: - minutes estimated, 0 without",
    ]
    for number in (1, 2, 3):
        cli("work", "add", "x", "--estimate-minutes", "10")
        if number < 3:
            cli("work", "next")
            cli("work", "complete", f"W-{number}", "--token", "1")
    cli("work", "fail", "W-3", "--reason", "no")
    told = shown("stats")
    assert (told["completion_rate"], told["completed"], told["dead"]) == (2 / 3, 2, 1)
    assert 0 < told["utilisation"] <= 1 / 3


def test_a_file_adds_all_or_nothing(cli, shown, project):
    plan = [{"text": "b", "id": "B", "depends": ["A"]}, {"text": "a", "id": "A", "tags": ["x"], "priority": "P0"}]
    (project / "plan.json").write_text(json.dumps(plan))
    assert shown("add", "--file", "plan.json") == ["B", "A"]
    assert cli("work", "next").out.startswith("A  ")
    (project / "ring.json").write_text(json.dumps([{**plan[0], "id": "C"}, {"text": "d", "id": "D", "depends": ["D"]}]))
    ring = cli("work", "add", "--file", "ring.json")
    assert (ring.code, ring.err.split(":")[2]) == (1, " D -> D")
    assert len(shown("list")) == 2


@pytest.mark.parametrize(
    ("words", "code"),
    some(
        [
            (("add",), 2),
            (("add", "x", "--file", "y"), 2),
            (("add", " "), 2),
            (("add", "\udcff"), 2),
            (("add", "x", "--id", "a b"), 2),
            (("add", "x", "--priority", "P7"), 2),
            (("add", "x", "--depends", "nowhere"), 3),
            (("add", "x", "--id", "A", "--depends", "A"), 1),
            (("add", "x", "--not-before", "soon"), 2),
            (("add", "x", "--max-attempts", "0"), 2),
            (("add", "--file", "nowhere.json"), 3),
            (("add", "@nowhere"), 3),
            (("next", "--ttl", "0"), 2),
            (("next", "--owner", ""), 2),
            (("next", "--wait", "-1"), 2),
            (("show", "nowhere"), 3),
            (("complete", "nowhere", "--token", "1"), 3),
            (("complete", "W-1"), 2),
            (("complete", "W-1", "--token", "99999999999999999999"), 2),
            (("fail", "nowhere", "--reason", "x"), 3),
            (("fail", "nowhere", "--reason", "x", "--retry"), 2),
            (("release", "nowhere", "--token", "1"), 3),
            (("extend", "nowhere", "--token", "1"), 3),
            (("retry", "nowhere"), 3),
            (("list", "--dead", "--state", "ready"), 2),
        ],
        8,
    ),
)
def test_a_mistake_has_its_exit_code_and_adds_nothing(words, code, cli):
    found = cli("work", *words)
    assert (found.code, "Traceback" in found.err, found.out) == (code, False, "")
    assert cli("work", "list", "--json").out == "[]\n"


@pytest.mark.parametrize("name", ["nowhere.json", "@at.json", "./-"])
def test_a_file_that_is_not_there_is_named_as_it_was_given(name, cli):
    told = f"orchestrate: --file {name}: No such file or directory: check the path\n"
    assert cli("work", "add", "--file", name) == (3, "", told)


@pytest.mark.parametrize("raw", ["", "{}", "[]", "[1]", '[{"text": ""}]', '[{"text": "x", "evil": 1}]', "[" * 9000])
def test_a_file_that_is_no_list_of_items_is_refused(raw, cli, project):
    (project / "plan.json").write_text(raw)
    found = cli("work", "add", "--file", "plan.json")
    assert (found.code, "Traceback" in found.err, found.err.startswith("orchestrate: plan.json")) == (2, False, True)


def test_nothing_that_is_printed_steers_the_terminal(cli):
    evil = "\x1b]0;owned\x07 bad \u202e text"
    cli("work", "add", evil, "--project", evil, "--tag", evil, "--id", "E")
    printed = [cli("work", "next", "--owner", evil).out, cli("work", "list").out, cli("work", "show", "E").out]
    printed.append(cli("work", "complete", "E", "--token", "9").err)
    cli("work", "complete", "E", "--token", "1", "--result", evil)
    printed += [cli("work", *words).out for words in (("list",), ("show", "E"), ("stats",))]
    assert [char for char in "".join(printed) if not char.isprintable() and char != "\n"] == []


@pytest.mark.parametrize(
    ("typed", "least_s", "most_s"),
    [("90m", 5000, 5400), ("2d", 172_000, 172_800), ("2999-01-01T10:00", 3e10, 4e10), ("in 12 h", 40_000, 43_200)],
)
def test_not_before_takes_ages_times_of_day_and_times(typed, least_s, most_s, cli, shown):
    if typed == "in 12 h":
        typed = f"{datetime.now() + timedelta(hours=12):%H:%M}"
    cli("work", "add", "x", "--not-before", typed)
    (item,) = shown("list")
    assert least_s <= seconds_left(item["not_before"]) <= most_s
    assert (item["state"], item["why"]) == ("waiting", f"until {item['not_before']}")


def test_a_session_knows_what_it_queued(cli, place, monkeypatch):
    session = "0b5e0f3a-0000-4000-8000-000000000001"
    journal.record(
        place, journal.event(place, "orchestration.session.start", session, None, ("session", session), {}, 1)
    )
    monkeypatch.setenv("ORCHESTRATOR_SESSION", session)
    for text in ("one", "two", "three"):
        cli("work", "add", text, "--priority", "P1")
    monkeypatch.delenv("ORCHESTRATOR_SESSION")

    def queued():
        return [(item["id"], item["text"]) for item in session_file.refresh(place, session)["work_queue"]]

    assert queued() == [("W-1", "one"), ("W-2", "two"), ("W-3", "three")]
    cli("work", "next", "--owner", "another")
    cli("work", "complete", "W-1", "--token", "1")
    cli("work", "fail", "W-2", "--reason", "no")
    assert queued() == [("W-3", "three")]
    cli("work", "retry", "W-2")
    assert queued() == [("W-3", "three"), ("W-2", "two")]
    lines = Path(session_dir(place, session), "log.jsonl").read_bytes().splitlines()
    assert len(lines) == 1 + 3 + 2 + 1
    told = [event for event in json.loads(cli("events", "list", "--json").out) if event["entity"]["type"] == "work"]
    assert len({event["id"] for event in told}) == len(told) == 8  # the log's copies are the same events


def test_the_session_s_log_has_an_event_as_the_store_has_it(cli, place, monkeypatch):
    journal.record(place, journal.event(place, "orchestration.session.start", "s", None, ("session", "s"), {}, 1))
    monkeypatch.setenv("ORCHESTRATOR_SESSION", "s")
    cli("work", "add", "one")
    monkeypatch.setenv("ORCHESTRATOR_SESSION", "another")
    cli("work", "fail", "W-1", "--reason", "no")
    _, added, dead = map(json.loads, Path(session_dir(place, "s"), "log.jsonl").read_text().splitlines())
    told = json.loads(cli("events", "list", "--json").out)
    kept = {event["id"]: {name: event[name] for name in event if name not in ("seq", "task")} for event in told}
    logged = {"v": 1, "project": place.project, "session": "s"}  # whoever ends it, it is of the session that added it
    assert [added["type"], dead["type"]] == ["orchestration.work.added", "orchestration.work.dead"]
    assert [added, dead] == [{**kept[one["id"]], **logged} for one in (added, dead)]


def test_a_session_that_is_gone_is_not_made_again(cli, place, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_SESSION", "gone")
    cli("work", "add", "x")
    assert not Path(session_dir(place, "gone")).exists()


def orchestrate(project, *words):
    env = {name: os.environ[name] for name in ("HOME", "PATH")} | {"PYTHONPATH": str(REPO), "TZ": "UTC"}
    argv = [sys.executable, "-P", "-m", "orchestrate", "work", *words]
    return subprocess.Popen(argv, cwd=project, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_who_waits_gets_the_item_as_soon_as_it_is_there(cli, project):
    waiting = orchestrate(project, "next", "--wait", "3600", "--json")
    time.sleep(1)  # most of its start; the wait is right wherever it is met
    cli("work", "add", "x")
    out, _ = waiting.communicate(timeout=100)  # far from the end of its wait
    assert json.loads(out)["id"] == "W-1"


@pytest.mark.slow
def test_a_late_owner_is_refused_with_the_reason(cli, shown, project):
    cli("work", "add", "x")
    cli("work", "next", "--ttl", "1", "--owner", "early")
    assert shown("next", "--wait", "60", "--owner", "late")["token"] == 2
    refused = cli("work", "complete", "W-1", "--token", "1")
    assert (refused.code, refused.out) == (4, "")
    assert refused.err.startswith("orchestrate: W-1: token 1 is stale: late took it over with token 2 at ")
    assert cli("work", "complete", "W-1", "--token", "2").code == 0
