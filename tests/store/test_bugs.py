"""Bugs in the store, the same on every engine."""

import subprocess
import sys
from pathlib import Path

import pytest
from evil import evil
from tiers import some

from orchestrate.memory import bugs
from orchestrate.memory.bug_rehash import planned, rehash
from orchestrate.memory.bugs import Report
from state.errors import FAILED, NOT_FOUND, UserError
from state.telling import Teller

REPO = Path(__file__).resolve().parents[2]
TELLER = Teller("user", "-", "c")
EVIL = evil("bugs", 100_000)


@pytest.fixture
def log(store, place):
    def logged(message="Undefined variable: foo", task=None, file="app/Test.php", line=42, **more):
        return bugs.log(store, place, TELLER, Report(message, task, file, line, **more), place.root)

    return logged


def told(store, kind=None):
    rows = [event for _, event in store.sinks.after(0, 10_000)]
    return [event.type.removeprefix("orchestration.bug.") for event in rows] if kind is None else rows


def test_the_first_time_makes_the_record(log, store):
    logged = log(task="TSK-001")
    bug = logged.bug
    assert (logged.is_new, logged.is_reopened) == (True, False)
    assert bugs.record(bug) == {
        "bug_hash": bug.bug_hash,
        "task_code": "TSK-001",
        "error_message": "Undefined variable: foo",
        "file_path": "app/Test.php",
        "line_number": 42,
        "context": {
            "captured_at": bug.captured_at,
            "error_type": "type",
            "occurrence_count": 1,
            "last_seen": bug.captured_at,
            "last_task_code": "TSK-001",
        },
    }
    assert told(store) == ["logged"]


def test_three_times_are_one_record_that_keeps_its_first_task(log, store):
    first = log(task="TSK-001").bug
    log(task="TSK-002")
    last = log(task=None)
    assert (last.is_new, last.bug.occurrence_count) == (False, 3)
    assert (last.bug.task_code, last.bug.last_task_code) == ("TSK-001", "TSK-002")
    assert (last.bug.captured_at, last.bug.last_seen >= first.captured_at) == (first.captured_at, True)
    assert store.bugs.tasks(first.bug_hash) == {"TSK-001": 1, "TSK-002": 1}
    assert [bug.bug_hash for bug in store.bugs.listed()] == [first.bug_hash]
    assert told(store) == ["logged", "recurred", "recurred"]


def test_a_bug_without_a_task_gets_the_first_that_names_one(log):
    log()
    assert log(task="TSK-002").bug.task_code == "TSK-002"


def test_the_events_of_an_occurrence_name_its_task_and_the_bug(log, store):
    bug = log(task="TSK-001").bug
    (event,) = told(store, "whole")
    assert (event.task, event.entity_type, event.entity_id) == ("TSK-001", "bug", bug.bug_hash)
    assert (event.actor, event.correlation) == ("user", "c")


def test_what_is_resolved_is_open_again_when_it_recurs(log, store):
    bug = log(task="TSK-001").bug
    assert bugs.resolve(store, TELLER, bug, "fixed in 1612471") is True
    assert bugs.resolve(store, TELLER, bug, "again") is False
    resolved = store.bugs.one(bug.bug_hash)
    assert resolved.resolution == "fixed in 1612471"
    assert bugs.record(resolved)["context"]["resolved_at"] == resolved.resolved_at
    assert store.bugs.listed(is_open=True) == []
    again = log(task="TSK-002")
    assert (again.is_new, again.is_reopened, again.bug.resolved_at, again.bug.resolution) == (False, True, None, None)
    assert told(store) == ["logged", "resolved", "recurred", "reopened"]
    assert log().is_reopened is False


def test_the_context_grows_and_the_last_word_holds(log, store):
    log(context={"host": "a", "try": "1"})
    bug = log(context={"try": "2"}).bug
    assert bug.context == {"host": "a", "try": "2"}
    acted = bugs.act(store, TELLER, bug, "provide_context", {"note": "only at night"}, Report("x", "TSK-001"))
    assert acted.context == {"host": "a", "try": "2", "note": "only at night", "action": "provide_context"}
    assert told(store)[-1] == "action"


def test_the_message_is_cut_and_the_hash_is_made_of_more(log):
    one, other = log("x" * 1500 + "a").bug, log("x" * 1500 + "b").bug
    assert (len(one.error_message), one.error_message) == (1000, other.error_message)
    assert one.bug_hash != other.bug_hash


def test_line_0_is_a_line(log):
    assert log(line=0).bug.line_number == 0
    assert log(line=None).is_new


