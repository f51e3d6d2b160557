"""sinks.yaml: where events are sent to, read and validated; what is wrong with it is told with file, line and key."""

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import yaml

from state import config_file, files, trust
from state.errors import UserError
from state.paths import Place
from state.sinks_where import NAMES

ENV = "env:"
TEMPLATES = ("json", "slack", "discord")
SINKS_MOST = 50
_NULL = "tag:yaml.org,2002:null"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_GLOB = re.compile(r"[A-Za-z0-9*?._:-]{1,100}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_URL = re.compile(r"[\x21-\x7e]{1,2000}")
# What the sender says itself.
_OWN_HEADERS = ("host", "content-length", "content-type", "connection", "idempotency-key", "transfer-encoding")

Taker = Callable[[yaml.Node], Any]  # Any: each key's own kind


class Sink(NamedTuple):
    name: str
    events: tuple[str, ...]  # patterns of their types
    url: str | None  # or `env:NAME`
    command: tuple[str, ...] | None
    headers: Mapping[str, str]  # to the environment variable that holds the value
    template: str
    timeout_s: float
    retries: int
    path: str
    line: int


class _Wrong(Exception):
    """A value that is not as its key wants it; `_group` says where."""


class Loaded(NamedTuple):
    sinks: list[Sink]
    waiting: list[Sink]  # the repository's, until it is trusted


def load(place: Place, sha256: str) -> Loaded:
    """`sha256`: the digest of the project's own files, as trust remembers them."""
    own = _of(place.state)
    held = bool(own) and trust.is_repositorys_own(place) and not trust.is_trusted(place, sha256)
    users = _of(place.user) if place.user else []
    taken = [] if held else own
    named = {sink.name for sink in taken}
    return Loaded([*taken, *(sink for sink in users if sink.name not in named)], own if held else [])


def waiting(place: Place) -> list[str]:
    """The names of what trust would let in; a file that cannot be read wants nothing yet."""
    try:
        return [sink.name for sink in _of(place.state)] if trust.is_repositorys_own(place) else []
    except UserError:
        return []


def raws(folder: str) -> list[bytes]:
    """The files as trust remembers them, marked as what they are."""
    found = [(name, files.read(f"{folder}/{name}")) for name in NAMES]
    return [f"{name}\n".encode() + raw for name, raw in found if raw is not None]


def parse(path: str, raw: bytes) -> list[Sink]:
    root = config_file.compose(path, raw)
    if root is None:
        return []
    problems: list[str] = []
    nodes = _group(root, path, "", {"sinks": _sequence}, problems).get("sinks", [])
    sinks = [sink for at, node in enumerate(nodes) if (sink := _sink(node, path, f"sinks[{at}]", problems))]
    first: dict[str, Sink] = {}
    for sink in sinks:
        if sink.name in first:
            problems.append(
                f"{path}:{sink.line}: a second sink named {sink.name!r} (first on line {first[sink.name].line})"
            )
        first.setdefault(sink.name, sink)
    if len(nodes) > SINKS_MOST:
        problems.append(f"{path}:1: {len(nodes)} sinks: at most {SINKS_MOST} are taken")
    if problems:
        raise UserError("\n".join(problems))
    return sinks


def _of(folder: str) -> list[Sink]:
    """Of both files of a folder; of two sinks with one name the stronger file's."""
    found: dict[str, Sink] = {}
    for name in NAMES:
        raw = files.read(f"{folder}/{name}")
        for sink in parse(f"{folder}/{name}", raw) if raw is not None else []:
            found[sink.name] = sink
    return list(found.values())


def _sink(node: yaml.Node, path: str, at: str, problems: list[str]) -> Sink | None:
    before = len(problems)
    line = node.start_mark.line + 1
    given = _group(node, path, at, _TAKERS, problems)
    for key in ("name", "events"):
        if key not in given and len(problems) == before:
            problems.append(f"{path}:{line}: {at}: {key} is missing")
    if ("url" in given) == ("command" in given) and len(problems) == before:
        problems.append(f"{path}:{line}: {at}: give either url or command")
    if given.get("headers") and "command" in given and len(problems) == before:
        problems.append(f"{path}:{line}: {at}.headers: a command has none")
    if len(problems) > before:
        return None
    return Sink(
        name=given["name"],
        events=given["events"],
        url=given.get("url"),
        command=given.get("command"),
        headers=given.get("headers", {}),
        template=given.get("template", "json"),
        timeout_s=given.get("timeout", 10.0),
        retries=given.get("retries", 5),
        path=path,
        line=line,
    )


def _group(
    node: yaml.Node, path: str, at: str, takers: Mapping[str, Taker], problems: list[str]
) -> dict[str, Any]:  # Any: as of a Taker
    taken: dict[str, Any] = {}
    if not isinstance(node, yaml.MappingNode):
        problems.append(f"{path}:{node.start_mark.line + 1}: {at}: expected a group of keys")
        return taken
    for key_node, value in node.value:
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else "?"
        where = f"{path}:{key_node.start_mark.line + 1}: {at}{'.' if at else ''}{key}"
        if key not in takers:
            close = difflib.get_close_matches(key, takers, 1)
            problems.append(
                f"{where}: no such key ({f'did you mean {close[0]}?' if close else 'have: ' + ', '.join(takers)})"
            )
        elif key in taken:
            problems.append(f"{where}: is given twice")
        elif value.tag != _NULL:
            try:
                taken[key] = takers[key](value)
            except _Wrong as wrong:
                problems.append(f"{where}: {wrong}")
    return taken


def _sequence(node: yaml.Node) -> list[yaml.Node]:
    if not isinstance(node, yaml.SequenceNode):
        raise _Wrong("expected a list")
    return list(node.value)


def _scalar(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _Wrong("expected one value")
    return str(node.value)


def _like(pattern: re.Pattern[str], expected: str) -> Taker:
    def take(node: yaml.Node) -> str:
        text = _scalar(node)
        if not pattern.fullmatch(text):
            raise _Wrong(f"expected {expected}, got {text[:80]!r}")
        return text

    return take


def _list_of(taker: Taker, most: int) -> Taker:
    def take(node: yaml.Node) -> tuple[str, ...]:
        nodes = _sequence(node) if isinstance(node, yaml.SequenceNode) else [node]
        if not 0 < len(nodes) <= most:
            raise _Wrong(f"expected 1 to {most} entries")
        return tuple(taker(item) for item in nodes)

    return take


def _argv(node: yaml.Node) -> tuple[str, ...]:
    """A list: no shell reads it."""
    words = tuple(_scalar(item) for item in _sequence(node))
    if not words or not words[0].strip() or len(words) > 100 or any("\0" in word for word in words):
        raise _Wrong("expected a list: a program and its arguments")
    return words


def _url(node: yaml.Node) -> str:
    text = _scalar(node)
    if text.startswith(ENV):
        if not _VARIABLE.fullmatch(text.removeprefix(ENV)):
            raise _Wrong("expected env:NAME, the name of an environment variable")
        return text
    problem = url_problem(text)
    if problem:
        raise _Wrong(problem)
    return text


def url_problem(text: str) -> str | None:
    """What is wrong with a URL to send to; it is not quoted, since it may be a secret."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return "no valid URL"
    if not _URL.fullmatch(text) or parts.scheme not in ("http", "https") or not parts.hostname:
        return "expected an http:// or https:// URL, or env:NAME"
    if parts.username is not None or parts.password is not None:
        return "a user or password in a URL ends up in logs: use headers"
    return None


def _headers(node: yaml.Node) -> dict[str, str]:
    if not isinstance(node, yaml.MappingNode):
        raise _Wrong("expected a group: header: NAME_OF_A_VARIABLE")
    header = _like(_HEADER, "the name of a header")
    variable = _like(_VARIABLE, "the name of the environment variable that holds the value")
    found = {header(key): variable(value) for key, value in node.value}
    if own := [name for name in found if name.lower() in _OWN_HEADERS]:
        raise _Wrong(f"{own[0]} is set by the sender itself")
    return found


def _one_of(words: tuple[str, ...]) -> Taker:
    return _like(re.compile("|".join(words)), f"one of {', '.join(words)}")


def _number(low: float, high: float, kind: type[int] | type[float]) -> Taker:
    def take(node: yaml.Node) -> int | float:
        try:
            value = kind(_scalar(node))
        except ValueError:
            value = kind(low - 1)
        if not low <= value <= high:
            raise _Wrong(f"expected {'a whole number' if kind is int else 'a number'} from {low:g} to {high:g}")
        return value

    return take


_TAKERS: dict[str, Taker] = {
    "name": _like(_NAME, "1 to 64 letters, digits, dots, dashes and underscores"),
    "events": _list_of(_like(_GLOB, "a pattern of event types such as orchestration.phase.*"), 50),
    "url": _url,
    "command": _argv,
    "headers": _headers,
    "template": _one_of(TEMPLATES),
    "timeout": _number(0.1, 60, float),
    "retries": _number(0, 20, int),
}
