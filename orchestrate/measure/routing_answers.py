"""What the shipped router answers to the prompts of a file."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from orchestrate.measure.routing_rows import Asked
from routing import routing_core, score
from routing.features import Text
from state.errors import UserError

# What a row may say of the conversation in the words of routing_core.Situation.
FACTS: dict[str, type | tuple[type, ...]] = {
    "main_tier": str,
    "last_tier": str,
    "last_age_s": (int, float),
    "plan_mode": bool,
    "failures": int,
    "turn": int,
}


class Answer(NamedTuple):
    """`score` rises with the tier that a router leans to; `confidence` is None where it tells none."""

    tier: str
    score: float
    confidence: float | None = None
    is_answered: bool = True


def answers(asked: Sequence[Asked]) -> list[Answer]:
    weights = score.load(weights_path())
    return [_answer(one, weights) for one in asked]


def _answer(asked: Asked, weights: score.Weights) -> Answer:
    decision = routing_core.decide(asked.prompt, situation(asked))
    return Answer(decision.tier, leaning(asked.prompt, weights), decision.confidence, not decision.abstained)


def leaning(prompt: str, weights: score.Weights) -> float:
    """The rank of the tier that the scores expect, between 0 (surely haiku) and 2 (surely opus); no rule is in it."""
    shares = score.judge(Text(prompt), weights).shares
    return shares[1] + 2 * shares[2]


def situation(asked: Asked) -> routing_core.Situation:
    """What the hook would know. It keeps its last decision; a row tells what that was about, so it is decided anew."""
    facts = {name: asked.context[name] for name in FACTS if asked.context.get(name) is not None}
    for name, value in facts.items():
        if not isinstance(value, FACTS[name]) or isinstance(value, bool) != (FACTS[name] is bool):
            raise UserError(f"{asked.place}: context.{name} is of another type than the router takes")
    before = asked.context.get("follow_up_of")
    if isinstance(before, str):
        facts = {"turn": 1, "last_tier": routing_core.decide(before).tier, **facts}
    return routing_core.Situation(**facts)  # type: ignore[arg-type]  # checked against FACTS above


def weights_path() -> str:
    return str(Path(score.__file__).with_name("weights.bin"))


def weights_print() -> str:
    """Tells one set of weights from another."""
    return hashlib.sha256(Path(weights_path()).read_bytes()).hexdigest()[:12]