def test_lists_are_by_task_by_count_and_by_state(log, store):
    often, once, solved = log("a", "TSK-001").bug, log("b", "TSK-002").bug, log("c", "TSK-001").bug
    log("a", "TSK-002")
    bugs.resolve(store, TELLER, solved, None)
    of = lambda found: {bug.error_message for bug in found}  # noqa: E731
    assert of(store.bugs.listed("TSK-001")) == {"a", "c"}
    assert of(store.bugs.listed("TSK-002")) == {"a", "b"}
    assert of(store.bugs.listed("tsk-001")) == set()
    assert of(store.bugs.listed(least=2)) == {"a"}
    assert of(store.bugs.listed(is_open=True)) == {"a", "b"}
    counts = store.bugs.counts()
    assert [tuple(count) for count in counts] == [("unknown", 3, 4, 2, 1)]
    assert {type(value) for count in counts for value in count[1:]} == {int}
    assert (often.task_code, once.task_code) == ("TSK-001", "TSK-002")


def test_the_one_seen_last_comes_first(store, place):
    for day in (2, 3, 1):
        old(store, place, f"of day {day}", str(day) * 64, f"2026-01-0{day}T00:00:00.000Z")
    assert [bug.bug_hash[0] for bug in store.bugs.listed()] == ["3", "2", "1"]
    assert [bug.bug_hash[0] for bug in store.bugs.listed(most=1)] == ["3"]


def test_a_bug_is_named_by_the_beginning_of_its_hash(log, store):
    bug = log().bug
    assert store.bugs.named(bug.bug_hash[:6].upper()) == bug
    for number in range(40):
        log(f"error of kind {chr(97 + number % 26)}{chr(97 + number // 26)}")
    several = next(
        name for name in "0123456789abcdef" if sum(one.bug_hash[0] == name for one in store.bugs.listed()) > 1
    )
    with pytest.raises(UserError) as caught:
        store.bugs.named(several)
    assert caught.value.code == FAILED
    for name in ("", "xyz", "%", "_", "'", bug.bug_hash + "0"):
        with pytest.raises(UserError) as caught:
            store.bugs.named(name)
        assert caught.value.code == NOT_FOUND


@pytest.mark.parametrize("text", some(EVIL, 4), ids=range(len(EVIL)))
def test_no_text_is_more_than_text(text, log, store):
    kept = log(text, file=text, stack=text, context={"key": text[:100]}).bug
    again = log(text, file=text, stack=text)
    assert (again.is_new, again.bug.occurrence_count) == (False, 2)
    bugs.resolve(store, TELLER, kept, text)
    assert len(store.bugs.listed()) == 1
    assert store.bugs.one(kept.bug_hash).error_message == kept.error_message


def test_an_empty_text_is_no_bug(log):
    with pytest.raises(UserError):
        log(" \0 ")


def test_secrets_do_not_reach_the_store(log, store):
    key = "sk-ant-REDACTED"
    bug = log(f"401 for {key}", stack=f"at f({key})", context={"password": "hunter22", "note": key}).bug
    kept = repr([*store.bugs.listed(), *told(store, "whole")])
    assert (key in kept, "hunter22" in kept) == (False, False)
    assert log(f"401 for {key}", stack=f"at f({key})").bug.bug_hash == bug.bug_hash


WRITER = """
import sys
sys.path.insert(0, sys.argv[1])
from orchestrate.memory import bugs
from state.paths import locate
from state.store import open_store
from state.telling import Teller
import os
place = locate(sys.argv[2], dict(os.environ))
with open_store(place) as store:
    sys.stdout.write("ready\\n"); sys.stdout.flush(); sys.stdin.readline()
    report = bugs.Report("object at " + sys.argv[3], "TSK-" + sys.argv[3][-1], "a.py", 3)
    bugs.log(store, place, Teller("user", "-", "c"), report, place.root)
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_eight_processes_at_once_make_one_record_that_counts_eight(store, project, place):
    arguments = [sys.executable, "-c", WRITER, str(REPO), str(project)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    writers = [subprocess.Popen([*arguments, f"0x{number}"], **pipes) for number in range(8)]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("\n")
        writer.stdin.flush()
    assert [(writer.communicate(timeout=300)[1], writer.returncode) for writer in writers] == [("", 0)] * 8
    (bug,) = store.bugs.listed()
    assert bug.occurrence_count == 8
    assert store.bugs.tasks(bug.bug_hash) == {f"TSK-{number}": 1 for number in range(8)}
    assert sorted(told(store)) == ["logged", *["recurred"] * 7]


def old(store, place, message, bug_hash, at, **more):
    """A record as another version's rules made it."""
    bug = bugs.found(Report(message, **{"task": None, "file": "a.py", "line": 3, **more}), place.root, place.root)
    bug = bug._replace(bug_hash=bug_hash, captured_at=at, last_seen=at)
    store.bugs.log(bug, lambda logged: [])
    return bug


