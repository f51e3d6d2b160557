"""`{name}` in a prompt or a command: what was given, what steps have made. What a value says is never filled again."""

import json
import re
from collections.abc import Mapping
from typing import NamedTuple

from orchestrate.workflow.spec import Step, Value, Workflow
from state.errors import USAGE, UserError

NAME = r"[A-Za-z_][A-Za-z0-9_]{0,63}"
ITEM = "item"
INLINE_MOST = 16_000  # characters of one value; a longer one is handed over as a file
ITEMS_MOST = 1000
_PLACE = re.compile(rf"\{{\{{|\}}\}}|\{{({NAME})\}}|[{{}}]")
_BRACES = {"{{": "{", "}}": "}"}


class File(NamedTuple):
    path: str
    text: str


class Filled(NamedTuple):
    text: str
    files: tuple[File, ...]  # the caller writes them before the text is used


def fill(template: str, values: Mapping[str, Value], folder: str = "", most: int = INLINE_MOST) -> Filled:
    """`folder`: where a value of more than `most` characters will lie; without one every value stands in the text."""
    files: dict[str, File] = {}

    def one(found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            return _BRACES.get(found[0]) or _alone(template, found.start())
        if name not in values:
            raise UserError(f"no value named {{{name}}}{_have(values)}")
        text = as_text(values[name])
        if not folder or len(text) <= most:
            return text
        files[name] = File(f"{folder}/{name}.txt", text)
        return f"[{name}: {len(text):,} characters, in the file {files[name].path}]"

    return Filled(_PLACE.sub(one, template), tuple(files.values()))


def argument(template: str, values: Mapping[str, Value], folder: str) -> Filled:
    """A word of a command: a value too long for one is the path of its file."""
    whole = re.fullmatch(rf"\{{({NAME})\}}", template)
    filled = fill(template, values, folder)
    if whole and filled.files:
        return filled._replace(text=filled.files[0].path)
    return filled


def names(template: str) -> list[str]:
    """The names a template uses; a UserError where a brace stands alone."""
    found = []
    for place in _PLACE.finditer(template):
        if place[1] is not None:
            found.append(place[1])
        elif place[0] not in _BRACES:
            _alone(template, place.start())
    return found


def as_text(value: Value) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def items(step: Step, values: Mapping[str, Value]) -> list[Value]:
    """What the step is done for: its own list, or a value that is a list, JSON of one, or lines of text."""
    if isinstance(step.foreach, tuple):
        return [fill(item, values).text for item in step.foreach]
    if step.foreach not in values:
        raise UserError(f"step {step.id}: foreach: no value named {step.foreach!r}{_have(values)}")
    found = _listed(values[step.foreach])
    if len(found) > ITEMS_MOST:
        raise UserError(f"step {step.id}: foreach: {len(found)} items: at most {ITEMS_MOST} are taken")
    return found


def given(workflow: Workflow, told: Mapping[str, str]) -> dict[str, Value]:
    """The inputs of a run: as told, else their defaults. A text becomes what the default is."""
    have = {one.name: one for one in workflow.inputs}
    unknown = [name for name in told if name not in have]
    missing = [one.name for one in workflow.inputs if one.required and one.name not in told]
    if unknown:
        raise UserError(f"{workflow.name}: no input named {unknown[0]!r}{_have(have)}", USAGE)
    if missing:
        raise UserError(f"{workflow.name}: no value for {', '.join(missing)}: give --var {missing[0]}=…", USAGE)
    return {name: _like(name, told[name], one.default) if name in told else one.default for name, one in have.items()}


def _listed(value: Value) -> list[Value]:
    if isinstance(value, list):
        return value
    text = as_text(value).strip()
    try:
        found = json.loads(text) if text.startswith("[") else None
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, list) else [line.strip() for line in text.splitlines() if line.strip()]


def _like(name: str, text: str, default: Value) -> Value:
    if default is None or isinstance(default, str):
        return text
    try:
        value: Value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    is_number = isinstance(default, int | float) and not isinstance(default, bool)
    kinds = (int, float) if is_number else (type(default),)
    if type(value) not in kinds:
        kind = "a number" if is_number else "true or false" if isinstance(default, bool) else "JSON"
        raise UserError(f"--var {name}: expected {kind} like its default {as_text(default)}", USAGE)
    return value


def _alone(template: str, at: int) -> str:
    near = " ".join(template[max(0, at - 15) : at + 15].split())
    raise UserError(f"a brace stands alone near {near!r}: a value reads {{name}}, a brace itself {{{{ or }}}}")


def _have(names: Mapping[str, object]) -> str:
    few = sorted(names)[:20]
    return f" (have: {', '.join(few)}{', …' if len(few) < len(names) else ''})" if few else " (there are none)"
