"""A labelled prompt as numbers: what the shipped weights make of it, and what another correction would.

The one place here that looks into the scores.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from orchestrate.learning import texts
from orchestrate.learning.events import Told
from orchestrate.learning.signals import Label
from routing import routing_core, rules, score
from routing.correction import Correction
from routing.facts import NAMES
from routing.features import Text
from routing.score import HAIKU, SONNET, TIERS, Weights

# What a run on each tier costs, and the user's own time for one that was too weak: with 4 the limits of the shipped
# weights, 2/7 and 2/9, are the cheapest there are.
PRICES = (1.0, 3.0, 5.0)
AGAIN = 4.0
BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class Example:
    group: str  # prompts of the same text
    accept: frozenset[int]
    weight: float
    scores: tuple[float, float]  # of the shipped weights
    facts: dict[str, float]
    floor: int
    sources: tuple[str, ...]

    def tier(self, weights: Weights, found: Correction | None) -> int:
        """As `decide` has it for the text alone."""
        low, high = found.of(tuple(self.facts), [*self.facts.values()]) if found else (0.0, 0.0)
        shares = score.tier_shares(self.scores[0] + low, self.scores[1] + high)
        chosen = TIERS.index(score.choose(shares, weights.shares))
        raised = max(chosen, self.floor)
        sure = score.confidence(shares[raised], weights.curve)
        if raised > chosen:
            sure = max(sure, routing_core.RULE_CONFIDENCE)
        return TIERS.index(SONNET) if TIERS[raised] == HAIKU and sure < weights.line else raised

    def cost(self, tier: int) -> float:
        """Of deciding for this tier: where it is too weak, the work is done again on the least that will do."""
        least = min(self.accept)
        return PRICES[tier] + (PRICES[least] + AGAIN if tier < least else 0.0)


def made(labels: Iterable[Label], events: Iterable[Told], shipped: Weights) -> tuple[list[Example], int]:
    """The examples, and how many labels have no text that the scores decide."""
    labels = [*labels]
    known = texts.of([label.decided for label in labels], events)
    found = [
        _example(label, text, shipped)
        for label in labels
        if (text := known.get((label.decided.session, label.decided.prompt_id or ""))) is not None
    ]
    usable = [example for example in found if example]
    return usable, len(labels) - len(usable)


def weights() -> Weights:
    return score.load(str(Path(score.__file__).with_name("weights.bin")))


def of_text(
    text: str, accept: Iterable[str], shipped: Weights, weight: float = 1.0, sources: tuple[str, ...] = ("user",)
) -> Example:
    words = Text(text)
    verdict = score.judge(words, shipped)
    lowest = rules.floor(words)
    verdict = score.judge(words, shipped)
    return Example(
        group=text,
        accept=frozenset(TIERS.index(tier) for tier in accept),
        weight=weight,
        scores=verdict.scores,
        facts=_facts(verdict.values()),
        floor=TIERS.index(lowest[0]) if lowest else 0,
        sources=sources,
    )


def _facts(values: list[float]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in zip(NAMES, values, strict=True):
        if value and name != BASELINE:  # the shift of a boundary is its
            found[name] = found.get(name, 0.0) + value
    return found


def _example(label: Label, text: str, shipped: Weights) -> Example | None:
    if routing_core.decide(text).confidence == routing_core.UNKNOWN_CONFIDENCE:  # it says nothing of the work
        return None
    return of_text(text, label.accept, shipped, label.weight, label.sources)
