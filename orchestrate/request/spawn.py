"""A subagent is asked for, and launched: which model it gets is decided by its own prompt."""

from orchestrate.request import live, memory, rung
from orchestrate.request.call import Call, Outcome, fingerprint
from orchestrate.request.ruling import WORKFLOW_AGENT, Ruling, decided, left_alone, rung_of, text_of

WORKFLOW = "Workflow"
RUNGS = (rung.MOD, rung.REWRITE)


def requested(call: Call) -> Outcome:
    asked = call.record("tool_input")
    ruling = Ruling("nested") if call.is_nested else _rule(call, asked)
    payload = {
        "tool": call.text("tool_name"),
        "agent_type": text_of(asked, "subagent_type"),
        "model": text_of(asked, "model"),
        "by_agent": call.maybe("agent_id"),
        "tier": ruling.tier or None,
        "reason": ruling.decision.reason if ruling.decision else None,
        "confidence": ruling.decision.confidence if ruling.decision else None,
        "rung": ruling.rung,
        "rung_reason": ruling.why,
        "model_set": ruling.model,
        "stepped_down": ruling.stepped_down,
        "stood_in": ruling.stood_in,
        **({"agents": ruling.agents} if ruling.agents else {}),
        **({"rules": ruling.decision.rules} if ruling.decision and ruling.decision.rules is not None else {}),
        "env_model": call.env.get("CLAUDE_CODE_SUBAGENT_MODEL") or None,
        "env_alias": call.env.get(f"ANTHROPIC_DEFAULT_{ruling.tier.upper()}_MODEL") or None if ruling.tier else None,
        "env_forced": call.env.get("CLAUDE_CODE_SUBAGENT_MODEL_FORCE") == "1",
        **fingerprint(text_of(asked, "prompt") or ""),
    }
    return Outcome("orchestration.spawn.requested", ("spawn", call.text("tool_use_id")), payload, ruling.answer)


def launched(call: Call) -> Outcome:
    answer = call.record("tool_response")
    tokens = answer.get("totalTokens")
    model = text_of(answer, "resolvedModel")
    payload: dict[str, object] = {
        "agent_id": text_of(answer, "agentId"),
        "agent_type": text_of(answer, "agentType") or text_of(call.record("tool_input"), "subagent_type"),
        "model": model,
        "status": text_of(answer, "status"),
        "tokens": tokens if isinstance(tokens, int) else None,
        **_checked(call, model),
    }
    return Outcome("orchestration.spawn.launched", ("spawn", call.text("tool_use_id")), payload)


def _checked(call: Call, model: str | None) -> dict[str, object]:
    """Whether the agent got the model decided; a rung that does not deliver has a fuse."""
    ruled = memory.spawn_request(call.place, call.session, call.text("tool_use_id"))
    tier, used = ruled.get("tier"), ruled.get("rung")
    if not isinstance(tier, str) or used not in RUNGS:
        return {"decided_tier": tier if isinstance(tier, str) else None, "is_as_decided": None, "blown": None}
    live.spawned(call)
    wanted, got = ruled.get("model_set"), memory.tier_of(model or "")
    is_same = (model == wanted or got == tier) if got else None
    if is_same is False:
        live.alarm(call, str(wanted), str(model))
    is_blown = is_same is not None and _counted(call, str(used), is_same)
    return {"decided_tier": tier, "is_as_decided": is_same, "blown": used if is_blown else None}


def _counted(call: Call, used: str, is_same: bool) -> bool:
    if is_same and not live.has(call, live.FUSES):
        return False
    from orchestrate.request import fuse

    return fuse.note(call, used, is_same)


def _rule(call: Call, asked: dict[str, object]) -> Ruling:
    if call.text("tool_name") == WORKFLOW:
        from orchestrate.request import workflow_call

        return workflow_call.rule(call, asked)
    kind = text_of(asked, "subagent_type") or ""
    left = left_alone(call, asked, kind)
    if left:
        return Ruling(left)
    told, told_at = memory.last_decision(call.place, call.session)
    is_here = told.get("prompt_id") == call.prompt_id
    ruling = decided(call, asked, kind, told if is_here else {})
    if not ruling.why:
        ruling.rung, ruling.why = rung_of(call, told_at)
        _act(call, asked, kind, ruling)
    return ruling


def _act(call: Call, asked: dict[str, object], kind: str, ruling: Ruling) -> None:
    tier = ruling.tier
    concrete = str(call.settings.values[f"models.{tier}"])
    if ruling.rung == rung.MOD:
        ruling.model = concrete or tier
        if call.text("tool_name") == WORKFLOW_AGENT:
            ruling.answer = {"model": ruling.model}
        else:
            live.spawn(call, ruling.model, tier)
    elif ruling.rung == rung.REWRITE:
        changed = _rewritten(call, asked, kind, tier, concrete)
        ruling.model = concrete if "model" not in changed else tier
        if changed != asked:
            ruling.answer = {"hookSpecificOutput": {"hookEventName": "PreToolUse", "updatedInput": changed}}


def _rewritten(call: Call, asked: dict[str, object], kind: str, tier: str, concrete: str) -> dict[str, object]:
    """Every field again, as the client replaces the whole input. It takes aliases alone: a concrete id can only come
    from the definition of an agent."""
    agent = str(call.settings.values[f"agents.{tier}"])
    if concrete and kind in ("", "general-purpose", agent):
        from orchestrate.request import definition

        if definition.model_of(agent, call) == concrete:
            changed = {**asked, "subagent_type": agent}
            changed.pop("model", None)
            return changed
    return {**asked, "model": tier}
