"""One real payload of each handled event, as client 2.1.329 sent it; only ids and paths are made up."""

Payload = dict[str, object]

_SESSION = "9e401858-cd5a-4d55-ae9d-331d16fe93d0"
_SPAWN: Payload = {
    "description": "fix a typo",
    "prompt": "Fix the typo in README.md",
    "subagent_type": "haiku-general",
    "model": "haiku",
}
_AGENT: Payload = {"agent_id": "a1dce87482518de7b", "agent_type": "haiku-general"}
_OWN: dict[str, Payload] = {
    "SessionStart": {"source": "startup"},
    "UserPromptSubmit": {"prompt": "Fix the typo in README.md"},
    "PreToolUse": {"tool_name": "Agent", "tool_input": _SPAWN, "tool_use_id": "toolu_0001"},
    "PostToolUse": {
        "tool_name": "Agent",
        "tool_input": _SPAWN,
        "tool_response": {
            "isAsync": True,
            "status": "async_launched",
            "agentId": "a1dce87482518de7b",
            "description": "fix a typo",
            "resolvedModel": "claude-haiku-5-5",
            "prompt": "Fix the typo in README.md",
            "canReadOutputFile": True,
            "canContinueAgent": True,
        },
        "tool_use_id": "toolu_0001",
        "duration_ms": 10,
    },
    "SubagentStart": _AGENT,
    "SubagentStop": {
        **_AGENT,
        "stop_hook_active": False,
        "last_assistant_message": "done",
        "background_tasks": [],
        "session_crons": [],
    },
    "Stop": {
        "stop_hook_active": False,
        "last_assistant_message": "done",
        "background_tasks": [],
        "session_crons": [],
    },
    "StopFailure": {"error": "rate_limit", "last_assistant_message": "API Error: Request rejected (429)"},
    "SessionEnd": {"reason": "other"},
}
EVENTS = tuple(_OWN)


def payload(event: str, cwd: str) -> Payload:
    common: Payload = {
        "session_id": _SESSION,
        "transcript_path": f"{cwd}/{_SESSION}.jsonl",
        "cwd": cwd,
        "prompt_id": "9cb158ba-4e0e-4d2e-9c21-b931a26e7113",
        "permission_mode": "default",
        "hook_event_name": event,
    }
    if event == "SessionStart":  # it comes before any prompt
        common = {name: common[name] for name in ("session_id", "transcript_path", "cwd", "hook_event_name")}
    return {**common, **_OWN[event]}
