"""What Claude Code 2.1.329 sends to each handled hook, as captured from a `claude -p` run with one background agent."""

import json

SESSION = "9e401858-cd5a-4d55-ae9d-331d16fe93d0"
PROMPT = "Fix typo in README.md"
_AGENT: dict[str, object] = {"agent_id": "a1dce87482518de7b", "agent_type": "general-purpose"}
_ASKED = {
    "description": "do thing",
    "prompt": "CHILD: say child-ok",
    "subagent_type": "general-purpose",
    "model": "sonnet",
}
_LAUNCHED: dict[str, object] = {
    "isAsync": True,
    "status": "async_launched",
    "agentId": "a1dce87482518de7b",
    "description": "do thing",
    "resolvedModel": "claude-sonnet-5-5",
    "prompt": "CHILD: say child-ok",
    "canReadOutputFile": True,
    "canContinueAgent": True,
}
_SPAWN: dict[str, object] = {"tool_name": "Agent", "tool_input": _ASKED, "tool_use_id": "toolu_fake_00002_0"}
_EFFORT: dict[str, object] = {"effort": {"level": "medium"}}
_RUNNING = {
    "id": "a1dce87482518de7b",
    "type": "subagent",
    "status": "running",
    "description": "do thing",
    "agent_type": "general-purpose",
}
_NOTIFICATION = (
    "<task-notification>\n<task-id>a1dce87482518de7b</task-id>\n<tool-use-id>toolu_fake_00002_0</tool-use-id>\n"
    "<status>completed</status>\n<summary>Agent finished</summary>\n</task-notification>"
)
_OWN: dict[str, dict[str, object]] = {
    "SessionStart": {"source": "startup"},
    "UserPromptSubmit": {"prompt": PROMPT},
    "PreToolUse": {**_EFFORT, **_SPAWN},
    "SubagentStart": _AGENT,
    "PostToolUse": {**_EFFORT, **_SPAWN, "tool_response": _LAUNCHED, "duration_ms": 10},
    "SubagentStop": {
        **_EFFORT,
        **_AGENT,
        "stop_hook_active": False,
        "agent_transcript_path": "/nowhere/agent.jsonl",
        "last_assistant_message": "child-ok from claude-sonnet-5-5",
        "background_tasks": [_RUNNING],
        "session_crons": [],
    },
    "Stop": {
        **_EFFORT,
        "stop_hook_active": False,
        "last_assistant_message": "done claude-opus-5-5",
        "background_tasks": [],
        "session_crons": [],
    },
    "StopFailure": {"error": "rate_limit"},
    "SessionEnd": {"reason": "other"},
}
_NO_PROMPT = ("SessionStart",)
NOTIFICATION = "UserPromptSubmit (notification)"
# The calls of one prompt in the order that the client made them; StopFailure comes instead of Stop.
ONE_PROMPT = (
    "SessionStart",
    "UserPromptSubmit",
    "PreToolUse",
    "SubagentStart",
    "PostToolUse",
    "SubagentStop",
    NOTIFICATION,
    "Stop",
    "SessionEnd",
)
NAMES = (*ONE_PROMPT, "StopFailure")
EVENTS = tuple(_OWN)


def line(name: str, cwd: str, transcript: str, session: str = SESSION, prompt: str | None = None) -> bytes:
    """What stands on stdin of the hook `name` (one of NAMES)."""
    return json.dumps(fields(name, cwd, transcript, session, prompt)).encode() + b"\n"


def fields(
    name: str, cwd: str, transcript: str | None = None, session: str = SESSION, prompt: str | None = None
) -> dict[str, object]:
    event = name.partition(" ")[0]
    found: dict[str, object] = {
        "session_id": session,
        "transcript_path": transcript or f"{cwd}/{session}.jsonl",
        "cwd": cwd,
        "hook_event_name": event,
        **({} if event in _NO_PROMPT else {"prompt_id": "9cb158ba-4e0e-4d2e-9c21-b931a26e7113"}),
        "permission_mode": "default",
        **_OWN[event],
    }
    if name == NOTIFICATION:
        found["prompt"] = _NOTIFICATION
    if prompt is not None:
        found["prompt"] = prompt
    return found
