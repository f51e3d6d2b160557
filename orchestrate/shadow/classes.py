"""Classes of work that may step down: what the router gives one tier, and what has one named fact.

A class is exactly the prompts that its step would move, so what is tried out is what will change. A prompt can be in
several.
"""

from functools import cache
from typing import NamedTuple

from orchestrate.learning import examples
from orchestrate.request import stepped
from routing import routing_core, score
from routing.correction import Correction
from routing.facts import GROUPS, NAMES, OPENINGS
from routing.features import Text
from routing.score import Weights
from state.errors import NOT_FOUND, UserError

SHORT = "short, nothing deep"
_OPENED = ("fact", "edit", "run", "build", "repair", "restructuring", "judgement", "explanation", "design")
# By the word that stands for it in a class's name.
KINDS = {
    **{f"asks-{word}": fact for word, fact in zip(_OPENED, OPENINGS, strict=True)},
    **{fact.removesuffix(" words").replace(" ", "-"): fact for fact in GROUPS if fact not in stepped.HELD},
    "short": SHORT,
}
TIERS = tuple(stepped.BELOW)


class Group(NamedTuple):
    tier: str
    kind: str

    @property
    def name(self) -> str:
        return f"{self.tier}/{self.kind}"

    @property
    def below(self) -> str:
        return stepped.BELOW[self.tier]

    @property
    def fact(self) -> str:
        return KINDS[self.kind]


ALL = tuple(Group(tier, kind) for tier in TIERS for kind in KINDS)


def named(name: str) -> Group:
    for group in ALL:
        if group.name == name:
            return group
    raise UserError(
        f"class {name!r}: there is none: it is opus or sonnet, a slash, and one of {', '.join(KINDS)}", NOT_FOUND
    )


def of(text: str, learned: Correction | None) -> list[Group]:
    """The classes of a prompt that stands alone. `learned`: the user's own correction."""
    situation = routing_core.Situation()
    before = routing_core.decide(text, situation, learned)
    if before.tier not in TIERS or before.override or before.action != "delegate":
        return []
    named = {NAMES[fact] for fact in score.judge(Text(text), _weights()).facts}
    mine = (Group(before.tier, kind) for kind, fact in KINDS.items() if fact in named)
    return [group for group in mine if stepped.down(text, situation, learned, before, [group.fact])]


@cache
def _weights() -> Weights:
    return examples.weights()
