"""Tasks and sprints on the command line."""

import json
import sqlite3

import pytest
from tiers import some

from state.store.values import CHANGED

SESSION_KEYS = ["session_key", "started_at", "current_phase", "active", "phase_history"]


def shown(cli, code="TSK-1"):
    return json.loads(cli("task", "show", code, "--json").out)


def events(cli, *words):
    return [(one["type"], one["payload"]) for one in json.loads(cli("events", "list", "--json", *words).out)]


def test_a_task_is_found_by_what_was_asked_for(cli, well):
    well(
        "task", "create", "TSK-1", "--title", "Fix it", "--description", "the clock drifts", "--acceptance", "no jitter"
    )
    for word in ("drifts", "jitter"):
        (hit,) = json.loads(cli("search", word, "--scope", "project", "--json").out)["hits"]
        assert hit["type"] == "orchestration.task.created"


def test_a_task_is_created_with_all_that_is_said_of_it(cli, well):
    well("sprint", "create", "SPR-1", "--title", "s")
    said = ["--description", "long", "--sprint", "SPR-1", "--priority", "P0", "--type", "bug_fix", "--effort", "3h"]
    more = [
        "--acceptance",
        "one",
        "--acceptance",
        "two",
        "--tag",
        "a",
        "--set",
        'owner={"name":"Mia"}',
        "--set",
        "x=y=z",
    ]
    assert well("task", "create", "TSK-1", "--title", "Fix it", *said, *more) == "TSK-1: created\n"
    task = shown(cli)
    del task["created_at"], task["updated_at"]
    assert task == {
        "task_code": "TSK-1",
        "title": "Fix it",
        "description": "long",
        "type": "bug_fix",
        "sprint_code": "SPR-1",
        "status": "pending",
        "priority": "P0",
        "session": None,
        "metadata": {
            "owner": {"name": "Mia"},
            "x": "y=z",
            "acceptance_criteria": ["one", "two"],
            "tags": ["a"],
            "estimated_effort": "3h",
            "type": "bug_fix",
        },
    }


def test_a_type_without_a_variant_takes_all_phases_and_is_told(cli):
    done = cli("task", "create", "TSK-1", "--title", "t", "--type", "bugfix")
    assert done.code == 0
    assert done.err.startswith("orchestrate: bugfix: no variant of this name in ")
    assert done.err.endswith("the task takes all phases\n")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    some(
        [
            (["create", "TSK 1", "--title", "t"], 2, "a code is 1 to 64 letters"),
            (["create", "../x", "--title", "t"], 2, "a code is 1 to 64 letters"),
            (["create", "T" * 65, "--title", "t"], 2, "a code is 1 to 64 letters"),
            (["create", "TSK-9"], 2, "Missing option '--title'"),
            (["create", "TSK-9", "--title", " "], 2, "--title: is empty"),
            (["create", "TSK-9", "--title", "t", "--priority", "P4"], 2, "'P4' is not one of"),
            (["create", "TSK-9", "--title", "t", "--sprint", "SPR-9"], 3, "SPR-9: no such sprint"),
            (["create", "TSK-9", "--title", "t", "--set", "session={}"], 2, "--set session: has a command"),
            (["create", "TSK-9", "--title", "t", "--set", "novalue"], 2, "expected KEY=VALUE"),
            (["create", "TSK-9", "--title", "t", "--type", "a b"], 2, "--type a b: expected a word"),
            (["create", "TSK-9", "--title", "\udcff"], 2, "--title: is not UTF-8"),
            (["create", "TSK-1", "--title", "t"], 1, "TSK-1: is a task already"),
            (["edit", "TSK-1"], 2, "nothing to change"),
            (["edit", "TSK-1", "--sprint", "A", "--no-sprint"], 2, "give one of them"),
            (["edit", "tsk-1", "--title", "t"], 3, "tsk-1: no such task"),
            (["edit", "TSK-1", "--unset", "commits"], 2, "--unset commits: has a command"),
            (["show", "TSK-9"], 3, "TSK-9: no such task"),
            (["status", "TSK-1", "done"], 2, "'done' is not one of"),
            (["artifact", "add", "TSK-1", "nothing.md"], 3, "nothing.md: there is no such file"),
            (["artifact", "add", "TSK-1", "n" * 300], 3, "n: there is no such file"),
            (["artifact", "add", "TSK-1", "x.md", "--name", "../x"], 2, "--name ../x: is no file's name"),
            (["artifact", "add", "TSK-9", "x.md"], 3, "TSK-9: no such task"),
        ],
        6,
    ),
)
def test_what_cannot_be_is_refused_in_a_line(cli, well, words, code, told):
    well("task", "create", "TSK-1", "--title", "t")
    done = cli("task", *words)
    assert (done.code, done.out) == (code, "")
    assert told in done.err
    assert "Traceback" not in done.err
    assert [one["task_code"] for one in json.loads(well("task", "list", "--json"))] == ["TSK-1"]


