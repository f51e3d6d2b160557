"""Templates of commit messages: `{name}` stands for a value, and nothing else does."""

import re
from collections.abc import Mapping

PLACEHOLDERS = ("sprint_code", "task_code", "task_title", "phase")
_PLACE = re.compile(r"\(\{(\w+)\}\)|\[\{(\w+)\}\]|\{(\w+)\}")


def wrong(template: str) -> str | None:
    """What is wrong with it, in the words of the settings' complaints."""
    if not template.strip():
        return "expected some text"
    unknown = [name for name in re.findall(r"\{([^{}]*)\}", template) if name not in PLACEHOLDERS]
    if unknown:
        return f"no placeholder named {unknown[0]!r} (have: {', '.join(PLACEHOLDERS)})"
    if set("{}") & set(re.sub(r"\{\w+\}", "", template)):
        return "a brace stands alone: a placeholder reads {task_code}"
    return None


def expand(template: str, values: Mapping[str, str]) -> str:
    """What a value says is never expanded again; brackets around a value that is empty go with it."""
    return _PLACE.sub(lambda found: _value(found, values), template)


def _value(found: re.Match[str], values: Mapping[str, str]) -> str:
    if found[3]:
        return values[found[3]]
    value = values[found[1] or found[2]]
    return f"{found[0][0]}{value}{found[0][-1]}" if value else ""
