"""A workflow as plain data: what a durable run is given as its input, so it goes through JSON and back unchanged."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Value = str | int | float | bool | list["Value"] | dict[str, "Value"] | None

AGENT, ROUTE, COMMAND, GATE, WORKFLOW = KINDS = ("agent", "route", "command", "gate", "workflow")
FAIL, CONTINUE, FALLBACK = ON_ERROR = ("fail", "continue", "fallback")


@dataclass(frozen=True, slots=True)
class Input:
    name: str
    default: Value = None
    description: str = ""
    required: bool = True
    line: int = 1


@dataclass(frozen=True, slots=True)
class Step:
    id: str
    kind: str
    agent: str = ""
    prompt: str = ""
    command: tuple[str, ...] = ()  # no shell reads it
    gate: str = ""  # the condition that has to hold
    workflow: str = ""  # a key of Workflow.children
    given: Mapping[str, str] = field(default_factory=dict)  # the inputs of the other workflow
    depends_on: tuple[str, ...] = ()
    output: str = ""
    when: str = ""
    foreach: str | tuple[str, ...] = ""  # a value's name, or the items
    retry: int = 0  # more attempts after the first
    timeout_s: float | None = None
    on_error: str = FAIL
    fallback: str = ""  # the step that runs when this one has failed
    budget_usd: float | None = None
    worktree: bool = False
    repo: str = ""
    path: str = ""  # the file it stands in
    line: int = 1


@dataclass(frozen=True, slots=True)
class Workflow:
    name: str
    inputs: tuple[Input, ...]
    defaults: Mapping[str, Value]
    steps: tuple[Step, ...]
    path: str
    digest: str  # of all files it was read from
    description: str = ""
    is_declared: bool = False  # False: the inputs are the names in the prompts that no step makes
    children: Mapping[str, "Workflow"] = field(default_factory=dict)
    needs_trust: tuple[str, ...] = ()  # what may not run before `orchestrate trust`

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.id == name)

    def programs(self) -> list[str]:
        """What it may run, and where else than in its project."""
        steps = [*self.steps, *(step for child in self.children.values() for step in child.steps)]
        ran = [f"{step.id}: {' '.join(step.command)} is run" for step in steps if step.command]
        return ran + [f"{step.id}: works in {step.repo}" for step in steps if step.repo]

    def as_dict(self) -> dict[str, Any]:  # Any: what JSON holds
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> "Workflow":  # Any: what `as_dict` made, through JSON
        made = {
            "inputs": tuple(Input(**one) for one in told["inputs"]),
            "steps": tuple(_step(one) for one in told["steps"]),
            "children": {key: cls.from_dict(one) for key, one in told["children"].items()},
            "needs_trust": tuple(told["needs_trust"]),
        }
        return cls(**{**told, **made})


def _step(told: Mapping[str, Any]) -> Step:  # Any: as above
    lists = {key: tuple(told[key]) for key in ("command", "depends_on")}
    foreach = told["foreach"]
    return Step(**{**told, **lists, "foreach": foreach if isinstance(foreach, str) else tuple(foreach)})
