"""What the files of a workflow say, put together: defaults under templates under the step's own keys."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrate.workflow import fields
from orchestrate.workflow.fields import Given, Part
from orchestrate.workflow.spec import (
    AGENT,
    COMMAND,
    FALLBACK,
    GATE,
    KINDS,
    ROUTE,
    WORKFLOW,
    Input,
    Step,
    Workflow,
)
from state.reading import Problem

EMPTY = Workflow("", (), {}, (), "", "")
_ALL = {"id", "template", "depends_on", "when", "on_error", "fallback"}
_WORK = _ALL | {"output", "foreach", "retry", "timeout"}
_KEYS = {
    AGENT: _WORK | {AGENT, "prompt", "budget", "worktree", "repo"},
    ROUTE: _WORK | {ROUTE, "prompt", "budget", "worktree", "repo"},
    COMMAND: _WORK | {COMMAND, "worktree", "repo"},
    GATE: _ALL | {GATE},
    WORKFLOW: _WORK | {WORKFLOW, "with"},
}
_RENAMED = {"timeout": "timeout_s", "budget": "budget_usd", "with": "given"}
_LEFT_OUT = ("template", ROUTE)


def merge(path: str, parts: Mapping[str, Part], problems: list[Problem]) -> Workflow:
    """`parts`: by file, what is included before what includes it."""
    own = parts[path]
    inputs: dict[str, Input] = {one.name: one for part in parts.values() for one in part.inputs}
    templates = {name: given for part in parts.values() for name, given in part.templates.items()}
    steps = [_step(given, part, templates, file, problems) for file, part in parts.items() for given in part.steps]
    return Workflow(
        name=own.name or Path(path).stem,
        inputs=tuple(inputs.values()),
        defaults={key: value for key, value in own.defaults.items() if value is not None},
        steps=tuple(steps),
        path=path,
        digest="",
        description=own.description,
        is_declared=any(part.is_declared for part in parts.values()),
    )


def complete(workflow: Workflow, children: Mapping[str, Workflow], digest: str, waiting: Sequence[str]) -> Workflow:
    return dataclasses.replace(workflow, children=dict(children), digest=digest, needs_trust=tuple(waiting))


def with_steps(workflow: Workflow, steps: Sequence[Step]) -> Workflow:
    return dataclasses.replace(workflow, steps=tuple(steps))


def with_child(step: Step, path: str) -> Step:
    return dataclasses.replace(step, workflow=path)


def _step(given: Given, part: Part, templates: Mapping[str, Given], path: str, problems: list[Problem]) -> Step:
    def wrong(key: str, message: str) -> None:
        problems.append(Problem(path, given.line, f"{given.at}.{key}" if key else given.at, message))

    own = given.keys
    name = own.get("template", "")
    if name and name not in templates:
        few = ", ".join(list(templates)[:20])
        wrong("template", f"no template named {name!r} ({f'have: {few}' if few else 'there are none'})")
    template = templates[name].keys if name in templates else {}
    kind = _kind(own, template, part.defaults)
    problem = _kind_problem(own, template, kind, given)
    if problem:
        wrong(*problem)
    merged = {**_applying(part.defaults, kind), **_applying(template, kind), **_applying(own, kind)}
    problem = _fallback_problem(merged, own)
    if problem:
        wrong(*problem)
    return _made(merged, kind, path, given)


def _kind(own: Mapping[str, Any], template: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:  # Any: as in Given
    for keys in (own, template, defaults):
        found = fields.kinds(keys)
        if found:
            return found[0]
    return ""


def _kind_problem(
    own: Mapping[str, Any], template: Mapping[str, Any], kind: str, given: Given
) -> tuple[str, str] | None:  # Any: as in Given
    own_kinds = fields.kinds(own)
    if "id" not in own and not given.at.startswith("steps."):
        return "id", "missing"
    if len(own_kinds) > 1:
        return "", f"is {' and '.join(own_kinds)} at once: give one of them"
    if not kind:
        return "", f"says nothing to do: give one of {', '.join(KINDS)}"
    if kind in (AGENT, ROUTE) and "prompt" not in own and "prompt" not in template:
        return "prompt", "missing"
    strange = sorted(own.keys() - _KEYS[kind])
    return (strange[0], f"a step with {kind} has no {strange[0]}") if strange else None


def _fallback_problem(merged: Mapping[str, Any], own: Mapping[str, Any]) -> tuple[str, str] | None:  # Any: as in Given
    if merged.get("on_error") == FALLBACK and not merged.get("fallback"):
        return "fallback", "missing: name the step that runs when this one has failed"
    if merged.get("fallback") and own.get("on_error", FALLBACK) != FALLBACK:
        return "fallback", f"is never run with on_error: {own['on_error']}"
    return None


def _applying(keys: Mapping[str, Any], kind: str) -> dict[str, Any]:  # Any: as in Given
    """Without what another kind of step has."""
    return {key: value for key, value in keys.items() if key in _KEYS.get(kind, _ALL)}


def _made(merged: Mapping[str, Any], kind: str, path: str, given: Given) -> Step:  # Any: as in Given
    told: dict[str, Any] = {_RENAMED.get(key, key): value for key, value in merged.items() if key not in _LEFT_OUT}
    if told.get("fallback"):
        told["on_error"] = FALLBACK
    told["id"] = told.get("id") or given.at
    return Step(**told, kind=kind or AGENT, path=path, line=given.line)


def as_inputs(names: Mapping[str, int]) -> tuple[Input, ...]:
    """Names that prompts use and nobody declared, with the line they are used on."""
    return tuple(Input(name, line=line) for name, line in names.items())
