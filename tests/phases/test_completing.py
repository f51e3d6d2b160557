"""Completing a phase: what is asked for, what is told, and that two never complete it both."""

import hashlib
import multiprocessing
import os
import time

import pytest
from phase_world import made, types
from tiers import some

from orchestrate.phases import completing, site, starting, tasks, workflow_file
from orchestrate.phases.completing import Wish
from state.errors import UserError
from state.paths import locate
from state.store import open_store

AFTER_INTAKE = [
    "orchestration.validation.passed",
    "orchestration.artifact.recorded",
    "orchestration.phase.intake.end",
    "intake.end",
    "orchestration.phase.research.start",
    "research.start",
    "orchestration.guidance.given",
]


def with_workflow(desk, text):
    return desk._replace(workflow=workflow_file.parse("w.yaml", text.encode()))


def with_settings(desk, **settings):
    return desk._replace(settings={**desk.settings, **{f"workflow.{key}": value for key, value in settings.items()}})


def failure(call):
    with pytest.raises(UserError) as caught:
        call()
    return str(caught.value)


def phase_of(desk, code="TSK-1"):
    return desk.store.tasks.one(code).metadata["session"]["current_phase"]


def test_a_completed_phase_leaves_its_files_history_and_events(desk, begun, project):
    (project / "TASK.md").write_text("what is wanted\n")
    before = len(types(desk.store))
    done = completing.complete(desk, "TSK-1", Wish())
    assert (done.is_done, done.phase, done.coming.phase) == (True, "intake", "research")
    kept = desk.store.tasks.one("TSK-1").metadata
    entry = kept["artifacts"]["TASK.md"]
    assert (entry["path"], entry["size_bytes"], entry["phase"], entry["session_key"]) == (
        "TASK.md",
        15,
        "intake",
        begun.session.session_key,
    )
    assert entry["sha256"] == hashlib.sha256(b"what is wanted\n").hexdigest()
    assert [one["phase"] for one in kept["session"]["phase_history"]] == ["intake"]
    assert sorted(types(desk.store)[before:]) == sorted(AFTER_INTAKE)


def test_every_event_of_a_session_carries_its_key_the_task_and_one_correlation(desk, begun, project):
    (project / "TASK.md").write_text("x")
    completing.complete(desk, "TSK-1", Wish())
    events = list(desk.store.events_between("2000", "3000"))
    assert {(event.session, event.task, event.correlation) for event in events} == {
        (begun.session.session_key, "TSK-1", "c")
    }


def test_what_is_missing_is_named_and_nothing_moves(desk, store):
    store.tasks.create(made()._replace(metadata={}, description=" "), [])
    starting.start(desk, "TSK-1")
    done = completing.complete(desk, "TSK-1", Wish())
    assert done.is_done is False
    assert done.findings.lines() == [
        "✗ Required field missing: description",
        "✗ Required field missing: acceptance_criteria",
        "✗ Required artifact missing: TASK.md",
        "⚠ Recommended field missing: tags",
        "⚠ Recommended field missing: estimated_effort",
    ]
    assert phase_of(desk) == "intake"
    assert types(store)[-1] == "orchestration.validation.failed"


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_text(""),
        lambda path: path.mkdir(),
        lambda path: path.symlink_to("/etc/passwd"),
        lambda path: path.symlink_to(path),
        os.mkfifo,
    ],
    ids=["empty", "a folder", "a link out of the project", "a link to itself", "a pipe"],
)
def test_what_is_no_file_of_the_project_with_something_in_it_is_missing(desk, begun, project, make):
    make(project / "TASK.md")
    assert completing.complete(desk, "TSK-1", Wish()).findings.failures == ["Required artifact missing: TASK.md"]


def test_a_file_from_before_the_session_proves_nothing_until_it_is_put_on_record(desk, begun, project):
    path = project / "TASK.md"
    path.write_text("of another task")
    os.utime(path, (time.time() - 3600,) * 2)
    done = completing.complete(desk, "TSK-1", Wish())
    assert done.findings.failures == ["Required artifact missing: TASK.md"]
    assert done.findings.notes == [
        "TASK.md is older than the session: write it anew, or take it as it is: "
        "orchestrate task artifact add TSK-1 TASK.md"
    ]
    tasks.add_artifact(desk, "TSK-1", "TASK.md", None)
    assert completing.complete(desk, "TSK-1", Wish()).is_done


