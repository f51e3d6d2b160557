"""The keys of a workflow file, each with what reads it."""

import keyword
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import yaml

from orchestrate.workflow import conditions, values
from orchestrate.workflow.spec import FALLBACK, KINDS, ON_ERROR, Input, Value
from state import command_line
from state.errors import UserError
from state.reading import Node, Reading, Taker, clipped, flag, items, line
from state.yaml_nodes import NULL

PROMPT_MOST = 64 * 1024
TEXT_MOST = 1000
WORDS_MOST = 200  # of a command, of a list of steps or items
AUTO = "auto"
ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
_NAME = re.compile(values.NAME)
_TITLE = re.compile(r"[^\x00-\x1f\x7f/\\]{1,100}")
_AGENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_FILE = re.compile(r"[^\x00-\x1f\x7f\\]{1,200}")
_TIME = re.compile(r"(\d{1,7}(?:\.\d{1,3})?)\s*(s|m|h|)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
_RESERVED = {values.ITEM, *conditions.CALLS, *conditions.CONSTANTS}


class Given(NamedTuple):
    """One step or template as it was written."""

    keys: dict[str, Any]  # Any: each key's own kind
    line: int
    at: str  # its place in the file: steps[3]


class Include(NamedTuple):
    file: str
    line: int
    key: str


class Part(NamedTuple):
    """What one file says."""

    name: str
    description: str
    inputs: tuple[Input, ...]
    is_declared: bool
    defaults: dict[str, Any]  # Any: as in Given
    include: list[Include]
    templates: dict[str, Given]
    steps: list[Given]


def part(reading: Reading, root: Node | None) -> Part:
    given = reading.group(root, "", {"workflow": _workflow}) if root is not None else {}
    if "workflow" not in given and not reading.problems:
        reading.wrong_at(1, "workflow", "missing: give workflow: with name and steps")
    told = given.get("workflow") or {}
    return Part(
        told.get("name", ""),
        told.get("description", ""),
        told.get("inputs", ()),
        "inputs" in told,
        told.get("defaults", {}),
        told.get("include", []),
        told.get("templates", {}),
        told.get("steps", []),
    )


def _workflow(reading: Reading, node: Node, key: str) -> dict[str, Any]:  # Any: as in Given
    return reading.group(node, key, WORKFLOW)


def _text(most: int) -> Taker:
    def take(reading: Reading, node: Node, key: str) -> str:
        if not isinstance(node, yaml.ScalarNode):
            reading.wrong(node, key, "expected text")
            return ""
        if len(node.value) > most:
            reading.wrong(node, key, f"longer than {most:,} characters: hand it over as a file")
            return ""
        return str(node.value)

    return take


def _like(pattern: re.Pattern[str], expected: str) -> Taker:
    def take(reading: Reading, node: Node, key: str) -> str:
        text = str(node.value) if isinstance(node, yaml.ScalarNode) else ""
        if not pattern.fullmatch(text):
            got = f", got {clipped(text, 60)!r}" if text else ""
            reading.wrong(node, key, f"expected {expected}{got}")
            return ""
        return text

    return take


def _one_of(words: tuple[str, ...]) -> Taker:
    def take(reading: Reading, node: Node, key: str) -> str:
        text = str(node.value) if isinstance(node, yaml.ScalarNode) else ""
        if text not in words:
            reading.wrong(node, key, f"expected {' or '.join(words)}, got {clipped(text, 40)!r}")
            return words[0]
        return text

    return take


def _many(one: Taker, expected: str) -> Taker:
    def take(reading: Reading, node: Node, key: str) -> tuple[str, ...]:
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if len(nodes) > WORDS_MOST:
            reading.wrong(node, key, f"expected at most {WORDS_MOST} {expected}")
            return ()
        return tuple(one(reading, item, key) for item in nodes)

    return take


def _name(reading: Reading, node: Node, key: str) -> str:
    text = str(node.value) if isinstance(node, yaml.ScalarNode) else ""
    if not _NAME.fullmatch(text):
        message = f"expected a name of letters, digits and underscores, got {clipped(text, 40)!r}"
        reading.wrong(node, key, message)
        return ""
    if text in _RESERVED or keyword.iskeyword(text):
        reading.wrong(node, key, f"{text} has a meaning of its own: take another name")
        return ""
    return text


def _template(reading: Reading, node: Node, key: str) -> str:
    """Text with values in it."""
    text = str(_text(PROMPT_MOST)(reading, node, key))
    try:
        values.names(text)
    except UserError as error:
        reading.wrong(node, key, str(error))
    return text


def _condition(reading: Reading, node: Node, key: str) -> str:
    text = str(_text(conditions.CHARACTERS_MOST)(reading, node, key)).strip()
    try:
        if text:
            conditions.parse(text)
    except UserError as error:
        reading.wrong(node, key, str(error))
        return ""
    return text


def _command(reading: Reading, node: Node, key: str) -> tuple[str, ...]:
    """`make test` or [make, test]; no shell."""
    if isinstance(node, yaml.SequenceNode):
        words = [word for word, _ in items(reading, node, key)]
    else:
        try:
            words = command_line.words(str(_text(PROMPT_MOST)(reading, node, key)))
        except ValueError as error:
            reading.wrong(node, key, str(error))
            return ()
    problem = _command_problem(words)
    if problem:
        reading.wrong(node, key, problem)
    return tuple(words)


def _command_problem(words: list[str]) -> str:
    if not words or not words[0].strip() or len(words) > WORDS_MOST or any("\0" in word for word in words):
        return 'expected a command, as "make test" or [make, test]'
    try:
        if values.names(words[0]):
            return "a program is not named by a value: values are its arguments"
        for word in words[1:]:
            values.names(word)
    except UserError as error:
        return str(error)
    return ""


def _foreach(reading: Reading, node: Node, key: str) -> str | tuple[str, ...]:
    if isinstance(node, yaml.SequenceNode):
        taken: tuple[str, ...] = _many(_template, "items")(reading, node, key)
        if not node.value:  # without items it would be a step without foreach
            reading.wrong(node, key, "expected at least one item")
        return taken
    text = str(node.value) if isinstance(node, yaml.ScalarNode) else ""
    bare = text[1:-1] if text[:1] == "{" and text[-1:] == "}" else text
    if not _NAME.fullmatch(bare):
        reading.wrong(node, key, "expected a list, or the name of a value that is one")
        return ""
    return bare


def _number(low: float, high: float, is_whole: bool) -> Taker:
    def take(reading: Reading, node: Node, key: str) -> float:
        try:
            found = float(node.value) if isinstance(node, yaml.ScalarNode) else low - 1
        except ValueError:
            found = low - 1
        if not low <= found <= high or (is_whole and found != int(found)):
            reading.wrong(node, key, f"expected a {'whole ' if is_whole else ''}number from {low:g} to {high:g}")
            return low
        return int(found) if is_whole else found

    return take


def _timeout(reading: Reading, node: Node, key: str) -> float | None:
    found = _TIME.fullmatch(node.value.strip()) if isinstance(node, yaml.ScalarNode) else None
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0
    if not 1 <= seconds <= 7 * 24 * 3600:
        reading.wrong(node, key, "expected a time from 1s to 168h, as 90s, 15m or 2h")
        return None
    return seconds


def _with(reading: Reading, node: Node, key: str) -> dict[str, str]:
    return {name: _template(reading, value, f"{key}.{name}") for name, (_, value) in reading.members(node, key).items()}


_KEYS: Mapping[str, Taker] = {
    "agent": _like(_AGENT, "an agent's name"),
    "route": _one_of((AUTO,)),
    "retry": _number(0, 10, True),
    "timeout": _timeout,
    "on_error": _one_of(ON_ERROR),
    "budget": _number(0.01, 10_000, False),
    "worktree": flag,
    "repo": _like(_FILE, "a folder"),
}
_TEMPLATE: Mapping[str, Taker] = {
    **_KEYS,
    "command": _command,
    "gate": _condition,
    "workflow": _like(_FILE, "a workflow's name or file"),
    "with": _with,
    "prompt": _template,
    "when": _condition,
    "foreach": _foreach,
    "output": _name,
    "depends_on": _many(_like(ID, "the id of a step"), "steps"),
    "fallback": _like(ID, "the id of a step"),
}
STEP: Mapping[str, Taker] = {
    "id": _like(ID, "1 to 64 letters, digits, dashes and underscores"),
    "template": _like(ID, "a template's name"),
    **_TEMPLATE,
}


def _steps(reading: Reading, node: Node, key: str) -> list[Given]:
    if not isinstance(node, yaml.SequenceNode):
        reading.wrong(node, key, "expected a list of steps")
        return []
    return [_step(reading, item, number) for number, item in enumerate(node.value)]


def _step(reading: Reading, node: Node, number: int) -> Given:
    """Named by its id in what is told of it, where it has one."""
    at = f"steps[{number}]"
    if isinstance(node, yaml.MappingNode):
        ids = [value.value for name, value in node.value if name.value == "id" and isinstance(value, yaml.ScalarNode)]
        at = f"steps.{ids[0]}" if ids and ID.fullmatch(ids[0]) else at
    return Given(reading.group(node, at, STEP), line(node), at)


def _templates(reading: Reading, node: Node, key: str) -> dict[str, Given]:
    return {
        clipped(name): Given(reading.group(value, f"templates.{clipped(name)}", _TEMPLATE), line(at), "")
        for name, (at, value) in reading.members(node, key).items()
    }


def _defaults(reading: Reading, node: Node, key: str) -> dict[str, Any]:  # Any: as in Given
    given = reading.group(node, "defaults", _KEYS)
    if given.get("on_error") == FALLBACK:
        reading.wrong(node, "defaults.on_error", "a fallback is a step's own: give it there")
    return given


def _include(reading: Reading, node: Node, key: str) -> list[Include]:
    nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
    take = _like(_FILE, "a file's name")
    return [Include(str(take(reading, item, "include")), line(item), "include") for item in nodes[:WORDS_MOST]]


def _inputs(reading: Reading, node: Node, key: str) -> tuple[Input, ...]:
    if isinstance(node, yaml.SequenceNode):
        return tuple(Input(name, line=line(item)) for item in node.value if (name := _name(reading, item, "inputs")))
    found = []
    for name, (at, value) in reading.members(node, "inputs").items():
        if _name(reading, at, f"inputs.{clipped(name)}"):
            found.append(_input(reading, name, value, line(at)))
    return tuple(found)


def _input(reading: Reading, name: str, node: Node, number: int) -> Input:
    if not isinstance(node, yaml.MappingNode):
        default = value_of(node)
        return Input(name, default, required=default is None, line=number)
    takers: dict[str, Callable[[Reading, Node, str], object]] = {
        "default": lambda _reading, value, _key: value_of(value),
        "description": _text(TEXT_MOST),
        "required": flag,
    }
    given = reading.group(node, f"inputs.{name}", takers)
    return Input(
        name,
        given.get("default"),
        given.get("description", ""),
        given.get("required", "default" not in given),
        number,
    )


WORKFLOW: Mapping[str, Taker] = {
    "name": _like(_TITLE, "a name of up to 100 characters, without / and \\"),
    "description": _text(TEXT_MOST),
    "inputs": _inputs,
    "defaults": _defaults,
    "include": _include,
    "templates": _templates,
    "steps": _steps,
}


def value_of(node: Node) -> Value:
    """As JSON would have it; a word without quotes is a number, true, false or nothing where it reads like that."""
    if isinstance(node, yaml.SequenceNode):
        return [value_of(item) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        return {str(name.value): value_of(value) for name, value in node.value}
    if node.tag == NULL:
        return None
    is_quoted = isinstance(node, yaml.ScalarNode) and bool(node.style)
    return str(node.value) if is_quoted else _word(str(node.value))


def _word(word: str) -> Value:
    if word.lower() in ("true", "false"):
        return word.lower() == "true"
    if re.fullmatch(r"-?\d{1,15}", word):
        return int(word)
    return float(word) if re.fullmatch(r"-?\d{1,15}\.\d{1,15}", word) else word


def kinds(keys: Mapping[str, object]) -> list[str]:
    return [kind for kind in KINDS if kind in keys]
