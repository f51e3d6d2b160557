"""A subagent is asked for, and launched: which model it gets is decided by its own prompt."""

import posix

from orchestrate.request import live, memory, mode, plans, rung
from orchestrate.request.call import Call, Outcome, fingerprint
from state import snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestrate.request.workflow_script import Agent
    from routing.routing_core import Decision

FORK = "fork"
WORKFLOW = "Workflow"
WORKFLOW_AGENT = "WorkflowAgent"  # the mod's own question, for an agent that a workflow starts
# Agents that have no model of their own: they run on their parent's.
GENERIC = ("", "general-purpose", "Explore", "Plan", "claude")
TIERS = ("haiku", "sonnet", "opus")


RUNGS = (rung.MOD, rung.REWRITE)
TEAMS = "CLAUDE_CODE_EXPERIMENTAL_AGENT_TEAMS"
AGENTS_KEPT = 32  # of a workflow, in its record
SCRIPT_MOST = 262_144  # bytes of one that the client kept


class Ruling(rung.Tiered):
    """What becomes of one spawn. Without a `decision` it was not decided, and has no tier."""

    __slots__ = ("agents", "answer", "decision", "model", "rung", "why")

    def __init__(self, why: str, decision: "Decision | None" = None) -> None:
        rung.Tiered.__init__(self, decision.tier if decision else "")
        self.rung = rung.NONE
        self.why = why
        self.decision = decision
        self.model: str | None = None
        self.answer: dict[str, object] | None = None
        self.agents: list[dict[str, object]] | None = None  # of a workflow


def requested(call: Call) -> Outcome:
    asked = call.record("tool_input")
    rule = _rule_workflow if call.text("tool_name") == WORKFLOW else _rule
    ruling = Ruling("nested") if call.is_nested else rule(call, asked)
    payload = {
        "tool": call.text("tool_name"),
        "agent_type": _text(asked, "subagent_type"),
        "model": _text(asked, "model"),
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
        **fingerprint(_text(asked, "prompt") or ""),
    }
    return Outcome("orchestration.spawn.requested", ("spawn", call.text("tool_use_id")), payload, ruling.answer)


