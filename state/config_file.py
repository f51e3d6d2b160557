"""One config.yaml or config.json as flat dotted keys, each with the line it stands on."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import orjson
import yaml

from state import files, yaml_nodes
from state.errors import UserError
from state.yaml_nodes import Bounds

BOUNDS = Bounds(size_bytes=256 * 1024, nodes=100_000, depth=100)


class ConfigFile(NamedTuple):
    path: str
    raw: bytes
    values: dict[str, object]
    lines: dict[str, int]


class _Loader(yaml.SafeLoader):
    """`off` and `yes` are words and 23:00 is no number, as in YAML 1.2."""


_DROPPED = tuple(f"tag:yaml.org,2002:{name}" for name in ("bool", "merge", "int", "float"))
_Loader.yaml_implicit_resolvers = {
    first: [rule for rule in rules if rule[0] not in _DROPPED]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_DIGITS = list("-+.0123456789")
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?$"),
    _DIGITS,
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile("^[-+]?(?:0|[1-9][0-9]*)$"), _DIGITS)
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$", re.IGNORECASE), list("tTfF"))


def read(path: str) -> ConfigFile | None:
    raw = files.read(path)
    return None if raw is None else parse(path, raw)


def parse(path: str, raw: bytes) -> ConfigFile:
    values: dict[str, object] = {}
    seen: dict[str, int] = {}
    lines: dict[str, int] = {}
    loader = _Loader("")
    for key, key_node, value_node in entries(compose(path, raw)):
        line = key_node.start_mark.line + 1
        if key in seen:
            raise UserError(f"{path}:{line}: {key} is given twice (first on line {seen[key]})")
        seen[key] = line
        if is_group(value_node):
            continue
        lines[key] = line
        value = loader.construct_object(value_node, deep=True)
        if value is not None:
            values[key] = value
    return ConfigFile(path, raw, values, lines)


def is_group(node: yaml.Node) -> bool:
    return isinstance(node, yaml.MappingNode) and bool(node.value)


def compose(path: str, raw: bytes) -> yaml.MappingNode | None:
    """The root of the file's YAML; None when it holds nothing but comments."""
    resolver = _Loader("")
    text = decoded(path, raw, BOUNDS.size_bytes)
    return mapping(path, yaml_nodes.compose(path, text, BOUNDS, lambda word: _tag(resolver, word)))


def mapping(path: str, node: yaml.Node | None) -> yaml.MappingNode | None:
    if node is None or isinstance(node, yaml.MappingNode):
        return node
    if node.tag == yaml_nodes.NULL:
        return None
    raise UserError(f"{path}:{node.start_mark.line + 1}: expected `key: value` lines")


def _tag(resolver: yaml.SafeLoader, word: str) -> str:
    return str(resolver.resolve(yaml.ScalarNode, word, (True, False)))  # type: ignore[no-untyped-call]  # not in the stubs


def entries(node: yaml.Node | None, prefix: str = "") -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    """(dotted key, key node, value node) of every group and every leaf; an empty group is a leaf without a value."""
    for key_node, value_node in node.value if node else ():
        key = f"{prefix}{key_node.value if isinstance(key_node, yaml.ScalarNode) else '?'}"
        yield key, key_node, value_node
        if is_group(value_node):
            yield from entries(value_node, key + ".")


def decoded(path: str, raw: bytes, limit_bytes: int) -> str:
    """A file's YAML; of a .json file, its JSON as YAML."""
    if len(raw) > limit_bytes:
        raise UserError(f"{path}: larger than {limit_bytes} bytes: this is no configuration")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}:{line}: not UTF-8") from None
    return _json_as_yaml(path, text) if path.endswith(".json") else text


def _json_as_yaml(path: str, text: str) -> str:
    """JSON is YAML but for its tabs, which valid JSON has between tokens only."""
    try:
        orjson.loads(text or "{}")
    except orjson.JSONDecodeError as error:
        raise UserError(f"{path}:{error.lineno}: not valid JSON: {error.msg}") from None
    return text.replace("\t", " ")
