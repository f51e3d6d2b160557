"""The steps of one workflow and what has become of them: a run's own, or those of a workflow that a step runs."""

import asyncio
import dataclasses
from collections.abc import Mapping

from orchestrate.workflow import dag
from orchestrate.workflow.runs import FAILED, FINISHED, Result
from orchestrate.workflow.spec import CONTINUE, Step, Value, Workflow


class Scope:
    def __init__(self, workflow: Workflow, given: Mapping[str, Value], prefix: str, epoch: int | None) -> None:
        self.workflow = workflow
        self.given = dict(given)
        self.prefix = prefix
        self.epoch = epoch  # None: each step has its own
        self.failed: tuple[str, Result] | None = None  # the step that lets nothing more begin
        self.steps = {step.id: step for step in workflow.steps}
        self.waits = dag.needs(workflow.steps)
        self.owner = {step.fallback: step.id for step in workflow.steps if step.fallback}
        loop = asyncio.get_running_loop()
        self.done: dict[str, asyncio.Future[Result]] = {name: loop.create_future() for name in self.steps}

    def over(self) -> dict[str, Result]:
        return {name: one.result() for name, one in self.done.items() if one.done() and not one.cancelled()}

    def known(self) -> dict[str, Value]:
        """The inputs and what steps have made; nothing (an empty text) of those that failed or were skipped."""
        found: dict[str, Value] = {}
        for name, result in self.over().items():
            step = self.steps[name]
            if step.output and (result.status == FINISHED or not found.get(step.output)):
                found[step.output] = result.value if result.status == FINISHED else ""
        for name, owner in self.owner.items():  # who stands in makes the output of the one it stands in for
            stood_in = self.over().get(name)
            if stood_in and stood_in.status == FINISHED and self.steps[owner].output:
                found[self.steps[owner].output] = stood_in.value
        return {**self.given, **found}

    def heed(self, step: Step, result: Result) -> None:
        if result.status == FAILED and not (step.on_error == CONTINUE or step.fallback):
            self.failed = self.failed or (step.id, result)
        self.done[step.id].set_result(result)

    def statuses(self) -> dict[str, str]:
        return {name: result.status for name, result in self.over().items()}


def together(made: list[Result]) -> Result:
    """Of the items of one step."""
    listed: list[Value] = [each.value for each in made]
    failed = [(number, each) for number, each in enumerate(made) if each.status != FINISHED]
    whole = dataclasses.replace(all_of(made), value=listed)
    if not failed:
        return whole
    number, first = failed[0]
    detail = f"{len(failed)} of {len(made)} items: item {number}: {first.detail}"
    return dataclasses.replace(whole, status=first.status, detail=detail, exit_code=first.exit_code)


def all_of(made: list[Result]) -> Result:
    return Result(
        FINISHED,
        runs=tuple(folder for each in made for folder in each.runs),
        files=tuple(file for each in made for file in each.files),
        model=next((each.model for each in made if each.model), ""),
        tokens=sum(each.tokens for each in made),
        took_s=max((each.took_s for each in made), default=0.0),
    )


def last(scope: Scope) -> Value:
    """What the last of the steps that nothing waits for has made."""
    awaited = {name for waits in scope.waits.values() for name in waits}
    over = scope.over()
    ends = [name for name in scope.steps if name not in awaited and over[name].status == FINISHED]
    return over[ends[-1]].value if ends else ""
