"""What is told of a phase when it begins: its goal, its files, and the command that completes it."""

from typing import NamedTuple

from orchestrate.phases import machine
from orchestrate.phases.workflow import Phase, Workflow, after, position
from state.store.task_records import Task


class Guidance(NamedTuple):
    task_code: str
    phase: str
    position: str  # `3 of 6`
    goal: str
    description: str
    required_artifacts: list[str]
    optional_artifacts: list[str]
    needs_approval: bool
    command: str

    def lines(self) -> list[str]:
        told = [f"→ {self.phase} ({self.position})" if self.position else f"→ {self.phase}", f"  Goal: {self.goal}"]
        told += [f"  {line}" for line in self.description.splitlines()]
        if self.required_artifacts:
            told.append(f"  Required artifacts: {', '.join(self.required_artifacts)}")
        if self.optional_artifacts:
            told.append(f"  Optional artifacts: {', '.join(self.optional_artifacts)}")
        if self.needs_approval:
            told.append(f"  The user approves it: orchestrate phase approve {self.task_code}, or --approve below")
        return [*told, f"  When done: {self.command}"]


def of(workflow: Workflow, task: Task, phase: Phase) -> Guidance:
    phases = workflow.of_type(machine.kind_of(task))
    return Guidance(
        task.code,
        phase.name,
        position(phases, phase),
        phase.goal,
        phase.description,
        list(phase.required),
        list(phase.optional),
        phase.validation.require_user_approval,
        command(task, phase, is_last=after(phases, phase) is None),
    )


def command(task: Task, phase: Phase, is_last: bool) -> str:
    if is_last:
        return f"orchestrate session end {task.code}"
    return f"orchestrate phase complete {task.code} --expect {phase.name}"


def next_step(workflow: Workflow, done: Phase, coming: Guidance) -> str:
    """The completed phase's own words on what comes next; nothing where something else comes than they speak of."""
    following = after(workflow.phases, done)
    if following is None or following.name != coming.phase:
        return ""
    said = done.next_step
    for name, value in (("task", coming.task_code), ("phase", coming.phase), ("command", coming.command)):
        said = said.replace(f"{{{name}}}", value)
    return said
