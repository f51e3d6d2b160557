"""From a decision to what is done about it: the tier as the world allows it, the rungs, and the files for the mod."""

from orchestrate.request import live, mode, rung
from orchestrate.request.call import Call
from state.paths import exists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestrate.request.main_thread import Main
    from routing.routing_core import Decision


class Plan(rung.Tiered):
    """`notice`: what the user is to read."""

    __slots__ = ("action", "has_blown", "main", "notice", "reason", "rung", "subagents")

    def __init__(self, action: str, tier: str) -> None:
        rung.Tiered.__init__(self, tier)
        self.action = action
        self.subagents = ("", "")
        self.has_blown = False
        self.main: Main | None = None
        self.rung = ""
        self.reason = ""
        self.notice = ""

    def as_dict(self) -> dict[str, object]:
        return {
            "action": self.action,
            "tier": self.tier,
            "rung": self.rung,
            "rung_reason": self.reason,
            "subagents_rung": self.subagents[0],
            "subagents_reason": self.subagents[1],
            "main_model": self.main.model if self.main else None,
            "switch": self.main.figures if self.main else None,
            "stepped_down": self.stepped_down,
            "stood_in": self.stood_in,
            "blown": rung.MOD if self.has_blown else None,
        }


def made(
    call: Call,
    decision: "Decision",
    chosen: mode.Mode,
    main_tier: object,
    runs: bool,
    last: dict[str, object],
    decided_at: float,
) -> Plan:
    plan = Plan(decision.action, decision.tier)
    has_mod = live.is_mod_live(call, call.now)
    plan.has_blown = has_mod and _review(call, last, decided_at)
    standing = rung.Standing(chosen.ceiling, call.text("permission_mode"), has_mod, blown(call))
    plan.subagents = rung.for_spawns(standing)
    plan.notice = _notice(call) if standing.blown else ""
    if decision.action != "stay" or chosen.ceiling == rung.SESSION or runs:
        adjust(call, decision, plan)
    if plan.tier != decision.tier and plan.tier == main_tier:
        plan.action = "stay"
    if runs:
        plan.rung, plan.reason = rung.ORCHESTRATION, chosen.reason
    else:
        _within(call, decision, standing, last, plan)
    if has_mod:
        _hand_over(call, standing, plan)
    return plan


def adjust(call: Call, decision: "Decision", found: rung.Tiered) -> None:
    """The tier as the world allows it; where nothing was read of the world, nothing changes."""
    user = call.place.user
    if user and (exists(f"{user}/cache/quota.json") or exists(f"{user}/breakers.json")):
        from orchestrate.request import adjust as world

        world.adjust(call, decision, found)


def blown(call: Call) -> frozenset[str]:
    """The rungs whose fuse has blown in this session."""
    if not live.has(call, live.FUSES):
        return frozenset()
    from orchestrate.request import fuse

    return fuse.read(call).blown


def _notice(call: Call) -> str:
    from orchestrate.request import fuse

    return fuse.tell(call)


def _within(call: Call, decision: "Decision", standing: rung.Standing, last: dict[str, object], plan: Plan) -> None:
    """The rung inside the session."""
    if standing.ceiling == rung.SESSION:
        from orchestrate.request import main_thread
        from routing.main_thread import Wish

        wish = Wish(plan.tier, not decision.abstained, decision.override)
        plan.main = main_thread.settle(call, wish, standing, last)
    if plan.main and plan.main.model and plan.main.tier == plan.tier:
        plan.action, plan.rung, plan.reason = "stay", rung.MOD, plan.main.why
    else:
        plan.rung, plan.reason = rung.for_prompt(plan.action, standing.ceiling)


def _review(call: Call, last: dict[str, object], decided_at: float) -> bool:
    if not last.get("main_model"):
        return False
    from orchestrate.request import main_thread

    return main_thread.review(call, last, decided_at)


def _hand_over(call: Call, standing: rung.Standing, plan: Plan) -> None:
    if standing.ceiling in (rung.OFF, rung.ADVISE) or rung.MOD in standing.blown:
        live.unroute(call)
        return
    model = plan.main.model if plan.main else None
    live.route(call, main=model, status=model or plan.tier if plan.rung != rung.NONE else "")
