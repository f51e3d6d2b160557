"""What Claude Code 2.1.329 sends to a hook, one payload per handled event; how a test hands it over and reads logs."""

import json
import os

from orchestrate.entry import handle
from state import paths

SESSION = "9e401858-cd5a-4d55-ae9d-331d16fe93d0"
PROMPT = "9cb158ba-4e0e-4d2e-9c21-b931a26e7113"
AGENT = "a1dce87482518de7b"
SPAWN = "toolu_01SpawnedForTheTest"
AT_HOME = {"CLAUDE_CODE_ENTRYPOINT": "cli", "CLAUDE_CODE_SESSION_ATTENDED": "1"}
HEADLESS = {"CLAUDE_CODE_ENTRYPOINT": "sdk-cli", "CLAUDE_CODE_SESSION_ATTENDED": "0"}

_COMMON = {"session_id": SESSION, "transcript_path": f"/home/me/.claude/projects/-home-me-proj/{SESSION}.jsonl"}
_WITHIN = {**_COMMON, "prompt_id": PROMPT}
_ACTING = {**_WITHIN, "permission_mode": "default", "effort": {"level": "medium"}}
_AGENT_CALL = {
    **_ACTING,
    "tool_name": "Agent",
    "tool_input": {
        "description": "look around",
        "prompt": "List the test files.",
        "subagent_type": "haiku-general",
        "model": "haiku",
    },
    "tool_use_id": SPAWN,
}
NOTIFICATION = f"<task-notification>\n<task-id>{AGENT}</task-id>\n<status>completed</status>\n</task-notification>"

PAYLOADS = {
    "SessionStart": {**_COMMON, "hook_event_name": "SessionStart", "source": "startup", "model": "claude-opus-5-5"},
    "UserPromptSubmit": {
        **_WITHIN,
        "permission_mode": "default",
        "hook_event_name": "UserPromptSubmit",
        "prompt": "Fix typo in README.md",
    },
    "PreToolUse": {**_AGENT_CALL, "hook_event_name": "PreToolUse"},
    "SubagentStart": {
        **_WITHIN,
        "agent_id": AGENT,
        "agent_type": "haiku-general",
        "hook_event_name": "SubagentStart",
    },
    "PostToolUse": {
        **_AGENT_CALL,
        "hook_event_name": "PostToolUse",
        "tool_response": {
            "status": "completed",
            "prompt": "List the test files.",
            "agentId": AGENT,
            "agentType": "haiku-general",
            "content": [{"type": "text", "text": "three files"}],
            "resolvedModel": "claude-haiku-5-5",
            "totalDurationMs": 194,
            "totalTokens": 15,
            "totalToolUseCount": 0,
            "usage": {"input_tokens": 10, "output_tokens": 5, "service_tier": "standard"},
        },
        "duration_ms": 196,
    },
    "SubagentStop": {
        **_ACTING,
        "agent_id": AGENT,
        "agent_type": "haiku-general",
        "hook_event_name": "SubagentStop",
        "stop_hook_active": False,
        "agent_transcript_path": f"/home/me/.claude/projects/-home-me-proj/{SESSION}/subagents/agent-{AGENT}.jsonl",
        "last_assistant_message": "three files",
        "background_tasks": [],
        "session_crons": [],
    },
    "Stop": {
        **_ACTING,
        "hook_event_name": "Stop",
        "stop_hook_active": False,
        "last_assistant_message": "done",
        "background_tasks": [{"id": AGENT, "type": "subagent", "status": "running", "agent_type": "haiku-general"}],
        "session_crons": [],
    },
    "StopFailure": {
        **_WITHIN,
        "effort": {"level": "medium"},
        "hook_event_name": "StopFailure",
        "error": "rate_limit",
        "last_assistant_message": "API Error: Request rejected (429)",
    },
    "SessionEnd": {**_WITHIN, "hook_event_name": "SessionEnd", "reason": "other"},
}
EVENTS = tuple(PAYLOADS)


def payload(event, **changes):
    return {**PAYLOADS[event], **changes}


def prompt(text, **changes):
    return payload("UserPromptSubmit", prompt=text, **changes)


def ask(project, content, **env):
    """The hook's answer within this process; as the client gives it, the environment names the project."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode() + b"\n"
    return handle(raw, {"HOME": os.environ["HOME"], "CLAUDE_PROJECT_DIR": str(project), **AT_HOME, **env})


def said(answer):
    """What the model reads of an answer; the answer is exactly the hook JSON of the client's schema."""
    if not answer:
        return ""
    value = json.loads(answer)
    (inner,) = value.values()
    assert value == {
        "hookSpecificOutput": {"hookEventName": "UserPromptSubmit", "additionalContext": inner["additionalContext"]}
    }
    return inner["additionalContext"]


def logged(place, session=SESSION):
    """Every record in a session's log; a torn or foreign line fails the test that reads it."""
    with open(f"{paths.session_dir(place, session)}/{paths.LOG}", "rb") as log:
        data = log.read()
    assert data.endswith(b"\n")
    return [json.loads(line) for line in data.splitlines()]


def faults(place):
    """Every line of the log of the hooks' own failures."""
    with open(f"{place.state}/hook-errors.log", "rb") as log:
        return [json.loads(line) for line in log]


def files(folder):
    """Every file below a folder, as paths relative to it."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