def launched(call: Call) -> Outcome:
    answer = call.record("tool_response")
    tokens = answer.get("totalTokens")
    model = _text(answer, "resolvedModel")
    payload: dict[str, object] = {
        "agent_id": _text(answer, "agentId"),
        "agent_type": _text(answer, "agentType") or _text(call.record("tool_input"), "subagent_type"),
        "model": model,
        "status": _text(answer, "status"),
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
    kind = _text(asked, "subagent_type") or ""
    left = _left_alone(call, asked, kind)
    if left:
        return Ruling(left)
    told, told_at = memory.last_decision(call.place, call.session)
    is_here = told.get("prompt_id") == call.prompt_id
    ruling = _decided(call, asked, kind, told if is_here else {})
    if not ruling.why:
        ruling.rung, ruling.why = _rung(call, told_at)
        _act(call, asked, kind, ruling)
    return ruling


def _rung(call: Call, told_at: float) -> tuple[str, str]:
    has_mod = call.text("tool_name") == WORKFLOW_AGENT or live.is_mod_live(call, told_at)
    ceiling = mode.ceiling(call.settings.values)
    return rung.for_spawns(rung.Standing(ceiling, call.text("permission_mode"), has_mod, plans.blown(call)))


def _rule_workflow(call: Call, asked: dict[str, object]) -> Ruling:
    """Its agents are decided one by one: by the mod when they start, else here, in the script that starts them."""
    told, told_at = memory.last_decision(call.place, call.session)
    used, why = _rung(call, told_at)
    if used != rung.REWRITE:
        return Ruling("its agents are decided one by one, by the mod") if used == rung.MOD else _workflow_left(why)
    script = _text(asked, "script")
    if script is None or asked.get("scriptPath"):  # the path comes first
        return _workflow_left("its script is kept elsewhere")
    from orchestrate.request import workflow_script

    is_override = told.get("prompt_id") == call.prompt_id and told.get("override") is True
    try:
        if asked.get("resumeFromRunId"):
            return _rule_resumed(call, asked, script, is_override)
        found = workflow_script.agents(script)
    except workflow_script.Unread:
        return _workflow_left("its script cannot be read here")
    ruling = _workflow_left("its agents stay as they were asked for")
    decided = [(agent, _agent_of_workflow(call, agent, is_override)) for agent in found]
    ruling.agents = _kept(
        [
            {
                "tier": one.tier or None,
                "model_set": one.model,
                "rung_reason": one.why or why,
                **fingerprint(agent.prompt),
            }
            for agent, one in decided
        ]
    )
    return _rewrite_script(ruling, why, asked, script, [(agent, one.model) for agent, one in decided if one.model])


def _rule_resumed(call: Call, asked: dict[str, object], script: str, is_override: bool) -> Ruling:
    """The client keeps the answers of agents that are asked for just as before: so they are, with the models given."""
    from orchestrate.request import workflow_script

    ruling = _workflow_left("a workflow that goes on keeps its script")
    run = _text(asked, "resumeFromRunId")
    earlier = None if is_override or not run else _script_of(call, run)
    if earlier is None:
        return ruling
    models = workflow_script.as_before(script, earlier, TIERS)
    why = "as in the run that goes on"
    told: list[dict[str, object]] = [
        {"tier": model, "model_set": model, "rung_reason": why, **fingerprint(agent.prompt)} for agent, model in models
    ]
    ruling.agents = _kept([*told, *(ruling.agents or [])])
    return _rewrite_script(ruling, why, asked, script, models)


def _workflow_left(why: str) -> Ruling:
    ruling = Ruling(why)
    ruling.agents = [{"tier": None, "model_set": None, "rung_reason": why}]
    return ruling


def _kept(agents: list[dict[str, object]]) -> list[dict[str, object]]:
    """Not all of many, yet each model: the ledger tells by them whether all got the same."""
    if len(agents) <= AGENTS_KEPT:
        return agents
    models = [agent["model_set"] for agent in agents]
    firsts = sorted({models.index(model) for model in models})
    others = [at for at in range(len(agents)) if at not in firsts]
    return [agents[at] for at in (firsts + others)[:AGENTS_KEPT]]


def _script_of(call: Call, run: str) -> str | None:
    """As the client kept it, beside the session's transcript."""
    folder = call.text("transcript_path").removesuffix(".jsonl") + "/workflows/scripts"
    try:
        named = [name for name in posix.listdir(folder) if name.endswith(f"-{run}.js")]
        fd = posix.open(f"{folder}/{named[0]}", posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NONBLOCK)
    except (OSError, ValueError, IndexError):
        return None
    try:
        return posix.read(fd, SCRIPT_MOST).decode("utf-8", "replace")
    except OSError:
        return None
    finally:
        posix.close(fd)


def _rewrite_script(
    ruling: Ruling, why: str, asked: dict[str, object], script: str, models: "list[tuple[Agent, str]]"
) -> Ruling:
    from orchestrate.request import workflow_script

    if models:
        ruling.rung, ruling.why = rung.REWRITE, why
        changed = {**asked, "script": workflow_script.with_models(script, models)}
        ruling.answer = {"hookSpecificOutput": {"hookEventName": "PreToolUse", "updatedInput": changed}}
    return ruling


def _agent_of_workflow(call: Call, agent: "Agent", is_override: bool) -> Ruling:
    if agent.at < 0:
        return Ruling("it is computed, or names its model")
    text, kind = agent.prompt, agent.kind
    asked: dict[str, object] = {"prompt": text, "subagent_type": kind}
    left = _left_alone(call, asked, kind)
    if left:
        return Ruling(left)
    ruling = _decided(call, asked, kind, {"override": is_override})
    if not ruling.why:
        ruling.model = ruling.tier
    return ruling


def _left_alone(call: Call, asked: dict[str, object], kind: str) -> str:
    """Why nobody but the user may choose this agent's model, else nothing."""
    if kind == FORK:
        return "a fork runs on its parent's model"
    if _is_teammate(call, asked):
        return "a teammate keeps the model it was given"
    if kind in GENERIC or _bare(kind) in _ours(call):
        return ""
    from orchestrate.request import definition

    named = definition.model_of(kind, call)
    if named is None:
        return f"the definition of {kind} is not known here"
    return f"the definition of {kind} names {named}" if named else ""


def _is_teammate(call: Call, asked: dict[str, object]) -> bool:
    """Where a session may have a team, whoever has a name belongs to it; in older clients, to the team named."""
    has_team = call.env.get(TEAMS, "") not in ("", "0", "false")
    return bool(_text(asked, "team_name") or (has_team and _text(asked, "name")))


def _decided(call: Call, asked: dict[str, object], kind: str, told: dict[str, object]) -> Ruling:
    """A spawn that does what the prompt's own decision said keeps that tier; every other is decided by its prompt."""
    from routing import routing_core

    tier = told.get("tier")
    if _is_told(kind, told) and isinstance(tier, str) and tier in TIERS:
        decision = routing_core.Decision(tier, "as decided for the prompt", 1.0, override=told.get("override") is True)
        return Ruling("", _by_own_rules(call, asked, decision, "floors"))
    correction = memory.correction(call.place)
    decision = routing_core.decide(_text(asked, "prompt") or "", routing_core.Situation(), correction)
    decision = _by_own_rules(call, asked, decision, "tier")
    ruling = Ruling("", decision)
    plans.adjust(call, decision, ruling)
    if told.get("override") is True:
        ruling.why = "the user chose the model of this prompt"
    elif decision.abstained and not _is_under_floor(call, asked, kind, decision):
        ruling.why = "unsure: it stays as it was asked for"
    return ruling


def _by_own_rules(call: Call, asked: dict[str, object], decision: "Decision", scope: str) -> "Decision":
    if not snapshot.has_rules(call.place):
        return decision
    from orchestrate.request import own_rules
    from routing.routing_core import Situation

    return own_rules.over(call, _text(asked, "prompt") or "", Situation(), decision, scope)


def _is_under_floor(call: Call, asked: dict[str, object], kind: str, decision: "Decision") -> bool:
    """Whether it would run on less than a rule of the user's own demands."""
    lowest = decision.floor
    asked_for = memory.tier_of(_text(asked, "model") or "") or memory.tier_of(_bare(kind))
    runs_on = asked_for or memory.main_tier(call.text("transcript_path"), call.env)
    return bool(lowest) and runs_on is not None and TIERS.index(runs_on) < TIERS.index(lowest)


def _is_told(kind: str, told: dict[str, object]) -> bool:
    agent = told.get("agent")
    return told.get("rung") == rung.DIRECTIVE and isinstance(agent, str) and _bare(kind) == _bare(agent)


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


def _ours(call: Call) -> tuple[str, ...]:
    return tuple(_bare(str(call.settings.values[f"agents.{tier}"])) for tier in TIERS)


def _bare(kind: str) -> str:
    return kind.rpartition(":")[2]


def _text(record: dict[str, object], name: str) -> str | None:
    value = record.get(name)
    return value if isinstance(value, str) and value else None
