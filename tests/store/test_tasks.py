"""Tasks, sprints and the sessions of tasks, on every engine."""

import multiprocessing

import pytest
from tiers import some

from state.errors import FAILED, NOT_FOUND, UserError
from state.store import Event, open_store
from state.store.task_records import Sprint, Task, TaskSession
from state.store.values import CHANGED

NOW = "2026-11-21T10:00:00.000Z"
LATER = "2026-11-21T11:00:00.000Z"
HOSTILE = "'); DROP TABLE tasks; -- %s %(code)s :code ? \x1b[31m ü 🙂"


def task(code="TSK-1", **fields):
    given = {"metadata": {}, "created_at": NOW, "updated_at": NOW, **fields}
    return Task(
        **{
            "title": "t",
            "description": "",
            "sprint": None,
            "status": "pending",
            "priority": "P2",
            **given,
            "code": code,
        }
    )


def sprint(code="SPR-1", **fields):
    given = {"title": "s", "status": "planning", "metadata": {}, "created_at": NOW, "updated_at": NOW, **fields}
    return Sprint(code, **given)


def event(key="e1", kind="orchestration.task.created", code="TSK-1", ts=NOW):
    return Event(key, ts, kind, "-", None, "user", "task", code, "{}", code, "c")


def told(store):
    return sorted((one.id, one.type, one.task) for one in store.events_between("2026", "2027"))


def code_of(call):
    with pytest.raises(UserError) as caught:
        call()
    return caught.value.code


def test_a_task_comes_back_as_it_went_in(store):
    store.sprints.create(sprint(HOSTILE), [])
    metadata = {"tags": [HOSTILE], "nested": {"a": [1, 2.5, None, True]}}
    one = task("TSK-ü", title=HOSTILE, description=f"{HOSTILE}\n\tx", sprint=HOSTILE, metadata=metadata)
    store.tasks.create(one, [event()])
    assert store.tasks.find("TSK-ü") == one
    assert store.tasks.one("TSK-ü") == one
    assert told(store) == [("e1", "orchestration.task.created", "TSK-1")]


def test_a_code_is_taken_once_and_what_would_tell_of_a_second_is_not_told(store):
    store.tasks.create(task(), [event()])
    assert code_of(lambda: store.tasks.create(task(title="other"), [event("e2")])) == FAILED
    assert store.tasks.one("TSK-1").title == "t"
    assert [key for key, _, _ in told(store)] == ["e1"]


@pytest.mark.parametrize("code", ["tsk-1", "TSK-1 ", "TSK", ""])
def test_codes_are_case_sensitive_and_whole(store, code):
    store.tasks.create(task(), [])
    assert store.tasks.find(code) is None
    assert code_of(lambda: store.tasks.one(code)) == NOT_FOUND


def test_a_sprint_that_a_task_names_has_to_be_there(store):
    assert code_of(lambda: store.tasks.create(task(sprint="SPR-1"), [event()])) == NOT_FOUND
    assert store.tasks.find("TSK-1") is None
    assert told(store) == []
    store.tasks.create(task(), [])
    assert code_of(lambda: store.tasks.revise(task(), task(sprint="SPR-1"), [event()])) == NOT_FOUND
    assert store.tasks.one("TSK-1") == task()


def test_the_most_urgent_is_listed_first_and_the_newest_of_those(store):
    store.sprints.create(sprint(), [])
    for one in (
        task("A", priority="P2"),
        task("B", priority="P0", sprint="SPR-1"),
        task("C", priority="P2", created_at=LATER),
        task("a", priority="P2", status="blocked", sprint="SPR-1"),
    ):
        store.tasks.create(one, [])
    assert [one.code for one in store.tasks.listed()] == ["B", "C", "A", "a"]
    assert [one.code for one in store.tasks.listed(sprint="SPR-1")] == ["B", "a"]
    assert [one.code for one in store.tasks.listed(status="blocked")] == ["a"]
    assert [one.code for one in store.tasks.listed(sprint="SPR-1", status="pending")] == ["B"]
    assert store.tasks.listed(sprint="spr-1") == []


