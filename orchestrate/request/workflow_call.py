"""A call of the Workflow tool: its agents are decided one by one, by the mod when they start, else in their script."""

import posix

from orchestrate.request import memory, rung, workflow_script
from orchestrate.request.call import Call, fingerprint
from orchestrate.request.ruling import TIERS, Ruling, decided, left_alone, rung_of, text_of
from orchestrate.request.workflow_script import Agent

AGENTS_KEPT = 32  # in its record
SCRIPT_MOST = 262_144  # bytes of one that the client kept


def rule(call: Call, asked: dict[str, object]) -> Ruling:
    told, told_at = memory.last_decision(call.place, call.session)
    used, why = rung_of(call, told_at)
    if used != rung.REWRITE:
        return Ruling("its agents are decided one by one, by the mod") if used == rung.MOD else _left(why)
    script = text_of(asked, "script")
    if script is None or asked.get("scriptPath"):  # the path comes first
        return _left("its script is kept elsewhere")
    is_override = told.get("prompt_id") == call.prompt_id and told.get("override") is True
    try:
        if asked.get("resumeFromRunId"):
            return _resumed(call, asked, script, is_override)
        found = workflow_script.agents(script)
    except workflow_script.Unread:
        return _left("its script cannot be read here")
    ruling = _left("its agents stay as they were asked for")
    ruled = [(agent, _ruled(call, agent, is_override)) for agent in found]
    ruling.agents = _kept([_told(agent, one.tier, one.model, one.why or why) for agent, one in ruled])
    return _rewritten(ruling, why, asked, script, [(agent, one.model) for agent, one in ruled if one.model])


def _resumed(call: Call, asked: dict[str, object], script: str, is_override: bool) -> Ruling:
    """The client keeps the answers of agents that are asked for just as before: so they are, with the models given."""
    ruling = _left("a workflow that goes on keeps its script")
    run = text_of(asked, "resumeFromRunId")
    earlier = None if is_override or not run else _script_of(call, run)
    if earlier is None:
        return ruling
    models = workflow_script.as_before(script, earlier, TIERS)
    why = "as in the run that goes on"
    ruling.agents = _kept([*(_told(agent, model, model, why) for agent, model in models), *(ruling.agents or [])])
    return _rewritten(ruling, why, asked, script, models)


def _left(why: str) -> Ruling:
    ruling = Ruling(why)
    ruling.agents = [{"tier": None, "model_set": None, "rung_reason": why}]
    return ruling


def _told(agent: Agent, tier: str, model: str | None, why: str) -> dict[str, object]:
    return {"tier": tier or None, "model_set": model, "rung_reason": why, **fingerprint(agent.prompt)}


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


def _rewritten(
    ruling: Ruling, why: str, asked: dict[str, object], script: str, models: list[tuple[Agent, str]]
) -> Ruling:
    if models:
        ruling.rung, ruling.why = rung.REWRITE, why
        changed = {**asked, "script": workflow_script.with_models(script, models)}
        ruling.answer = {"hookSpecificOutput": {"hookEventName": "PreToolUse", "updatedInput": changed}}
    return ruling


def _ruled(call: Call, agent: Agent, is_override: bool) -> Ruling:
    if agent.at < 0:
        return Ruling("it is computed, or names its model")
    text, kind = agent.prompt, agent.kind
    asked: dict[str, object] = {"prompt": text, "subagent_type": kind}
    left = left_alone(call, asked, kind)
    if left:
        return Ruling(left)
    ruling = decided(call, asked, kind, {"override": is_override})
    if not ruling.why:
        ruling.model = ruling.tier
    return ruling
