"""One key of a config file set or removed, with every comment and every other line left as it was.

The text is edited between the parser's own marks; where that would not give exactly the wanted keys (flow style, block
scalars, JSON), the file is written anew from its values.
"""

import orjson
import yaml

from state import config_file
from state.errors import UserError
from state.settings_model import nested
from state.snapshot import Value


def with_value(path: str, raw: bytes, key: str, value: Value) -> bytes:
    wanted = {**config_file.parse(path, raw).values, key: value}
    return _first_right(path, [*_set_in_place(path, raw, key, value), _rewritten(path, wanted)], wanted)


def without(path: str, raw: bytes, key: str) -> bytes:
    wanted = {name: value for name, value in config_file.parse(path, raw).values.items() if name != key}
    return _first_right(path, [*_cut_line(path, raw, key), _rewritten(path, wanted)], wanted)


def _first_right(path: str, drafts: list[str], wanted: dict[str, object]) -> bytes:
    """The first draft that reads back as exactly what is wanted."""
    for draft in drafts:
        try:
            found = config_file.parse(path, draft.encode()).values
        except UserError:
            continue
        if found == wanted:
            return draft.encode()
    raise UserError(f"{path}: cannot be edited by machine: change it by hand")


def _set_in_place(path: str, raw: bytes, key: str, value: Value) -> list[str]:
    if path.endswith(".json"):
        return []
    text = raw.decode("utf-8-sig")
    root = config_file.compose(path, raw)
    found = {name: node for name, _, node in config_file.entries(root) if not config_file.is_group(node)}
    if key in found:
        start, end = found[key].start_mark.index, found[key].end_mark.index
        gap = " " if text[start - 1 : start] == ":" else ""
        return [f"{text[:start]}{gap}{scalar(value)}{text[end:]}"]
    return [
        *_insert_in_group(text, root, key, value),
        _ended(text) + _lines(key, value),
        _ended(text) + _dotted(key, value),
    ]


def _insert_in_group(text: str, root: yaml.MappingNode | None, key: str, value: Value) -> list[str]:
    """Before the group's first child, indented like it."""
    group, _, name = key.rpartition(".")
    siblings = [node for other, node, _ in config_file.entries(root) if group and other.startswith(f"{group}.")]
    if not siblings:
        return []
    mark = siblings[0].start_mark
    return [f"{text[: mark.index]}{name}: {scalar(value)}\n{' ' * mark.column}{text[mark.index :]}"]


def _cut_line(path: str, raw: bytes, key: str) -> list[str]:
    if path.endswith(".json"):
        return []
    lines = raw.decode("utf-8-sig").splitlines(keepends=True)
    line = config_file.parse(path, raw).lines.get(key, 0)
    return ["".join(lines[: line - 1] + lines[line:])] if line else []


def _rewritten(path: str, values: dict[str, object]) -> str:
    if path.endswith(".json"):
        return orjson.dumps(nested(values), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
    return yaml.safe_dump(nested(values), sort_keys=False)


def scalar(value: Value) -> str:
    """YAML for one value; quoted where any reader could take it for something else than these words."""
    if isinstance(value, str) and not (value and value == yaml.safe_load(_guarded(value)) and value.isprintable()):
        return orjson.dumps(value).decode()
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _guarded(text: str) -> str:
    """`text` when it is plainly one word, else nothing that could equal it."""
    return text if text.replace("-", "").replace("_", "").replace("/", "").replace(".", "").isalnum() else ""


def _lines(key: str, value: Value) -> str:
    group, _, name = key.rpartition(".")
    return f"{group}:\n  {name}: {scalar(value)}\n" if group else _dotted(key, value)


def _dotted(key: str, value: Value) -> str:
    return f"{key}: {scalar(value)}\n"


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"