def test_a_revision_holds_only_where_nobody_came_between(store):
    before = task()
    store.tasks.create(before, [])
    after = before._replace(status="in_progress", metadata={"session": {"active": True}})
    row = TaskSession("sess_TSK-1_20261121_100000", "TSK-1", NOW, None, None)
    assert store.tasks.revise(before, after, [event("e1")], [row]) is True
    assert store.tasks.revise(before, before._replace(title="late"), [event("e2")], [row._replace(task="X")]) is False
    assert store.tasks.one("TSK-1") == after
    assert store.tasks.sessions("TSK-1") == [row]
    assert [key for key, _, _ in told(store)] == ["e1"]


def test_sessions_are_kept_each_under_its_key(store):
    store.tasks.create(task(), [])
    first = TaskSession("sess_TSK-1_20261121_100000", "TSK-1", NOW, None, None)
    second = first._replace(session_key="sess_TSK-1_20261121_110000", started_at=LATER)
    ended = first._replace(ended_at=LATER, outcome="replaced")
    store.tasks.revise(task(), task(title="u"), [], [first])
    store.tasks.revise(task(title="u"), task(title="v"), [], [ended, second])
    assert store.tasks.sessions("TSK-1") == [ended, second]
    assert store.tasks.session(first.session_key) == ended
    assert store.tasks.session("sess_TSK-2_20261121_100000") is None


def test_commits_artifacts_and_a_pull_request_are_added_to_what_there_is(store):
    store.tasks.create(task(metadata={"tags": ["a"]}), [])
    commit = {"hash": "f" * 40, "phase": "execute"}
    assert store.tasks.add_commit("TSK-1", commit, [event("e1", ts=LATER)]) is True
    assert store.tasks.add_commit("TSK-1", commit, [event("e2")]) is False
    assert store.tasks.add_commit("TSK-1", {**commit, "phase": "review"}, []) is True
    store.tasks.add_artifact("TSK-1", "PLAN.md", {"path": "PLAN.md"}, [event("e3")])
    store.tasks.add_artifact("TSK-1", "TODO.md", {"path": "TODO.md"}, [])
    store.tasks.link_pull_request("TSK-1", {"number": 123}, [event("e4")])
    kept = store.tasks.one("TSK-1")
    assert kept.metadata == {
        "tags": ["a"],
        "commits": [commit, {**commit, "phase": "review"}],
        "artifacts": {"PLAN.md": {"path": "PLAN.md"}, "TODO.md": {"path": "TODO.md"}},
        "pull_request": {"number": 123},
    }
    assert [key for key, _, _ in told(store)] == ["e1", "e3", "e4"]
    assert code_of(lambda: store.tasks.add_commit("TSK-2", commit, [])) == NOT_FOUND


PLAN = {"path": "PLAN.md", "sha256": "a" * 64, "added": "by_hand", "recorded_at": NOW}


@pytest.mark.parametrize(
    ("change", "is_new"),
    [
        ({"recorded_at": LATER, "phase": "review", "session_key": "s"}, False),
        ({"path": "docs/PLAN.md"}, True),
        ({"sha256": "b" * 64}, True),
        ({"added": None}, True),  # of a phase, it would count in that session alone
    ],
)
def test_an_artifact_that_is_on_record_as_it_is_is_kept_once(store, change, is_new):
    store.tasks.create(task(), [])
    assert store.tasks.add_artifact("TSK-1", "PLAN.md", PLAN, [event("e1", ts=LATER)]) is None
    before = store.tasks.one("TSK-1")
    again = {**PLAN, **change}
    assert store.tasks.add_artifact("TSK-1", "PLAN.md", again, [event("e2")]) == (None if is_new else PLAN)
    assert [key for key, _, _ in told(store)] == (["e1", "e2"] if is_new else ["e1"])
    after = store.tasks.one("TSK-1")
    assert (after.metadata["artifacts"]["PLAN.md"], after == before) == (again if is_new else PLAN, not is_new)


