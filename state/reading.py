"""One YAML file read by a table of its keys: each mistake is told with file, line and key, all of them at once."""

import difflib
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

import yaml

from state.yaml_nodes import NULL

Node = yaml.Node
Taker = Callable[["Reading", Node, str], Any]  # Any: each key's own kind
TOLD_MOST = 100
HINTS_MOST = 20  # a suggestion is dear: it compares with every name there is
NAMES_MOST = 1000


class Problem(NamedTuple):
    path: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.key}: {self.message}" if self.key else self.where_and_what

    @property
    def where_and_what(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


class Reading:
    """One file being read, and what is found wrong with it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.untold = 0

    def wrong(self, node: Node, key: str, message: str) -> None:
        self.wrong_at(line(node), key, message)

    def wrong_at(self, number: int, key: str, message: str) -> None:
        if len(self.problems) < TOLD_MOST:
            self.problems.append(Problem(self.path, number, key, message))
        else:
            self.untold += 1

    def told(self) -> list[str]:
        more = [f"{self.path}: and {self.untold} mistakes more"] if self.untold else []
        return [*map(str, sorted(self.problems)), *more]

    def hint(self, name: str, names: Collection[str]) -> str:
        """(did you mean that one?), or which there are."""
        if len(self.problems) > HINTS_MOST:
            return ""
        close = difflib.get_close_matches(name, names, 1) if len(names) <= NAMES_MOST else []
        if close:
            return f" (did you mean {close[0]}?)"
        few = list(names)[:HINTS_MOST]
        return f" (have: {', '.join(few)}{', …' if len(few) < len(names) else ''})" if few else ""

    def members(self, node: Node, key: str) -> dict[str, tuple[Node, Node]]:
        """The key node and the value node of every member."""
        if node.tag == NULL:
            return {}
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, key, "expected a group of keys")
            return {}
        found: dict[str, tuple[Node, Node]] = {}
        for name_node, value in node.value:
            name = name_node.value if isinstance(name_node, yaml.ScalarNode) else "?"
            if name in found:
                self.wrong(name_node, under(key, name), f"is given twice (first on line {line(found[name][0])})")
            found[name] = (name_node, value)
        return found

    def group(self, node: Node, key: str, takers: Mapping[str, Taker]) -> dict[str, Any]:  # Any: as of a Taker
        """The members by their takers; one left empty is not set."""
        taken = {}
        for name, (name_node, value) in self.members(node, key).items():
            if name not in takers:
                self.wrong(name_node, under(key, name), f"no such key{self.hint(name, takers)}")
            elif value.tag != NULL:
                taken[name] = takers[name](self, value, under(key, name))
        return taken


def line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def clipped(text: str, most: int = 80) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def under(key: str, name: str) -> str:
    return f"{key}.{clipped(name)}" if key else clipped(name)


def flag(reading: Reading, node: Node, key: str) -> bool:
    word = node.value.lower() if isinstance(node, yaml.ScalarNode) else ""
    if word not in ("true", "false"):
        reading.wrong(node, key, "expected true or false")
    return bool(word == "true")


def items(reading: Reading, node: Node, key: str) -> list[tuple[str, Node]]:
    """A list of words, or one word."""
    nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
    if not all(isinstance(item, yaml.ScalarNode) for item in nodes):
        reading.wrong(node, key, "expected a list of words")
        return []
    return [(item.value, item) for item in nodes]
