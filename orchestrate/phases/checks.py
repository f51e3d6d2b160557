"""What a phase asks for before it is completed, and what of it is missing."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from orchestrate.phases import artifacts, machine, plan_check
from orchestrate.phases.artifacts import Artifact
from orchestrate.phases.machine import Session
from orchestrate.phases.site import Site
from orchestrate.phases.tests_run import Finished
from orchestrate.phases.workflow import Phase
from state.store.task_records import Task

RunTests = Callable[[], Finished | None]


class Findings(NamedTuple):
    failures: list[str]
    warnings: list[str]
    notes: list[str]  # what helps with the failures
    artifacts: list[Artifact]  # those that are there, required and optional
    lacks_approval: bool
    tests: Finished | None

    def lines(self) -> list[str]:
        return [f"✗ {line}" for line in self.failures] + [f"⚠ {line}" for line in self.warnings]


def check(
    site: Site, task: Task, session: Session, phase: Phase, needs_artifacts: bool, run_tests: RunTests
) -> Findings:
    """Tests are run last, and only where nothing else is missing."""
    found = {name: artifacts.find(site, task, session, name) for name in [*phase.required, *phase.optional]}
    there = {artifact.name: artifact for each in found.values() for artifact in each if not artifact.is_old}
    missing = [name for name in phase.required if all(artifact.is_old for artifact in found[name])]
    old = [artifact.name for name in missing for artifact in found[name]]
    failures = [f"Required field missing: {name}" for name in phase.validation.required_fields if _lacks(task, name)]
    if needs_artifacts:
        failures += [f"Required artifact missing: {name}" for name in missing]
    if phase.validation.check_plan_completeness:
        failures += _unplanned(phase, there)
    lacks_approval = phase.validation.require_user_approval and not machine.is_approved(task)
    if lacks_approval:
        failures.append("User approval missing: give --approve, or run orchestrate phase approve " + task.code)
    tests = run_tests() if phase.validation.check_tests_passed and not failures else None
    if tests and tests.said:
        failures.append(f"Tests not passed: {' '.join(phase.validation.check_tests_passed)} ({tests.said})")
    notes = [_why_old(task, name) for name in old] if needs_artifacts else []
    return Findings(failures, _warnings(task, phase), notes, list(there.values()), lacks_approval, tests)


def _warnings(task: Task, phase: Phase) -> list[str]:
    return [f"Recommended field missing: {name}" for name in phase.validation.recommended_fields if _lacks(task, name)]


def _lacks(task: Task, name: str) -> bool:
    """A field is one of the task's own, or of its metadata."""
    columns = task._asdict()
    value = columns[name] if name in columns and name != "metadata" else task.metadata.get(name)
    return value is None or value in ("", [], {}) or (isinstance(value, str) and not value.strip())


def _unplanned(phase: Phase, there: dict[str, Artifact]) -> Iterator[str]:
    for name in phase.required:
        if name.endswith(".md") and name in there:
            yield from (f"Plan incomplete: {line}" for line in plan_check.problems(name, there[name].file))


def _why_old(task: Task, name: str) -> str:
    return (
        f"{name} is older than the session: write it anew, or take it as it is: "
        f"orchestrate task artifact add {task.code} {name}"
    )


def nothing() -> Findings:
    """Of a phase that is left without being completed."""
    return Findings([], [], [], [], False, None)