@pytest.mark.parametrize(
    "metadata",
    some(
        [
            "nope",
            "[]",
            '{"session": 5}',
            '{"session": {"active": "yes"}}',
            '{"session": {"started_at": "now"}}',
            '{"session": {"phase_history": ["plan"]}}',
            '{"artifacts": []}',
            '{"artifacts": {"a": 1}}',
            '{"commits": "x"}',
            '{"commits": [{"hash": "a"}]}',
            '{"approvals": [1]}',
            '{"phase_overrides": {}}',
            '{"pull_request": "x"}',
        ],
        5,
    ),
)
def test_metadata_that_was_changed_by_hand_is_told(store, metadata):
    store.tasks.create(task(), [])
    with store._engine.writing():
        store._engine.run("revise_task", {**task()._asdict(), "metadata": metadata})
    for read in (lambda: store.tasks.one("TSK-1"), store.tasks.listed):
        with pytest.raises(UserError) as caught:
            read()
        assert str(caught.value) == f"{store.where}: tasks: TSK-1: metadata is not as it was written: {CHANGED}"


def test_metadata_of_a_sprint_that_was_changed_by_hand_is_told(store):
    store.sprints.create(sprint(), [])
    with store._engine.writing():
        store._engine.run("revise_sprint", {**sprint()._asdict(), "metadata": "5"})
    with pytest.raises(UserError) as caught:
        store.sprints.listed()
    assert str(caught.value) == f"{store.where}: sprints: SPR-1: metadata is not as it was written: {CHANGED}"


def test_a_sprint_comes_back_as_it_went_in(store):
    one = sprint(title=HOSTILE, metadata={"goal": HOSTILE})
    store.sprints.create(one, [event(kind="orchestration.sprint.created")])
    assert store.sprints.one("SPR-1") == one
    assert code_of(lambda: store.sprints.create(one, [event("e2")])) == FAILED
    assert code_of(lambda: store.sprints.one("spr-1")) == NOT_FOUND


def test_sprints_are_listed_newest_first_and_revised_once(store):
    for one in (sprint("A"), sprint("B", created_at=LATER, status="active"), sprint("C")):
        store.sprints.create(one, [])
    assert [one.code for one in store.sprints.listed()] == ["B", "A", "C"]
    assert [one.code for one in store.sprints.listed("active")] == ["B"]
    assert store.sprints.revise(sprint("A"), sprint("A", title="n"), [event()]) is True
    assert store.sprints.revise(sprint("A"), sprint("A", title="o"), [event("e2")]) is False
    assert store.sprints.one("A").title == "n"
    assert len(told(store)) == 1


@pytest.mark.parametrize("wrong", [{"status": "done"}, {"priority": "P9"}, {"status": "COMPLETED"}], ids=str)
def test_no_engine_keeps_a_status_or_a_priority_that_there_is_not(store, wrong):
    with pytest.raises(Exception, match=r"(?i)check"):
        store.tasks.create(task(**wrong), [])
    assert store.tasks.find("TSK-1") is None


def tag(place, name, start):
    """Add ten tags to the task, each on what the others have made of it."""
    start.wait()
    with open_store(place) as store:
        for number in range(10):
            while True:
                before = store.tasks.one("TSK-1")
                after = before._replace(metadata={"tags": [*before.metadata.get("tags", []), f"{name}{number}"]})
                if store.tasks.revise(before, after, [event(f"{name}{number}")]):
                    break


@pytest.mark.slow
def test_processes_that_revise_at_once_lose_nothing(store, place):
    store.tasks.create(task(), [])
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(3)
    processes = [context.Process(target=tag, args=(place, name, start)) for name in "abc"]
    for process in processes:
        process.start()
    for process in processes:
        process.join(100)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert sorted(store.tasks.one("TSK-1").metadata["tags"]) == sorted(
        f"{name}{n}" for name in "abc" for n in range(10)
    )
    assert len(told(store)) == 30
