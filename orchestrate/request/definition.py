"""Which model an agent's definition names, as far as the hot path needs to know: the head of one file."""

import posix

from orchestrate.request.call import Call

HEAD = 4096
_NAME = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"


def model_of(agent: str, call: Call) -> str | None:
    """Empty: the definition names none. None: no definition of that name was found, as of a plugin's agents."""
    if not agent or agent.encode("utf-8", "replace").translate(None, _NAME):
        return None
    for folder in _folders(call):
        head = _head(f"{folder}/agents/{agent}.md")
        if head is not None:
            return _model(head)
    return None


def _folders(call: Call) -> list[str]:
    own = call.env.get("CLAUDE_CONFIG_DIR") or f"{call.env.get('HOME', '')}/.claude"
    return [f"{call.place.root}/.claude", own]


def _head(path: str) -> bytes | None:
    try:
        fd = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NONBLOCK)
    except OSError:
        return None
    try:
        return posix.read(fd, HEAD)
    except OSError:
        return None
    finally:
        posix.close(fd)


def _model(head: bytes) -> str:
    lines = head.split(b"\n")
    if lines[0].strip() != b"---":
        return ""
    for line in lines[1:]:
        if line.strip() == b"---":
            break
        name, _, value = line.partition(b":")
        if name.strip() == b"model":
            named = value.partition(b"#")[0].strip().strip(b"\"'").decode("utf-8", "replace")
            return "" if named == "inherit" else named
    return ""
