"""A subagent is asked for, and launched."""

from orchestrate.request.call import Call, Outcome, fingerprint


def requested(call: Call) -> Outcome:
    asked = call.record("tool_input")
    payload = {
        "tool": call.text("tool_name"),
        "agent_type": _text(asked, "subagent_type"),
        "model": _text(asked, "model"),
        "by_agent": call.maybe("agent_id"),
        **fingerprint(_text(asked, "prompt") or ""),
    }
    return Outcome("orchestration.spawn.requested", ("spawn", call.text("tool_use_id")), payload)


def launched(call: Call) -> Outcome:
    answer = call.record("tool_response")
    tokens = answer.get("totalTokens")
    payload: dict[str, object] = {
        "agent_id": _text(answer, "agentId"),
        "agent_type": _text(answer, "agentType") or _text(call.record("tool_input"), "subagent_type"),
        "model": _text(answer, "resolvedModel"),
        "status": _text(answer, "status"),
        "tokens": tokens if isinstance(tokens, int) else None,
    }
    return Outcome("orchestration.spawn.launched", ("spawn", call.text("tool_use_id")), payload)


def _text(record: dict[str, object], name: str) -> str | None:
    value = record.get(name)
    return value if isinstance(value, str) and value else None
