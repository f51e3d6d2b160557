"""The command line and the environment of one agent. The prompt goes by stdin: `ps` shows neither it nor a secret."""

import os
from collections.abc import Mapping
from typing import NamedTuple

import orjson

# What a client tells its own children. An agent of ours is a session of its own, not a child of the caller's.
_OF_THE_CALLER = (
    "AI_AGENT",
    "CLAUDECODE",
    "CLAUDE_CODE_CHILD_NOTES_DIR",
    "CLAUDE_CODE_CHILD_SESSION",
    "CLAUDE_CODE_ENTRYPOINT",
    "CLAUDE_CODE_MESSAGING_SOCKET",
    "CLAUDE_CODE_MESSAGING_TOKEN",
    "CLAUDE_CODE_SESSION_ATTENDED",
    "CLAUDE_CODE_SESSION_ID",
    "CLAUDE_EFFORT",
    "CLAUDE_ENV_FILE",
    "CLAUDE_PID",
    "CLAUDE_PLUGIN_DATA",
    "CLAUDE_PLUGIN_ROOT",
    "CLAUDE_PROJECT_DIR",
)
DEPTH = "ORCHESTRATOR_DEPTH"


class Spec(NamedTuple):
    """One attempt. Zero and the empty string leave a thing to the client."""

    program: str
    model: str
    agent: str
    definition: Mapping[str, object] | None  # where the client does not know the agent by itself
    fallback_model: str
    max_turns: int
    max_budget_usd: float
    permission_mode: str
    client_session: str
    note: str  # appended to the system prompt
    request_timeout_s: float
    retries: int  # the client's own, within one request
    resumed: str = ""  # a session of the client's that goes on, with the hooks that its user gave it


def argv(spec: Spec) -> list[str]:
    words = [spec.program, "-p", "--output-format", "stream-json", "--verbose"]
    if not spec.resumed:
        # Hooks of ours must not route what we routed; custom agents stay listed, which --bare would not leave.
        words += ["--settings", '{"disableAllHooks":true}']
    for flag, value in (
        ("--model", spec.model),
        ("--agent", spec.agent),
        ("--fallback-model", spec.fallback_model),
        ("--max-turns", str(spec.max_turns or "")),
        ("--max-budget-usd", f"{spec.max_budget_usd:g}" if spec.max_budget_usd else ""),
        ("--permission-mode", spec.permission_mode),
        ("--session-id", spec.client_session),
        ("--resume", spec.resumed),
        ("--append-system-prompt", spec.note),
    ):
        if value:
            words += [flag, value]
    if spec.definition is not None:
        words += ["--agents", orjson.dumps({spec.agent: spec.definition}).decode()]
    return words


def environment(env: Mapping[str, str], spec: Spec, session: str, passed: Mapping[str, str]) -> dict[str, str]:
    """`passed`: the context for the agent and what it starts in turn."""
    ours = {
        DEPTH: str(depth(env) + 1),
        "ORCHESTRATOR_SESSION": session,
        "ORCHESTRATOR_SESSION_ID": session,
        "CLAUDE_CODE_MAX_RETRIES": env.get("CLAUDE_CODE_MAX_RETRIES") or str(spec.retries),
        "API_TIMEOUT_MS": str(int(spec.request_timeout_s * 1000)),
        "DISABLE_AUTOUPDATER": "1",
    }
    return {**{name: value for name, value in env.items() if name not in _OF_THE_CALLER}, **passed, **ours}


def depth(env: Mapping[str, str]) -> int:
    try:
        return int(env.get(DEPTH) or 0)
    except ValueError:
        return 1  # something is there: deep enough not to go on


def new_session() -> str:
    """A random UUID as the client wants it; the module for that costs 9 ms."""
    raw = bytearray(os.urandom(16))
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
