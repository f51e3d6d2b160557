"""The settings written out for people: the table of the reference page and the template of a new project."""

from typing import Any

from state.redact import redact
from state.settings_model import KEYS, Settings, variable
from state.snapshot import DEFAULTS, Value


def schema() -> dict[str, Any]:  # Any: JSON Schema as pydantic makes it
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | Settings.model_json_schema()


def table() -> str:
    head = "| Key | Values | Default | Variable | Meaning |\n|---|---|---|---|---|\n"
    rows = (
        f"| `{key}` | {_values(key)} | `{shown(DEFAULTS[key])}` | `{variable(key)}` | {field.description} |\n"
        for key, field in KEYS.items()
    )
    return head + "".join(rows)


def template() -> str:
    """Every key in a comment: the file says what there is and sets nothing."""
    lines = [
        "# Settings of this project. Keys left out keep their default or come from ~/.orchestrator/config.yaml.",
        "# `orchestrate config show --effective` tells what holds and why; `orchestrate config reference` explains.",
    ]
    group = ""
    for key in KEYS:
        branch, _, name = key.rpartition(".")
        if branch != group and branch:
            lines.append(f"# {branch}:")
        group = branch
        lines.append(f"# {'  ' if branch else ''}{name}: {shown(DEFAULTS[key])}")
    return "\n".join(lines) + "\n"


def shown(value: Value) -> str:
    """As it would be written in YAML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(public(value))
    return f'"{text}"' if text == "" or ": " in text else text


def public(value: Value) -> Value:
    """Without a password: the URL of a database may hold one."""
    return redact(value) if isinstance(value, str) else value


def _values(key: str) -> str:
    found = _property(schema(), key)
    if "enum" in found:
        return ", ".join(f"`{shown(value)}`" for value in found["enum"])
    if found["type"] in ("integer", "number"):
        return f"{found['type']}, {found['minimum']} to {found['maximum']}"
    return "`true`, `false`" if found["type"] == "boolean" else "text"


def _property(schema: dict[str, Any], key: str) -> dict[str, Any]:
    """A key's own part of the schema, through the reference to its group."""
    node = schema
    for name in key.split("."):
        target = node.get("$ref", "").rpartition("/")[2]
        node = (schema["$defs"][target] if target else node)["properties"][name]
    return node
