"""Whether the steps of a workflow fit together: what stops it from running, and what is merely odd."""

import dataclasses
import difflib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from orchestrate.workflow import conditions, dag, merging, values
from orchestrate.workflow.spec import WORKFLOW, Step, Workflow
from state.errors import UserError
from state.reading import HINTS_MOST, NAMES_MOST, TOLD_MOST, Problem

CYCLE_SHOWN = 30


class Checked(NamedTuple):
    workflow: Workflow  # with the inputs that nobody declared
    errors: list[Problem]
    warnings: list[Problem]


class Use(NamedTuple):
    key: str
    name: str


def check(workflow: Workflow, agents: Collection[str] | None) -> Checked:
    """The workflow and those that it runs."""
    checked = _Checking(workflow, agents)
    whole = checked.done()
    children = {}
    for path, child in workflow.children.items():
        below = _Checking(dataclasses.replace(child, children=workflow.children), agents)
        children[path] = dataclasses.replace(below.done(), children={})
        checked.errors += below.errors
        checked.warnings += below.warnings
    whole = dataclasses.replace(whole, children=children)
    return Checked(whole, [*checked.errors, *_children(whole)][:TOLD_MOST], checked.warnings[:TOLD_MOST])


class _Checking:
    """One workflow's steps being checked against each other."""

    def __init__(self, workflow: Workflow, agents: Collection[str] | None) -> None:
        self.workflow = workflow
        self.agents = agents
        self.steps = workflow.steps
        self.by_id = {step.id: step for step in workflow.steps}
        self.uses = {step.id: list(_uses(step)) for step in workflow.steps}
        self.errors: list[Problem] = []
        self.warnings: list[Problem] = []

    def done(self) -> Workflow:
        for tell in (self._ids, self._waits, self._fallbacks, self._agents, self._outputs):
            tell()
        inferred = self._values() if len(self.by_id) == len(self.steps) else {}
        self._cycles()
        if not self.errors:
            self._oddities()
        if self.workflow.is_declared:
            return self.workflow
        return dataclasses.replace(self.workflow, inputs=merging.as_inputs(inferred))

    def _wrong(self, step: Step, key: str, message: str) -> None:
        if len(self.errors) < TOLD_MOST:
            self.errors.append(_problem(step, key, message))

    def _ids(self) -> None:
        first: dict[str, Step] = {}
        for step in self.steps:
            if step.id in first:
                other = first[step.id]
                self._wrong(step, "id", f"is given twice (first in {other.path}, on line {other.line})")
            first.setdefault(step.id, step)

    def _waits(self) -> None:
        for step in self.steps:
            told = conditions.parse(step.when or step.gate).steps if step.when or step.gate else ()
            for key, names in (("depends_on", step.depends_on), ("when" if step.when else "gate", told)):
                for name in names:
                    if name and name not in self.by_id:
                        self._wrong(step, key, f"no step with id {name!r}{self._near(name, self.by_id)}")

    def _fallbacks(self) -> None:
        owner: dict[str, str] = {}
        for step in self.steps:
            if not step.fallback:
                continue
            if step.fallback == step.id or step.fallback not in self.by_id:
                why = "cannot be itself" if step.fallback == step.id else f"no step with id {step.fallback!r}"
                self._wrong(step, "fallback", f"{why}{self._near(step.fallback, self.by_id)}")
            elif step.fallback in owner:
                self._wrong(step, "fallback", f"{step.fallback} stands in for {owner[step.fallback]} already")
            owner.setdefault(step.fallback, step.id)

    def _agents(self) -> None:
        for step in self.steps:
            if self.agents is not None and step.agent and step.agent not in self.agents:
                near = self._near(step.agent, self.agents) or " (`orchestrate agents list` shows them)"
                self._wrong(step, "agent", f"no agent named {step.agent!r}{near}")

    def _outputs(self) -> None:
        """Several steps may make one output where each has a condition: of branches one is taken."""
        inputs = {one.name for one in self.workflow.inputs}
        first: dict[str, Step] = {}
        for step in self.steps:
            if not step.output:
                continue
            other = first.setdefault(step.output, step)
            if step.output in inputs:
                self._wrong(step, "output", f"{step.output} is an input already")
            elif other is not step and not (step.when and other.when):
                message = f"{step.output} is made by {other.id} already: several steps may, where each has a when:"
                self._wrong(step, "output", message)

    def _values(self) -> dict[str, int]:
        """Names that nobody makes or declares, with the line of their first use."""
        inputs = {one.name for one in self.workflow.inputs}
        makers: dict[str, int] = {}
        for number, step in enumerate(self.steps):
            if step.output:
                makers[step.output] = makers.get(step.output, 0) | 1 << number
        before = dag.before(self.steps)
        inferred: dict[str, int] = {}
        for step in self.steps:
            for use in self.uses[step.id]:
                if use.name in makers:
                    self._made_before(step, use, makers[use.name], before.get(step.id))
                elif use.name == values.ITEM:
                    if not step.foreach or use.key == "foreach":
                        self._wrong(step, use.key, "{item} is known in a step with foreach alone")
                elif use.name not in inputs:
                    self._unknown(step, use, [*inputs, *makers], inferred)
        return inferred

    def _made_before(self, step: Step, use: Use, makers: int, before: int | None) -> None:
        if before is None or before & makers:  # None: in a cycle, which is told
            return
        maker = self.steps[makers.bit_length() - 1].id
        if maker == step.id:
            self._wrong(step, use.key, f"{{{use.name}}} is made by this step itself")
        else:
            message = f"{{{use.name}}} is made by {maker}, which need not have run before: add depends_on: [{maker}]"
            self._wrong(step, use.key, message)

    def _unknown(self, step: Step, use: Use, known: Collection[str], inferred: dict[str, int]) -> None:
        close = difflib.get_close_matches(use.name, known, 1) if self._may_hint(known) else []
        if self.workflow.is_declared:
            hint = f" (did you mean {close[0]}?)" if close else " (no input, and no output of a step)"
            self._wrong(step, use.key, f"no value named {use.name!r}{hint}")
        elif close:
            self._wrong(step, use.key, f"no value named {use.name!r} (did you mean {close[0]}? else declare inputs:)")
        else:
            inferred.setdefault(use.name, step.line)

    def _cycles(self) -> None:
        for cycle in dag.cycles(self.steps):
            shown = " → ".join(cycle if len(cycle) <= CYCLE_SHOWN else [*cycle[:CYCLE_SHOWN], f"… ({len(cycle) - 1})"])
            self._wrong(self.by_id[cycle[0]], "depends_on", f"a cycle, in which each waits for the next: {shown}")

    def _oddities(self) -> None:
        self.warnings += [
            _problem(self.by_id[name], "when", f"never runs: {why}")
            for name, why in dag.unreachable(self.steps).items()
        ]
        used = Counter(use.name for uses in self.uses.values() for use in uses)
        followed = {name for step in self.steps for name in (*step.depends_on, step.fallback)}
        stands_in = {step.fallback for step in self.steps}
        for step in self.steps:
            if step.output and not used[step.output] and step.id in followed and step.id not in stands_in:
                self.warnings.append(_problem(step, "output", f"{{{step.output}}} is used by no step"))
        for one in self.workflow.inputs:
            if not used[one.name]:
                self.warnings.append(Problem(self.workflow.path, one.line, f"inputs.{one.name}", "is used by no step"))

    def _near(self, name: str, names: Collection[str]) -> str:
        close = difflib.get_close_matches(name, names, 1) if self._may_hint(names) else []
        return f" (did you mean {close[0]}?)" if close and close[0] != name else ""

    def _may_hint(self, names: Collection[str]) -> bool:
        return len(self.errors) < HINTS_MOST and len(names) <= NAMES_MOST


