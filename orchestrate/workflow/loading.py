"""A workflow's file, with those it includes and runs, as one Workflow: all that is wrong is told with its place."""

import hashlib
import re
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from orchestrate.workflow import checking, fields, merging, places
from orchestrate.workflow.fields import Include, Part
from orchestrate.workflow.spec import COMMAND, WORKFLOW, Step, Workflow
from state import config_file, workflow_folder, yaml_nodes
from state.errors import NOT_FOUND, UserError
from state.paths import Place
from state.reading import Problem, Reading
from state.workflow_folder import SIZE_MOST

FILES_MOST = 50
STEPS_MOST = 10_000
BOUNDS = yaml_nodes.Bounds(size_bytes=SIZE_MOST, nodes=300_000, depth=20, in_c=True)


class Found(NamedTuple):
    workflow: Workflow | None  # None: what is wrong leaves none
    errors: list[Problem]
    warnings: list[Problem]


def load(path: str, place: Place, agents: Collection[str] | None = None) -> Workflow:
    """`path`: a file, or a name in the folders of workflows; `agents`: those there are, where that is to be checked."""
    found = read(places.find(place, path), place, agents)
    if found.workflow is None or found.errors:
        raise UserError("\n".join(map(str, found.errors[:20])))
    return found.workflow


def read(path: str, place: Place, agents: Collection[str] | None = None) -> Found:
    """As `load`, of a file that need not be right."""
    loading = _Loading(place)
    with yaml_nodes.uncollected():
        try:
            workflow = loading.whole(path)
            checked = checking.check(workflow, agents)
        except UserError as error:
            return Found(None, sorted([*loading.problems, _problem(path, error)]), [])
    errors = [*loading.problems, *checked.errors]
    return Found(checked.workflow if not errors else None, sorted(errors), sorted(checked.warnings))


class _Loading:
    """The files of one workflow, each read once, within bounds for all of them together."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.problems: list[Problem] = []
        self._parts: dict[str, Part] = {}
        self._digest = hashlib.sha256()
        self._size = 0
        self._children: dict[str, Workflow] = {}
        self._standings: dict[str, str] = {}

    def whole(self, path: str) -> Workflow:
        workflow = self._workflow(path, (path,))
        count = len(workflow.steps) + sum(len(child.steps) for child in self._children.values())
        if count > STEPS_MOST:
            raise UserError(f"{path}:1: {count:,} steps: at most {STEPS_MOST:,} are taken")
        return merging.complete(workflow, self._children, self._digest.hexdigest(), self._waiting(workflow))

    def _workflow(self, path: str, above: tuple[str, ...]) -> Workflow:
        taken: dict[str, Part] = {}
        self._include(path, (path,), taken)
        merged = merging.merge(path, taken, self.problems)
        if not merged.steps and not self.problems:
            self._wrong(path, 1, "workflow.steps", "missing: give at least one")
        steps = [self._with_child(step, above) for step in merged.steps]
        return merging.with_steps(merged, steps)

    def _include(self, path: str, above: tuple[str, ...], taken: dict[str, Part]) -> None:
        """What it includes first, each file once; then its own."""
        part = self._part(path)
        for one in part.include:
            found = self._beside(one, path)
            if found in above:
                circle = " → ".join(Path(step).name for step in [*above[above.index(found) :], found])
                self._wrong(path, one.line, "include", f"files include each other: {circle}")
            elif found and found not in taken:
                self._include(found, (*above, found), taken)
        taken[path] = part

    def _with_child(self, step: Step, above: tuple[str, ...]) -> Step:
        if step.kind != WORKFLOW or not step.workflow:
            return step
        at = f"steps.{step.id}.workflow"
        found = self._beside(Include(step.workflow, step.line, at), step.path)
        if found in above:
            circle = " → ".join(Path(one).name for one in [*above[above.index(found) :], found])
            self._wrong(step.path, step.line, at, f"workflows run each other: {circle}")
        elif found and found not in self._children:
            self._children[found] = merging.EMPTY
            self._children[found] = self._workflow(found, (*above, found))
        return merging.with_child(step, found)

    def _beside(self, one: Include, path: str) -> str:
        if not one.file:  # told where it was read
            return ""
        try:
            return places.beside(self.place, one.file, path)
        except UserError as error:
            self._wrong(path, one.line, one.key, str(error))
            return ""

    def _part(self, path: str) -> Part:
        if path not in self._parts:
            raw = workflow_folder.read(path)
            if raw is None:
                raise UserError(f"{path}: there is no such file", NOT_FOUND)
            self._bound(path, raw)
            self._digest.update(f"{path}\0{len(raw)}\0".encode() + raw)
            text = config_file.decoded(path, raw, SIZE_MOST)
            root = config_file.mapping(path, yaml_nodes.compose(path, text, BOUNDS))
            reading = Reading(path)
            self._parts[path] = fields.part(reading, root)
            self.problems += reading.problems
        return self._parts[path]

    def _bound(self, path: str, raw: bytes) -> None:
        self._size += len(raw)
        if self._size > SIZE_MOST:
            raise UserError(f"{path}: larger than {SIZE_MOST >> 20} MiB with what it includes")
        if len(self._parts) >= FILES_MOST:
            raise UserError(f"{path}: more than {FILES_MOST} files are one workflow")

    def _waiting(self, workflow: Workflow) -> tuple[str, ...]:
        """What may not run before its repository is trusted, with the reason."""
        steps = [*workflow.steps, *(step for child in self._children.values() for step in child.steps)]
        return tuple(wait for step in steps if (wait := self._wait(step)))

    def _wait(self, step: Step) -> str:
        if step.kind != COMMAND and not step.repo:
            return ""
        if step.path not in self._standings:
            self._standings[step.path] = places.standing(self.place, step.path)
        remedy = _REMEDY.get(self._standings[step.path])
        what = f"command: {' '.join(step.command)}" if step.kind == COMMAND else f"repo: {step.repo}"
        return f"{step.path}:{step.line}: steps.{step.id}.{what[:80]} {remedy}" if remedy else ""

    def _wrong(self, path: str, line: int, key: str, message: str) -> None:
        self.problems.append(Problem(path, line, key, message))


_REMEDY = {
    places.WAITS: "is not run until you trust this repository (`orchestrate trust`)",
    places.OUTSIDE: "is not run from here: put the file into .orchestrator/workflows and `orchestrate trust` it",
}


def _problem(path: str, error: UserError) -> Problem:
    """A complaint that names its place itself."""
    told = re.fullmatch(r"(?s)(.+?):(?:(\d+):)? (.*)", str(error))
    return Problem(told[1], int(told[2] or 1), "", told[3]) if told else Problem(path, 1, "", str(error))