def test_an_edit_is_told_once_with_what_was_before(cli, well):
    well("task", "create", "TSK-1", "--title", "old", "--set", "owner=mia")
    words = ["task", "edit", "TSK-1", "--title", "new", "--tag", "a", "--unset", "owner"]
    assert well(*words) == "TSK-1: changed\n"
    assert well(*words) == "TSK-1: was so already\n"
    assert (shown(cli)["title"], shown(cli)["metadata"]) == ("new", {"tags": ["a"]})
    [(_, payload)] = events(cli, "--type", "orchestration.task.updated")
    assert payload["changed"] == {
        "title": {"from": "old", "to": "new"},
        "metadata.owner": {"from": "mia", "to": None},
        "metadata.tags": {"from": None, "to": ["a"]},
    }


def test_a_status_is_told_and_the_end_of_a_session_is_not_passed_over(cli, well):
    well("task", "create", "TSK-1", "--title", "t")
    assert well("task", "status", "TSK-1", "blocked", "--reason", "waits") == "TSK-1: blocked\n"
    well("task", "status", "TSK-1", "blocked")
    [(_, payload)] = events(cli, "--type", "orchestration.task.status_updated")
    assert (payload["from"], payload["to"], payload["reason"]) == ("pending", "blocked", "waits")
    well("session", "start", "TSK-1")
    assert shown(cli)["status"] == "in_progress"
    done = cli("task", "status", "TSK-1", "completed")
    assert (done.code, done.err.endswith("is active: orchestrate session end TSK-1\n")) == (1, True)


def test_an_artifact_is_put_on_record_under_the_name_it_is_to_have(cli, well, project):
    well("task", "create", "TSK-1", "--title", "t", "--description", "d", "--acceptance", "a")
    (project / "notes").mkdir()
    (project / "notes/plan.md").write_text("x")
    digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    words = ["task", "artifact", "add", "TSK-1", "notes/plan.md", "--name", "TASK.md"]
    assert well(*words) == f"TSK-1: TASK.md: notes/plan.md {digest}\n"
    well("session", "start", "TSK-1")
    assert "✓ intake completed" in well("phase", "complete", "TSK-1")
    assert shown(cli)["metadata"]["artifacts"]["TASK.md"]["path"] == "notes/plan.md"


def test_a_file_that_is_on_record_as_it_is_is_told_once(cli, well, project):
    well("task", "create", "TSK-1", "--title", "t")
    (project / "plan.md").write_text("x")
    words = ["task", "artifact", "add", "TSK-1", "plan.md"]
    first = well(*words)
    before = shown(cli)
    kept = before["metadata"]["artifacts"]["plan.md"]
    assert well(*words) == f"{first.rstrip()} (unchanged)\n"
    assert json.loads(well(*words, "--json")) == {"task_code": "TSK-1", "name": "plan.md", **kept, "changed": False}
    assert shown(cli) == before
    (project / "plan.md").write_text("y")
    assert json.loads(well(*words, "--json"))["changed"] is True
    (project / "moved.md").write_text("y")
    assert "unchanged" not in well(*words[:4], "moved.md", "--name", "plan.md")
    told = events(cli, "--type", "orchestration.artifact.recorded")
    assert [payload["path"] for _, payload in told] == ["plan.md", "plan.md", "moved.md"]


