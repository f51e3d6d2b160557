"""What becomes of one spawn: who else has a say in its model, and which tier its own prompt needs."""

from orchestrate.request import live, memory, mode, plans, rung
from orchestrate.request.call import Call
from state import snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from routing.routing_core import Decision

FORK = "fork"
WORKFLOW_AGENT = "WorkflowAgent"  # the mod's own question, for an agent that a workflow starts
# Agents that have no model of their own: they run on their parent's.
GENERIC = ("", "general-purpose", "Explore", "Plan", "claude")
TIERS = ("haiku", "sonnet", "opus")
TEAMS = "CLAUDE_CODE_EXPERIMENTAL_AGENT_TEAMS"


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


def rung_of(call: Call, told_at: float) -> tuple[str, str]:
    has_mod = call.text("tool_name") == WORKFLOW_AGENT or live.is_mod_live(call, told_at)
    ceiling = mode.ceiling(call.settings.values)
    return rung.for_spawns(rung.Standing(ceiling, call.text("permission_mode"), has_mod, plans.blown(call)))


def left_alone(call: Call, asked: dict[str, object], kind: str) -> str:
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
    return bool(text_of(asked, "team_name") or (has_team and text_of(asked, "name")))


def decided(call: Call, asked: dict[str, object], kind: str, told: dict[str, object]) -> Ruling:
    """A spawn that does what the prompt's own decision said keeps that tier; every other is decided by its prompt."""
    from routing import routing_core

    tier = told.get("tier")
    if _is_told(kind, told) and isinstance(tier, str) and tier in TIERS:
        decision = routing_core.Decision(tier, "as decided for the prompt", 1.0, override=told.get("override") is True)
        return Ruling("", _by_own_rules(call, asked, decision, "floors"))
    correction = memory.correction(call.place)
    decision = routing_core.decide(text_of(asked, "prompt") or "", routing_core.Situation(), correction)
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

    return own_rules.over(call, text_of(asked, "prompt") or "", Situation(), decision, scope)


def _is_under_floor(call: Call, asked: dict[str, object], kind: str, decision: "Decision") -> bool:
    """Whether it would run on less than a rule of the user's own demands."""
    lowest = decision.floor
    asked_for = memory.tier_of(text_of(asked, "model") or "") or memory.tier_of(_bare(kind))
    runs_on = asked_for or memory.main_tier(call.text("transcript_path"), call.env)
    return bool(lowest) and runs_on is not None and TIERS.index(runs_on) < TIERS.index(lowest)


def _is_told(kind: str, told: dict[str, object]) -> bool:
    agent = told.get("agent")
    return told.get("rung") == rung.DIRECTIVE and isinstance(agent, str) and _bare(kind) == _bare(agent)


def _ours(call: Call) -> tuple[str, ...]:
    return tuple(_bare(str(call.settings.values[f"agents.{tier}"])) for tier in TIERS)


def _bare(kind: str) -> str:
    return kind.rpartition(":")[2]


def text_of(record: dict[str, object], name: str) -> str | None:
    value = record.get(name)
    return value if isinstance(value, str) and value else None
