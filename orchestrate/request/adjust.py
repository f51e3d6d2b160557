"""What the world makes of a decision: a limit that is nearly used up, and models that do not answer just now.

Only loaded where something was read of the world.
"""

from orchestrate.request.call import Call
from state import platform, quota

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestrate.request.rung import Tiered
    from routing.routing_core import Decision

# Who stands in for whom: the next stronger one first, as a weaker answer costs more than a dear one.
STAND_INS = {"haiku": ("sonnet", "opus"), "sonnet": ("opus",), "opus": ("sonnet",)}


def adjust(call: Call, decision: "Decision", found: "Tiered") -> None:
    is_at_floor = decision.floor == found.tier  # one of the user's own
    if not (decision.override or decision.abstained or is_at_floor):
        _step_down(found, call)
    _stand_in(found, call)


def _step_down(found: "Tiered", call: Call) -> None:
    settings, user = call.settings.values, call.place.user
    if not settings["quota.step_down"] or not user:
        return
    lower, why = quota.step_down(found.tier, quota.read(user), float(settings["quota.pressure"]), call.now)
    if lower != found.tier:
        found.stepped_down = {"from": found.tier, "why": why}
        found.tier = lower


def _stand_in(found: "Tiered", call: Call) -> None:
    failing = platform.failing(call.place.user, call.now)
    if not failing or not _fails(found.tier, failing, call):
        return
    for tier in STAND_INS[found.tier]:
        if not _fails(tier, failing, call):
            found.stood_in = {"from": found.tier, "why": f"{found.tier} does not answer just now"}
            found.tier = tier
            return


def _fails(tier: str, failing: frozenset[str], call: Call) -> bool:
    return tier in failing or str(call.settings.values[f"models.{tier}"]) in failing