def test_nothing_that_steers_a_terminal_is_printed(cli, well):
    hostile = "\x1b[31mred\x07\u202e\nsecond line"
    well("sprint", "create", "SPR-1", "--title", hostile)
    well("task", "create", "TSK-1", "--title", hostile, "--description", hostile, "--sprint", "SPR-1", "--tag", hostile)
    well("task", "edit", "TSK-1", "--set", f"k\u00e9y={hostile}")
    for words in (["task", "list"], ["task", "show", "TSK-1"], ["sprint", "list"], ["sprint", "show", "SPR-1"]):
        out = well(*words)
        assert "red" in out
        assert not set("\x1b\x07\u202e") & set(out)
        assert "\nsecond" not in out
    assert shown(cli)["title"] == hostile


def test_a_secret_in_a_description_reaches_no_event(cli, well):
    token = "ghp_" + "a1" * 18
    well("task", "create", "TSK-1", "--title", "t")
    well("task", "edit", "TSK-1", "--description", f"use {token}")
    assert token not in json.dumps(events(cli))


def test_sprints_hold_tasks(cli, well):
    well("sprint", "create", "SPR-1", "--title", "one", "--status", "active", "--set", "goal=calm")
    well("sprint", "create", "SPR-2", "--title", "two")
    for code in ("TSK-1", "TSK-2"):
        well("task", "create", code, "--title", code)
    assert well("sprint", "add-task", "SPR-1", "TSK-1", "TSK-2") == "TSK-1: now in SPR-1\nTSK-2: now in SPR-1\n"
    assert well("sprint", "add-task", "SPR-1", "TSK-1") == "TSK-1: was already in SPR-1\n"
    assert json.loads(well("sprint", "add-task", "SPR-2", "TSK-2", "--json")) == {
        "sprint_code": "SPR-2",
        "added": ["TSK-2"],
    }
    found = json.loads(well("sprint", "show", "SPR-1", "--json"))
    assert (found["status"], found["metadata"], [task["task_code"] for task in found["tasks"]]) == (
        "active",
        {"goal": "calm"},
        ["TSK-1"],
    )
    assert [one["sprint_code"] for one in json.loads(well("sprint", "list", "--json", "--status", "active"))] == [
        "SPR-1"
    ]
    assert [one["task_code"] for one in json.loads(well("task", "list", "--json", "--sprint", "SPR-2"))] == ["TSK-2"]
    assert well("sprint", "show", "SPR-1").splitlines()[0] == "SPR-1  active  one  0 of 1 tasks completed"
    kinds = [kind for kind, _ in events(cli)]
    assert (kinds.count("orchestration.sprint.created"), kinds.count("orchestration.sprint.updated")) == (2, 3)
    well("task", "edit", "TSK-2", "--no-sprint")
    assert shown(cli, "TSK-2")["sprint_code"] is None


def test_a_sprint_is_changed_once(cli, well):
    well("sprint", "create", "SPR-1", "--title", "one", "--set", "goal=calm")
    words = ["sprint", "edit", "SPR-1", "--status", "on_hold", "--unset", "goal"]
    assert (well(*words), well(*words)) == ("SPR-1: changed\n", "SPR-1: was so already\n")
    assert cli("sprint", "edit", "SPR-1").code == 2
    assert cli("sprint", "edit", "spr-1", "--title", "x").code == 3
    assert cli("sprint", "create", "SPR-1", "--title", "again").code == 1
    assert cli("sprint", "add-task", "SPR-1", "TSK-9").code == 3
    assert json.loads(well("sprint", "show", "SPR-1", "--json"))["status"] == "on_hold"


@pytest.mark.parametrize("session", ['{"active": true}', '{"active": true, "more": 1}'])
def test_a_session_that_was_changed_by_hand_is_told(cli, well, place, session):
    well("task", "create", "TSK-1", "--title", "t")
    with sqlite3.connect(f"{place.state}/store.db") as db:
        db.execute("UPDATE tasks SET metadata = ?", (f'{{"session": {session}}}',))
    db.close()
    for words in (["task", "list"], ["session", "start", "TSK-1"], ["phase", "show", "TSK-1"]):
        ran = cli(*words)
        assert (ran.code, ran.out) == (1, "")
        assert ran.err == f"orchestrate: TSK-1: its session is not as it was written: {CHANGED}\n"