def test_rehash_makes_what_now_agrees_one(store, place):
    one = old(store, place, "object at 0x1", "1" * 64, "2026-01-01T00:00:00.000Z", task="TSK-001")
    old(store, place, "object at 0x2", "2" * 64, "2026-01-02T00:00:00.000Z", task="TSK-002", context={"host": "b"})
    old(store, place, "object at 0x2", "2" * 64, "2026-01-03T00:00:00.000Z", task="TSK-001")
    old(store, place, "another", "3" * 64, "2026-01-03T00:00:00.000Z")
    before = store.bugs.listed()
    dry = rehash(store, place, TELLER, dry_run=True)
    assert store.bugs.listed() == before
    done = rehash(store, place, TELLER, dry_run=False)
    assert dry == done
    assert sorted(merged.was for merged in done) == [("1" * 64, "2" * 64), ("3" * 64,)]
    merged = next(bug for bug in store.bugs.listed() if bug.error_message == "object at 0x1")
    assert (merged.occurrence_count, merged.captured_at, merged.last_seen) == (
        3,
        "2026-01-01T00:00:00.000Z",
        "2026-01-03T00:00:00.000Z",
    )
    assert (merged.task_code, merged.last_task_code, merged.context) == ("TSK-001", "TSK-001", {"host": "b"})
    assert store.bugs.tasks(merged.bug_hash) == {"TSK-001": 2, "TSK-002": 1}
    assert store.bugs.tasks("1" * 64) == {}
    assert len(store.bugs.listed()) == 2
    assert told(store) == ["rehashed", "rehashed"]
    assert one.bug_hash != merged.bug_hash


def test_rehash_changes_nothing_where_no_rule_did(log, store, place):
    for message in ("a 0x1", "b 'x' at /tmp/x/y.py", "c 12"):
        log(message, stack="Traceback (most recent call last):\n  at x:3")
    log("a 0x2", stack="at x:4")
    assert planned(store.bugs.listed(), place.root) == []
    assert rehash(store, place, TELLER, dry_run=False) == []


@pytest.mark.parametrize(("resolved", "is_open"), [((True, True), False), ((True, False), True), ((False, True), True)])
def test_what_rehash_merges_is_resolved_when_all_of_it_is(resolved, is_open, store, place):
    for number, is_resolved in enumerate(resolved):
        bug = old(store, place, f"object at 0x{number}", str(number) * 64, f"2026-01-0{number + 1}T00:00:00.000Z")
        if is_resolved:
            bugs.resolve(store, TELLER, bug, f"note {number}")
    rehash(store, place, TELLER, dry_run=False)
    (bug,) = store.bugs.listed()
    assert (bug.resolved_at is None, bug.resolution) == (is_open, None if is_open else "note 1")


def test_a_rehash_that_takes_the_hash_of_another_loses_neither(store, place, log):
    kept = log("object at 0x1", file="a.py", line=3).bug
    old(store, place, "object at 0x2", "2" * 64, "2026-01-02T00:00:00.000Z")
    rehash(store, place, TELLER, dry_run=False)
    (bug,) = store.bugs.listed()
    assert (bug.bug_hash, bug.occurrence_count) == (kept.bug_hash, 2)


def test_nothing_is_kept_where_its_telling_fails(store, place):
    def broken(logged):
        raise RuntimeError("no")

    bug = bugs.found(Report("x"), place.root, place.root)
    with pytest.raises(RuntimeError):
        store.bugs.log(bug, broken)
    assert (store.bugs.listed(), told(store)) == ([], [])


def test_the_same_in_a_linked_worktree_is_the_same_bug(store, place, tmp_path):
    tree = tmp_path / "tree"
    (tree / "app").mkdir(parents=True)
    (tree / ".git").write_text("gitdir: elsewhere\n")
    (tree / "app" / "a.py").write_text("")
    here = Report("bad: /project/x", None, f"{place.root}/app/a.py", 3, f"{place.root}/app/a.py:3")
    there = Report("bad: /project/x", None, "a.py", 3, f"{tree}/app/a.py:3")
    one = bugs.log(store, place, TELLER, here, place.root)
    other = bugs.log(store, place, TELLER, there, str(tree / "app"))
    assert (other.is_new, other.bug.file_path, one.bug.bug_hash == other.bug.bug_hash) == (False, "app/a.py", True)