def test_the_sessions_own_folder_comes_before_the_project(desk, begun, project, place):
    (project / "TASK.md").write_text("in the project")
    folder = f"{place.state}/sessions/{begun.session.session_key}/artifacts"
    os.makedirs(folder)
    with open(f"{folder}/TASK.md", "w") as file:
        file.write("of the session")
    completing.complete(desk, "TSK-1", Wish())
    assert desk.store.tasks.one("TSK-1").metadata["artifacts"]["TASK.md"]["size_bytes"] == len("of the session")


PATTERNS = """
phases:
  a:
    order: 1
    goal: x
    artifacts: {required: ["ADR-*.md"], optional: ["docs/*.txt"]}
  b: {order: 2, goal: y}
"""


def test_a_pattern_takes_every_file_it_fits(desk, store, project):
    desk = with_workflow(desk, PATTERNS)
    store.tasks.create(made(), [])
    starting.start(desk, "TSK-1")
    assert completing.complete(desk, "TSK-1", Wish()).findings.failures == ["Required artifact missing: ADR-*.md"]
    (project / "docs").mkdir()
    for name in ("ADR-1.md", "ADR-2.md", "adr-3.md", "docs/a.txt"):
        (project / name).write_text("x")
    completing.complete(desk, "TSK-1", Wish())
    assert sorted(store.tasks.one("TSK-1").metadata["artifacts"]) == ["ADR-1.md", "ADR-2.md", "docs/a.txt"]


def test_an_override_is_kept_and_told(desk, begun):
    done = completing.complete(desk, "TSK-1", Wish(is_override=True, reason="on paper"))
    assert (done.is_done, done.is_overridden) == (True, True)
    [override] = desk.store.tasks.one("TSK-1").metadata["phase_overrides"]
    del override["at"]
    assert override == {
        "phase": "intake",
        "reason": "on paper",
        "failures": ["Required artifact missing: TASK.md"],
        "actor": "user",
    }
    assert "orchestration.phase.override" in types(desk.store)


def test_an_override_is_refused_where_it_is_switched_off(desk, begun):
    strict = with_settings(desk, allow_user_override=False)
    told = failure(lambda: completing.complete(strict, "TSK-1", Wish(is_override=True)))
    assert told == "TSK-1: --override: workflow.allow_user_override is off: give intake what it asks"
    assert phase_of(desk) == "intake"
    assert completing.complete(desk, "TSK-1", Wish(is_override=True)).is_done


def test_artifacts_are_not_asked_for_where_that_is_switched_off(desk, begun):
    assert not completing.complete(desk, "TSK-1", Wish()).is_done
    assert completing.complete(with_settings(desk, require_artifact_validation=False), "TSK-1", Wish()).is_done


def test_phases_are_left_out_only_where_that_is_switched_on(desk, begun, project):
    (project / "TASK.md").write_text("x")
    told = failure(lambda: completing.complete(desk, "TSK-1", Wish(to="execute")))
    assert told == "TSK-1: after intake comes research: workflow.allow_phase_skip is off"
    assert phase_of(desk) == "intake"
    done = completing.complete(with_settings(desk, allow_phase_skip=True), "TSK-1", Wish(to="execute"))
    assert (done.coming.phase, done.next_step) == ("execute", "")
    [end] = [one for one in desk.store.events_between("2000", "3000") if one.type == "orchestration.phase.intake.end"]
    assert '"skipped":["research","plan"]' in end.payload


def test_the_next_phase_may_be_named(desk, begun, project):
    (project / "TASK.md").write_text("x")
    assert completing.complete(desk, "TSK-1", Wish(to="research")).coming.phase == "research"


