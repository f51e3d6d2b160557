"""What a step of a session tells: each event says one thing that happened."""

from collections.abc import Sequence

from orchestrate.phases.checks import Findings
from orchestrate.phases.desk import Told
from orchestrate.phases.guidance import Guidance
from orchestrate.phases.workflow import Phase
from state.store.task_records import Metadata, Task


def phase_started(phase: Phase, coming: Guidance) -> list[Told]:
    entity = ("phase", phase.name)
    payload: dict[str, object] = {"phase": phase.name}
    shown = {"goal": phase.goal, "required_artifacts": list(phase.required), "position": coming.position}
    return [
        (f"orchestration.phase.{phase.name}.start", entity, payload),
        *[(name, entity, payload) for name in phase.own_events(".start")],
        ("orchestration.guidance.given", entity, {**payload, **shown}),
    ]


def phase_ended(phase: Phase, following: str | None, skipped: Sequence[str] = ()) -> list[Told]:
    entity = ("phase", phase.name)
    payload: dict[str, object] = {"phase": phase.name}
    more: dict[str, object] = {"skipped": list(skipped)} if skipped else {}
    return [
        (f"orchestration.phase.{phase.name}.end", entity, {**payload, "next": following, **more}),
        *[(name, entity, payload) for name in phase.own_events(".end")],
    ]


def checked(phase: Phase, findings: Findings) -> list[Told]:
    outcome = "failed" if findings.failures else "passed"
    payload: dict[str, object] = {"phase": phase.name, "failures": findings.failures, "warnings": findings.warnings}
    told: list[Told] = [(f"orchestration.validation.{outcome}", ("phase", phase.name), payload)]
    if findings.tests:
        ran = {"exit_code": findings.tests.exit_code, "took_s": findings.tests.took_s}
        command = list(phase.validation.check_tests_passed)
        told.insert(0, ("orchestration.tests.finished", ("phase", phase.name), {"command": command, **ran}))
    return told


def overridden(phase: Phase, reason: str, findings: Findings) -> Told:
    payload: dict[str, object] = {"phase": phase.name, "reason": reason, "failures": findings.failures}
    return ("orchestration.phase.override", ("phase", phase.name), payload)


def artifact_recorded(name: str, entry: Metadata) -> Told:
    return ("orchestration.artifact.recorded", ("artifact", name), {"name": name, **entry})


def status_updated(before: Task, after: Task, reason: str = "") -> list[Told]:
    if before.status == after.status:
        return []
    payload: dict[str, object] = {"from": before.status, "to": after.status}
    payload |= {"reason": reason} if reason else {}
    return [("orchestration.task.status_updated", ("task", after.code), payload)]
