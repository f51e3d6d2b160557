"""The text of a YAML document as nodes with their lines, bounded in size and depth, whatever it was made to do.

Built from the events without recursion: depth costs no stack, and a document is left at the first node too many.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import yaml

from state.errors import UserError

NULL = "tag:yaml.org,2002:null"
_STR = "tag:yaml.org,2002:str"
_NOTHING = ("", "~", "null", "Null", "NULL")

Resolve = Callable[[str], str]
_Parser = Any  # the stubs know two kinds, of C and of Python
_Event = Any  # the same


class Bounds(NamedTuple):
    size_bytes: int
    nodes: int
    depth: int
    in_c: bool = False  # libyaml, where it is there: ten times as fast, in words of its own for what is not YAML


def compose(path: str, text: str, bounds: Bounds, resolve: Resolve | None = None) -> yaml.Node | None:
    """The root; None when there is nothing but comments. `resolve`: the tag of a plain word."""
    building = _Building(path, bounds, resolve or _plain)
    try:
        parser = _parser(text, bounds)
        while building.is_open and parser.check_event():
            building.take(parser.get_event())
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UserError(f"{path}:{line}: not valid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML: {str(error).splitlines()[0]}") from None
    return building.root


@contextmanager
def uncollected() -> Iterator[None]:
    """While very many nodes are made, all of which are kept, looking for garbage among them takes most of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _plain(word: str) -> str:
    return NULL if word in _NOTHING else _STR


def _parser(text: str, bounds: Bounds) -> _Parser:
    if bounds.in_c and yaml.__with_libyaml__:
        return yaml.CSafeLoader(text)
    return yaml.SafeLoader(text)


class _Building:
    """The nodes so far: the collections that are still open, innermost last."""

    def __init__(self, path: str, bounds: Bounds, resolve: Resolve) -> None:
        self.path = path
        self.bounds = bounds
        self.resolve = resolve
        self.root: yaml.Node | None = None
        self.is_open = True
        self._open: list[yaml.CollectionNode] = []
        self._keys: list[yaml.Node | None] = []  # of each open mapping, the key that waits for its value
        self._count = 0

    def take(self, event: _Event) -> None:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._add(event, self._scalar(event))
        elif kind is yaml.MappingStartEvent:
            self._begin(event, yaml.MappingNode)
        elif kind is yaml.SequenceStartEvent:
            self._begin(event, yaml.SequenceNode)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._open.pop().end_mark = event.end_mark
            self._keys.pop()
        elif kind is yaml.AliasEvent:
            raise self._wrong(event, "not valid YAML: aliases are not supported")
        elif kind is yaml.DocumentStartEvent and self._count:
            raise self._wrong(event, "not valid YAML: but found another document")

    def _scalar(self, event: _Event) -> yaml.ScalarNode:
        if event.tag is not None and event.tag != "!":
            tag = event.tag
        else:
            tag = self.resolve(event.value) if event.implicit[0] else _STR
        return yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark, style=event.style)

    def _begin(self, event: _Event, kind: type[yaml.CollectionNode]) -> None:
        tag = event.tag or f"tag:yaml.org,2002:{'map' if kind is yaml.MappingNode else 'seq'}"
        node = kind(tag, [], event.start_mark, None, flow_style=event.flow_style)
        self._add(event, node)
        self._open.append(node)
        self._keys.append(None)
        if len(self._open) > self.bounds.depth:
            raise self._wrong(event, f"nested too deeply: more than {self.bounds.depth} levels")

    def _add(self, event: _Event, node: yaml.Node) -> None:
        self._count += 1
        if self._count > self.bounds.nodes:
            raise self._wrong(event, f"more than {self.bounds.nodes:,} entries")
        if not self._open:
            self.root = node
        elif isinstance(self._open[-1], yaml.SequenceNode):
            self._open[-1].value.append(node)
        elif self._keys[-1] is None:
            self._keys[-1] = node
        else:
            self._open[-1].value.append((self._keys[-1], node))
            self._keys[-1] = None

    def _wrong(self, event: _Event, message: str) -> UserError:
        return UserError(f"{self.path}:{event.start_mark.line + 1}: {message}")
