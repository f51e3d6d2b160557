"""workflow.yaml as a workflow. What is wrong with it is told with file, line and key, all of it at once.

Written without pydantic, whose import alone takes most of what completing a phase may.
"""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from orchestrate.phases import hook_names
from orchestrate.phases.workflow import WHEN, Phase, Validation, Workflow
from state import command_line, config_file
from state.errors import UserError
from state.reading import Node, Reading, Taker, flag, items

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_EVENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
_ARTIFACT = re.compile(r"[^\x00-\x1f\x7f/\\][^\x00-\x1f\x7f\\]{0,199}")
_LONGEST = {"goal": 500, "description": 10_000, "next_step": 10_000}
_NO_VALIDATION = Validation([], [], False, False, [])


def parse(path: str, raw: bytes) -> Workflow:
    reading = Reading(path)
    root = config_file.compose(path, raw)
    given = reading.group(root, "", {"phases": _phases, "variants": _variants}) if root else {}
    phases = given.get("phases", [])
    if not phases and not reading.problems:
        raise UserError(f"{path}:1: phases: missing: give at least one")
    _check_orders(reading, phases)
    _check_variants(reading, given.get("variants", {}), phases)
    if reading.problems:
        raise UserError("\n".join(reading.told()))
    variants = {name: [word for word, _ in words] for name, words in given.get("variants", {}).items()}
    return Workflow(path, sorted((phase for phase, _ in phases), key=lambda phase: phase.order), variants)


def _text(reading: Reading, node: Node, key: str) -> str:
    longest = _LONGEST[key.rpartition(".")[2]]
    if not isinstance(node, yaml.ScalarNode):
        reading.wrong(node, key, "expected text")
        return ""
    if len(node.value) > longest:
        reading.wrong(node, key, f"longer than {longest} characters")
    return str(node.value).strip()


def _order(reading: Reading, node: Node, key: str) -> int:
    if isinstance(node, yaml.ScalarNode) and re.fullmatch(r"\d{1,4}", node.value):
        return int(node.value)
    reading.wrong(node, key, "expected a whole number from 0 to 9999")
    return 0


def _words(pattern: re.Pattern[str], expected: str) -> Taker:
    def take(reading: Reading, node: Node, key: str) -> list[str]:
        taken = items(reading, node, key)
        for word, item in taken:
            if not pattern.fullmatch(word):
                reading.wrong(item, key, f"expected {expected}, got {word!r}")
        return [word for word, _ in taken]

    return take


def _artifacts_of(reading: Reading, node: Node, key: str) -> list[str]:
    taken = items(reading, node, key)
    for word, item in taken:
        if not _ARTIFACT.fullmatch(word) or ".." in word.split("/") or "**" in word:
            reading.wrong(item, key, f"expected a file's name or pattern within the project, got {word!r}")
    return [word for word, _ in taken]


def _hook_names(reading: Reading, node: Node, key: str) -> list[str]:
    taken = items(reading, node, key)
    for word, item in taken:
        if word not in hook_names.NAMES:
            reading.wrong(item, key, f"no hook named {word!r} (have: {', '.join(hook_names.NAMES)})")
    return [word for word, _ in taken]


def _program(reading: Reading, node: Node, key: str) -> list[str]:
    """`make test` or [make, test]; no shell."""
    if isinstance(node, yaml.SequenceNode):
        words = [word for word, _ in items(reading, node, key)]
    else:
        try:
            words = command_line.words(str(node.value))
        except ValueError as error:
            reading.wrong(node, key, str(error))
            return []
    if words == ["false"]:
        return []
    if not words or not words[0] or words == ["true"]:
        reading.wrong(node, key, 'expected a command, as "make test"')
    return words


_VALIDATION: Mapping[str, Taker] = {
    "required_fields": _words(_FIELD, "a field's name"),
    "recommended_fields": _words(_FIELD, "a field's name"),
    "check_plan_completeness": flag,
    "require_user_approval": flag,
    "check_tests_passed": _program,
}


def _validation(reading: Reading, node: Node, key: str) -> Validation:
    return _NO_VALIDATION._replace(**reading.group(node, key, _VALIDATION))


def _grouped(takers: Mapping[str, Taker]) -> Taker:
    return lambda reading, node, key: reading.group(node, key, takers)


_PHASE: Mapping[str, Taker] = {
    "order": _order,
    "goal": _text,
    "description": _text,
    "artifacts": _grouped({"required": _artifacts_of, "optional": _artifacts_of}),
    "validation": _validation,
    "events": _words(_EVENT, "an event's name"),
    "hooks": _grouped(dict.fromkeys(WHEN, _hook_names)),
    "next_step": _text,
}


def _phases(reading: Reading, node: Node, key: str) -> list[tuple[Phase, Node]]:
    found = []
    for name, (name_node, value) in reading.members(node, key).items():
        if not _NAME.fullmatch(name):
            reading.wrong(name_node, key, f"expected a phase's name in small letters, got {name!r}")
        given = reading.group(value, f"{key}.{name}", _PHASE)
        for needed in ("order", "goal"):
            if given.get(needed, "") == "":
                reading.wrong(name_node, f"{key}.{name}.{needed}", "missing")
        found.append((_phase(name, given), name_node))
    return found


def _phase(name: str, given: Mapping[str, Any]) -> Phase:  # Any: as of a Taker
    artifacts = given.get("artifacts", {})
    return Phase(
        name,
        given.get("order", 0),
        given.get("goal", ""),
        given.get("description", ""),
        artifacts.get("required", []),
        artifacts.get("optional", []),
        given.get("validation", _NO_VALIDATION),
        given.get("events", []),
        given.get("hooks", {}),
        given.get("next_step", ""),
    )


def _variants(reading: Reading, node: Node, key: str) -> dict[str, list[tuple[str, Node]]]:
    found = {}
    for name, (name_node, value) in reading.members(node, key).items():
        if not _FIELD.fullmatch(name):
            reading.wrong(name_node, key, f"expected a type of task, got {name!r}")
        found[name] = items(reading, value, f"{key}.{name}")
        if not found[name]:
            reading.wrong(name_node, f"{key}.{name}", "expected a list of phases")
    return found


def _check_orders(reading: Reading, phases: list[tuple[Phase, Node]]) -> None:
    seen: dict[int, str] = {}
    for phase, node in phases:
        if phase.order in seen:
            message = f"{phase.order} is the order of {seen[phase.order]} too: each phase has its own"
            reading.wrong(node, f"phases.{phase.name}.order", message)
        seen[phase.order] = phase.name


def _check_variants(
    reading: Reading, variants: Mapping[str, list[tuple[str, Node]]], phases: list[tuple[Phase, Node]]
) -> None:
    orders = {phase.name: phase.order for phase, _ in phases}
    for name, words in variants.items():
        last = -1
        for word, node in words:
            if word not in orders:
                reading.wrong(node, f"variants.{name}", f"no phase named {word!r} (have: {', '.join(orders)})")
            elif orders[word] <= last:
                reading.wrong(node, f"variants.{name}", f"{word} is out of order: phases go forward, each once")
            else:
                last = orders[word]
