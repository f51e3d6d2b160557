"""Which files a session worked on, read from the end of the client's own transcript."""

import stat
from pathlib import Path
from typing import NamedTuple

import orjson

from state.journal import tail

TAIL_BYTES = 1 << 20
_PATHS = {
    "Read": "file_path",
    "Edit": "file_path",
    "MultiEdit": "file_path",
    "Write": "file_path",
    "NotebookEdit": "notebook_path",
}


class Touch(NamedTuple):
    file: str
    tool: str
    timestamp: str

    @property
    def is_edit(self) -> bool:
        return self.tool != "Read"


def touches(path: str, root: str) -> list[Touch] | None:
    """Oldest first, files of the project relative to it; None when there is no transcript to read."""
    if not is_regular(path):
        return None
    return [touch for line in tail(path, TAIL_BYTES) if b'"tool_use"' in line for touch in _of_line(line, root)]


def _of_line(line: bytes, root: str) -> list[Touch]:
    try:
        entry = orjson.loads(line)
        blocks = [block for block in entry["message"]["content"] if block["type"] == "tool_use"]
        used = [(block["name"], block["input"], str(entry.get("timestamp", ""))) for block in blocks]
        found = [(name, given[_PATHS[name]], at) for name, given, at in used if name in _PATHS]
        return [Touch(path.removeprefix(root.rstrip("/") + "/"), name, at) for name, path, at in found]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return []  # the client's own format, which changes between its versions


def text_of(entry: dict[str, object]) -> str:
    """What a line of the user's or of a model's says."""
    message = entry.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, str):
        return content
    blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    return "\n".join(str(block["text"]) for block in blocks if block.get("type") == "text" and "text" in block)


def is_regular(path: str) -> bool:
    """Opening a pipe would wait for its other end."""
    try:
        return stat.S_ISREG(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return False
