"""Which agents there are: the project's, the user's, those that the package brings, and the client's own; the first of
a name wins.

Read as the client reads them (2.1.329): folders below and links included, in the order of their paths; a file without a
name or a description is no agent; `tools` left out means all tools, `tools` left empty means none.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from state.errors import NOT_FOUND, UserError
from state.paths import Place

PLUGIN = "orchestrate:"  # what the client puts before the names of our own, where they come as a plugin
PROJECT, USER, OURS, CLIENT = "project", "user", "ours", "client"
_FRONT = re.compile(r"---[ \t]*\r?\n(.*?\n)?---[ \t]*(?:\r?\n|\Z)", re.S)
_LINE = re.compile(r"([A-Za-z][\w-]*):[ \t]+([^\s\"'\[\]{}&*!|>%@`#,?:-].*?)\s*")
_PLAIN = re.compile(r"(?!(?i:true|false|yes|no|on|off|y|n|null)\Z)[A-Za-z](?!.*(?::\s|\s#|:\Z)).*")
_COMMA = re.compile(r",(?![^()]*\))")  # Read, Bash(git log:*, git show:*)


class Definition(NamedTuple):
    name: str
    description: str
    model: str | None
    tools: list[str] | None  # None: all that there are
    refused_tools: list[str] | None
    prompt: str
    source: str
    path: str

    def as_json(self) -> dict[str, object]:
        """As the client takes it with --agents; what else its file says, only the client knows."""
        told = {
            "description": self.description,
            "prompt": self.prompt,
            "model": self.model,
            "tools": self.tools,
            "disallowedTools": self.refused_tools,
        }
        return {key: value for key, value in told.items() if value is not None}


def _of_client(
    name: str, description: str, tools: list[str] | None = None, refused: list[str] | None = None
) -> Definition:
    return Definition(name, description, None, tools, refused, "", CLIENT, "")


# What `claude -p --agent NAME` takes without any file (2.1.329). Where a client knows one no more, it says so itself.
_READS_ALONE = ["Agent", "Edit", "Write"]
CLIENT_OWN = (
    _of_client("Explore", "Looks things up in the code, and changes nothing.", refused=_READS_ALONE),
    _of_client("Plan", "Plans how something is to be done, and changes nothing.", refused=_READS_ALONE),
    _of_client("claude", "The client as it is without an agent."),
    _of_client("general-purpose", "Searches, researches and works through tasks of several steps."),
    _of_client("statusline-setup", "Sets up the status line of the client.", tools=["Read", "Edit"]),
)


def known(place: Place, env: Mapping[str, str]) -> dict[str, Definition]:
    """By name."""
    found: dict[str, Definition] = {}
    for definition in _read(place, env, ""):
        found.setdefault(definition.name, definition)
    return dict(sorted(found.items()))


def find(place: Place, env: Mapping[str, str], name: str) -> Definition:
    bare = name.removeprefix(PLUGIN)
    for definition in _read(place, env, bare):
        if definition.name == bare and (bare == name or definition.source == OURS):
            return definition
    raise UserError(f"agent {name!r}: there is none{_near(name, known(place, env))}", NOT_FOUND)


def parse(raw: bytes, source: str, path: str) -> Definition | None:
    text = raw.decode("utf-8", "replace").removeprefix("\ufeff")
    front = _FRONT.match(text)
    fields = _fields(front[1] or "") if front else {}
    name, description, model = (fields.get(key) for key in ("name", "description", "model"))
    if front is None or not (isinstance(name, str) and name and isinstance(description, str) and description):
        return None
    return Definition(
        name,
        description.strip(),
        model if isinstance(model, str) and model and model != "inherit" else None,
        _words(fields, "tools"),
        _words(fields, "disallowedTools"),
        text[front.end() :].strip(),
        source,
        path,
    )


def folders(place: Place, env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The strongest first."""
    yield PROJECT, f"{place.root}/.claude/agents"
    user = env.get("CLAUDE_CONFIG_DIR") or (f"{env['HOME']}/.claude" if env.get("HOME") else "")
    if user:
        yield USER, f"{user}/agents"
    from orchestrate.install import shipped  # noqa: PLC0415  10 ms that who has installed the agents does not owe

    yield OURS, str(shipped.folder(shipped.here().home) / "agents")


def _read(place: Place, env: Mapping[str, str], having: str) -> Iterator[Definition]:
    """All definitions, the strongest first; those whose file does not have that text may be left out."""
    wanted = having.encode()
    for source, folder in folders(place, env):
        for path in sorted(_files(folder)):
            raw = _bytes(Path(path))
            definition = parse(raw, source, path) if wanted in raw else None
            if definition is not None:
                yield definition
    yield from CLIENT_OWN


def _files(folder: str) -> Iterator[str]:
    seen: set[tuple[int, int]] = set()
    for below, folders_below, names in os.walk(folder, followlinks=True):
        found = Path(below).stat()
        if (found.st_dev, found.st_ino) in seen:  # a link to a folder above
            folders_below.clear()
            continue
        seen.add((found.st_dev, found.st_ino))
        yield from (f"{below}/{name}" for name in names if name.endswith(".md"))


def _bytes(path: Path) -> bytes:
    """Nothing for what cannot be read: one bad file does not hide the rest."""
    try:
        return path.read_bytes() if path.is_file() else b""
    except OSError:
        return b""


def _fields(front: str) -> dict[str, object]:
    plain = _lines(front)
    if plain and all(_PLAIN.fullmatch(value) for value in plain.values()):
        return dict(plain)
    import yaml  # noqa: PLC0415  33 ms that plain lines do not owe

    try:
        found = yaml.safe_load(front)
    except (yaml.YAMLError, ValueError):
        return dict(plain)  # `description: Use this when: …` is no YAML, and common
    return found if isinstance(found, dict) else {}


def _lines(front: str) -> dict[str, str]:
    """Nothing unless all of it is lines of `key: value`."""
    found = [_LINE.fullmatch(line) for line in front.splitlines() if line.strip()]
    pairs = [(line[1], line[2]) for line in found if line]
    return dict(pairs) if len(pairs) == len(found) else {}


def _words(fields: Mapping[str, object], key: str) -> list[str] | None:
    value = fields.get(key)
    if key not in fields or value == "*":
        return None
    if isinstance(value, str):
        return [word for part in _COMMA.split(value) if (word := part.strip())]
    return [str(word) for word in value] if isinstance(value, list) else []


def _near(name: str, names: Mapping[str, Definition]) -> str:
    import difflib  # noqa: PLC0415  6 ms that only a wrong name owes

    bare = name.rpartition(":")[2]
    close = difflib.get_close_matches(bare, names, 3) or [known for known in names if bare and bare in known][:3]
    return f" (did you mean {' or '.join(close)}?)" if close else " (`orchestrate agents list` shows them)"