def _uses(step: Step) -> Iterator[Use]:
    for key, templates in _templates(step).items():
        try:
            yield from (Use(key, name) for template in templates for name in values.names(template))
        except UserError:  # told where it was read
            continue
    if isinstance(step.foreach, str) and step.foreach:
        yield Use("foreach", step.foreach)
    for key, condition in (("when", step.when), ("gate", step.gate)):
        if condition:
            yield from (Use(key, name) for name in conditions.parse(condition).names)


def _templates(step: Step) -> Mapping[str, Collection[str]]:
    items = step.foreach if isinstance(step.foreach, tuple) else ()
    return {"prompt": (step.prompt,), "command": step.command, "with": step.given.values(), "foreach": items}


def _children(workflow: Workflow) -> Iterator[Problem]:
    """Whether each workflow that is run gets its inputs."""
    for step in (*workflow.steps, *(step for child in workflow.children.values() for step in child.steps)):
        if step.kind == WORKFLOW and step.workflow in workflow.children:
            child = workflow.children[step.workflow]
            inputs = {one.name for one in child.inputs}
            for name in [name for name in step.given if name not in inputs]:
                have = ", ".join(sorted(inputs)) or "none"
                yield _problem(step, "with", f"{child.name} has no input named {name!r} (have: {have})")
            for one in child.inputs:
                if one.required and one.name not in step.given:
                    yield _problem(step, "with", f"{child.name} needs {one.name}")


def _problem(step: Step, key: str, message: str) -> Problem:
    at = step.id if step.id.startswith("steps[") else f"steps.{step.id}"  # one without an id of its own
    return Problem(step.path, step.line, f"{at}.{key}", message)