def test_going_back_asks_for_nothing_and_undoes_what_came_after(desk, begun):
    for _ in range(3):
        completing.complete(desk, "TSK-1", Wish(is_override=True))
    done = completing.complete(with_settings(desk, allow_phase_skip=True), "TSK-1", Wish(to="research"))
    assert (done.coming.phase, done.is_back) == ("research", True)
    history = desk.store.tasks.one("TSK-1").metadata["session"]["phase_history"]
    assert [one["phase"] for one in history] == ["intake"]
    assert "orchestration.phase.back" in types(desk.store)


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        (Wish(expect="execute"), "TSK-1: is in intake, not in execute: nothing was done"),
        (
            Wish(to="nowhere"),
            "TSK-1: 'nowhere' is no phase of this task (have: intake, research, plan, execute, review, close)",
        ),
        (Wish(to="intake"), "TSK-1: is in intake already"),
    ],
)
def test_a_wish_that_does_not_fit_changes_nothing(desk, begun, wish, told):
    assert failure(lambda: completing.complete(desk, "TSK-1", wish)) == told
    assert phase_of(desk) == "intake"


def test_a_variant_leaves_a_phase_out_and_what_was_said_of_it(desk, store):
    store.tasks.create(made(type="bug_fix"), [])
    starting.start(desk, "TSK-1")
    override = Wish(is_override=True)
    steps = [completing.complete(desk, "TSK-1", override) for _ in range(4)]
    assert [done.coming.phase for done in steps] == ["research", "execute", "review", "close"]
    assert [done.coming.position for done in steps] == ["2 of 5", "3 of 5", "4 of 5", "5 of 5"]
    assert [bool(done.next_step) for done in steps] == [True, False, True, True]
    assert failure(lambda: completing.complete(desk, "TSK-1", override)) == (
        "TSK-1: close is its last phase: orchestrate session end TSK-1"
    )


def test_each_completion_names_the_command_of_the_phase_that_comes(desk, begun):
    commands = [begun.guidance.command]
    commands += [completing.complete(desk, "TSK-1", Wish(is_override=True)).coming.command for _ in range(5)]
    names = ["intake", "research", "plan", "execute", "review"]
    assert commands == [
        *(f"orchestrate phase complete TSK-1 --expect {name}" for name in names),
        "orchestrate session end TSK-1",
    ]


def test_a_phase_that_the_workflow_no_longer_has_is_told(desk, begun):
    other = with_workflow(desk, "phases: {alone: {order: 1, goal: x}}")
    told = failure(lambda: completing.complete(other, "TSK-1", Wish()))
    assert told == "w.yaml: no phase named 'intake' (have: alone)"


PLAN = """
phases:
  plan:
    order: 1
    goal: x
    artifacts: {required: [PLAN.md]}
    validation: {check_plan_completeness: true}
  b: {order: 2, goal: y}
"""


@pytest.mark.parametrize(
    ("text", "failures"),
    [
        ("# Plan\n\n1. do it\n", []),
        ("* do it\n", []),
        ("# Plan\nwe will see\n", ["Plan incomplete: PLAN.md names no step: list them, one a line"]),
        ("- do it\n- TBD\n", ["Plan incomplete: PLAN.md:2: TBD is left to be decided"]),
        ("- To be decided ???\n", ["Plan incomplete: PLAN.md:1: To be decided is left to be decided"]),
    ],
)
def test_a_plan_is_complete_when_it_names_steps_and_leaves_nothing_open(desk, store, project, text, failures):
    desk = with_workflow(desk, PLAN)
    store.tasks.create(made(), [])
    starting.start(desk, "TSK-1")
    (project / "PLAN.md").write_text(text)
    assert completing.complete(desk, "TSK-1", Wish()).findings.failures == failures


APPROVED = """
phases:
  review: {order: 1, goal: x, validation: {require_user_approval: true}}
  b: {order: 2, goal: y}
"""


def test_approval_is_asked_for_and_goes_with_the_phase_it_was_given_for(desk, store):
    desk = with_workflow(desk, APPROVED)
    store.tasks.create(made(), [])
    starting.start(desk, "TSK-1")
    done = completing.complete(desk, "TSK-1", Wish())
    assert (done.is_done, done.findings.lacks_approval) == (False, True)
    completing.approve(desk, "TSK-1")
    assert completing.complete(desk, "TSK-1", Wish()).is_done
    assert failure(lambda: completing.approve(desk, "TSK-1")) == "TSK-1: b asks for no approval"
    completing.complete(with_settings(desk, allow_phase_skip=True), "TSK-1", Wish(to="review"))
    assert not completing.complete(desk, "TSK-1", Wish()).is_done
    starting.start(desk, "TSK-1", starting.RESTART)
    assert not completing.complete(desk, "TSK-1", Wish()).is_done
    told = [one for one in types(store) if one == "orchestration.phase.approved"]
    assert len(told) == 1


