"""Edits of a JSON text that leave every other byte as it is: what lies where, append, replace, remove."""

import json
import re
from typing import NamedTuple

_SPACE = re.compile(r"[ \t\r\n]*")
_MARGIN = re.compile(r"[ \t]*")


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON value")


# The grammar stays the standard library's; only the positions are ours.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


class Item(NamedTuple):
    """A member of an object or an element of an array: text[start:end], its value from `at`."""

    key: str | None
    start: int
    at: int
    end: int


class Style(NamedTuple):
    newline: str
    unit: str
    is_one_line: bool
    separators: tuple[str, str]


def decode(text: str) -> object:
    """ValueError or RecursionError where the text is not one JSON value."""
    return _DECODER.decode(text.removeprefix("\ufeff"))


def value(text: str, at: int) -> object:
    return _DECODER.raw_decode(text, at)[0]


def root(text: str) -> int:
    return _skip(text, 1 if text.startswith("\ufeff") else 0)


def items(text: str, container: int) -> tuple[list[Item], int]:
    """What the object or array at `container` of a valid text holds, and where its closing bracket is."""
    closing = "}" if text[container] == "{" else "]"
    found = []
    at = _skip(text, container + 1)
    while text[at] != closing:
        start, key = at, None
        if closing == "}":
            key, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        end = _DECODER.raw_decode(text, at)[1]
        found.append(Item(key, start, at, end))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found, at


def member(text: str, container: int, key: str) -> Item | None:
    """The last member of that name: the one that every reader takes when a name is there twice."""
    return next((item for item in reversed(items(text, container)[0]) if item.key == key), None)


def append(text: str, container: int, new: object, key: str | None = None) -> str:
    style = style_of(text)
    held, close = items(text, container)
    name = "" if key is None else json.dumps(key, ensure_ascii=False) + style.separators[1]
    if not held:
        return _fill(text, container, close, name, new, style)
    lead = text[container + 1 : held[0].start]
    if "\n" in lead or "\r" in lead:
        indent = _margin(text, held[0].start)
        added = "," + style.newline + indent + name + _rendered(new, indent, style)
    else:
        added = style.separators[0] + name + json.dumps(new, ensure_ascii=False, separators=style.separators)
    return text[: held[-1].end] + added + text[held[-1].end :]


def replace(text: str, item: Item, new: object) -> str:
    style = style_of(text)
    if style.is_one_line:
        body = json.dumps(new, ensure_ascii=False, separators=style.separators)
    else:
        body = _rendered(new, _margin(text, item.start), style)
    return text[: item.at] + body + text[item.end :]


def remove(text: str, container: int, index: int) -> str:
    held, close = items(text, container)
    if len(held) == 1:
        start, end = container + 1, close
    elif index + 1 < len(held):
        start, end = held[index].start, held[index + 1].start
    else:
        start, end = held[index - 1].end, held[index].end
    return text[:start] + text[end:]


def style_of(text: str) -> Style:
    """How the file is written, read off its outermost object; an empty one tells nothing and gets two spaces."""
    newline = "\r\n" if "\r\n" in text else "\n" if "\n" in text or "\r" not in text else "\r"
    start = root(text)
    held, _ = items(text, start)
    if not held:
        return Style(newline, "  ", False, (", ", ": "))
    first = held[0]
    is_tight = ": " not in text[first.start : first.at + 1]
    lead = text[start + 1 : first.start]
    is_one_line = "\n" not in lead and "\r" not in lead
    unit = _margin(text, first.start).removeprefix(_margin(text, start))
    return Style(newline, unit, is_one_line, (",", ":") if is_one_line and is_tight else (", ", ": "))


def _fill(text: str, container: int, close: int, name: str, new: object, style: Style) -> str:
    if style.is_one_line:
        body = name + json.dumps(new, ensure_ascii=False, separators=style.separators)
    else:
        margin = _margin(text, container)
        indent = margin + style.unit
        body = style.newline + indent + name + _rendered(new, indent, style) + style.newline + margin
    return text[: container + 1] + body + text[close:]


def _rendered(new: object, indent: str, style: Style) -> str:
    lines = json.dumps(new, ensure_ascii=False, indent=style.unit).split("\n")
    return (style.newline + indent).join(lines)


def _margin(text: str, at: int) -> str:
    """The white space that the line of `at` begins with."""
    line = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
    found = _MARGIN.match(text, line)
    return found.group() if found else ""


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
