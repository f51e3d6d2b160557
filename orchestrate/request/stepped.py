"""Classes of work that step down one tier in this project, as trials have shown. Only loaded where there are any.

A class is what the router gives one tier and what has one named fact ("bug words"). Its step is a correction of that
fact, large enough to decide: so the router's own floors stand, and a prompt that they hold does not step down.
"""

from routing import routing_core
from routing.correction import Correction, weights_digest
from state import codec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from routing.routing_core import Decision, Situation

VERSION = 1
STEP = 30.0  # log-odds: beyond what any score has
# Where a mistake shows late, no trial tells whether a weaker tier would do.
HELD = ("security words", "stakes words", "destructive words", "incident words")
BELOW = {"opus": "sonnet", "sonnet": "haiku"}


def over(path: str, text: str, situation: "Situation", learned: Correction | None, decision: "Decision") -> "Decision":
    """The decision one tier lower, or as it was."""
    kept = codec.load(path)
    steps = kept.get("steps")
    facts = steps.get(decision.tier) if isinstance(steps, dict) else None
    if not isinstance(facts, list) or kept.get("v") != VERSION or kept.get("basis") != basis(learned):
        return decision
    found = down(text, situation, learned, decision, facts)
    if found is None:
        return decision
    found.reason = f"{found.tier}: its class of work steps down here ({kept.get('id')}); {decision.reason}"
    found.confidence = routing_core.RULE_CONFIDENCE
    return found


def down(
    text: str, situation: "Situation", learned: Correction | None, decision: "Decision", facts: list[object]
) -> "Decision | None":
    """What is decided where these facts speak for the tier below as strongly as can be; None where that is not it."""
    below = BELOW.get(decision.tier)
    delta = (-STEP, 0.0) if decision.tier == "sonnet" else (0.0, -STEP)
    shifts, deltas = (learned.shifts, learned.deltas) if learned else ((0.0, 0.0), {})
    named = {fact: delta for fact in facts if isinstance(fact, str)}
    held = dict.fromkeys(HELD, (100 * STEP, 100 * STEP))
    found = routing_core.decide(text, situation, Correction("step", shifts, {**deltas, **named, **held}))
    return found if found.tier == below else None


def basis(learned: Correction | None) -> str:
    """What the trials were made with: they say nothing of other weights, or another correction."""
    return f"{weights_digest()} {learned.id if learned else '-'}"