def with_tests(program):
    return (
        f"phases: {{a: {{order: 1, goal: x, validation: {{check_tests_passed: {program}}}}}, b: {{order: 2, goal: y}}}}"
    )


def workflow_in(desk, text):
    """As the project's own file, which for an uninitialised project is the user's."""
    path = f"{desk.place.state}/workflow.yaml"
    os.makedirs(desk.place.state, exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    return desk._replace(workflow=workflow_file.parse(path, text.encode()))


@pytest.mark.parametrize(
    ("program", "failures"),
    [
        ("['true', x]", []),
        ("sh -c 'exit 3'", ["Tests not passed: sh -c exit 3 (exit 3)"]),
        ("no-such-program", ["Tests not passed: no-such-program (no such file or directory)"]),
        ("[sh, -c, 'echo > ran; echo > ran2']", []),
        ("['false', '; touch pwned']", ["Tests not passed: false ; touch pwned (exit 1)"]),
    ],
)
def test_tests_have_to_pass(desk, store, project, program, failures):
    desk = workflow_in(desk, with_tests(program))
    store.tasks.create(made(), [])
    starting.start(desk, "TSK-1")
    done = completing.complete(desk, "TSK-1", Wish())
    assert (done.findings.failures, done.is_done) == (failures, not failures)
    assert not (project / "pwned").exists()
    assert [one for one in types(store) if one.startswith("orchestration.tests")] == ["orchestration.tests.finished"]


def complete_at_once(place, start, desk_of, wish):
    start.wait()
    with open_store(place) as store:
        try:
            done = completing.complete(desk_of._replace(store=store, warn=print), "TSK-1", wish)
        except UserError as error:
            raise SystemExit(error.code) from error
    raise SystemExit(0 if done.is_done else 9)


@pytest.mark.parametrize("expect", some([None, "intake"], 1))
def test_two_processes_complete_a_phase_once(dialect, desk, begun, place, expect):
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(2)
    bare = desk._replace(store=None, warn=None)
    wish = Wish(is_override=True, expect=expect)
    both = [context.Process(target=complete_at_once, args=(place, start, bare, wish)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(100)
    codes = sorted(process.exitcode for process in both)
    ended = types(desk.store).count("orchestration.phase.intake.end")
    assert ended == 1
    if expect:
        assert (codes, phase_of(desk)) == ([0, 1], "research")
    else:  # the one that came later may have found the next phase, and completed that
        assert (codes, phase_of(desk)) in (([0, 1], "research"), ([0, 0], "plan"))


def test_in_a_linked_worktree_its_own_files_and_tests_count(desk, begun, git, repository, tmp_path):
    tree = tmp_path / "tree"
    git("worktree", "add", "-q", str(tree))
    (tree / "below").mkdir()
    there = desk._replace(cwd=str(tree / "below"))
    (tree / "TASK.md").write_text("x")
    assert completing.complete(desk, "TSK-1", Wish()).findings.failures == ["Required artifact missing: TASK.md"]
    assert completing.complete(there, "TSK-1", Wish()).is_done
    assert there.store.tasks.one("TSK-1").metadata["artifacts"]["TASK.md"]["path"] == str(tree / "TASK.md")
    (repository / "CONTEXT.md").write_text("x")
    assert completing.complete(there, "TSK-1", Wish()).is_done


def test_a_project_within_a_repository_of_something_else_keeps_to_itself(desk, begun, git, repository):
    inner = repository / "inner"
    (inner / ".orchestrator").mkdir(parents=True)
    place = locate(str(inner), os.environ)
    assert site.of(place, str(inner / "deeper"), os.environ["HOME"]).roots() == [str(inner)]
    assert site.of(desk.place, str(inner.parent), os.environ["HOME"]).roots() == [str(repository)]
    assert site.of(place, "/", os.environ["HOME"]).roots() == [str(inner)]
