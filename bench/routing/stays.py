"""What handing work over and keeping it cost, beside what a wrong tier costs. The main thread runs sonnet."""

from collections.abc import Sequence

import figures
import numpy as np
from rows import Tiered

from routing.features import Text
from routing.rules import leans
from routing.score import SONNET, TIERS

# In the unit of a haiku answer. Assumed, not measured: a fresh agent reads its own instructions and the files again.
HANDOVER = 0.5
MAIN = TIERS.index(SONNET)


def report(parts: Sequence[tuple[Sequence[Tiered], np.ndarray]]) -> None:
    rows = [(row, int(tier)) for labels, said in parts for row, tier in zip(labels, said, strict=True)]
    follows = [("follow_up_of" in row.context, leans(Text(row.prompt), False) is not None) for row, _ in rows]
    kept = [[stay for follow, stay in follows if follow == kind] for kind in (True, False)]
    print(f"stay: {sum(kept[0])} of {len(kept[0])} follow-ups, {sum(kept[1])} of {len(kept[1])} others")
    for name, stays in (
        ("as the rules have it", [stay for _, stay in follows]),
        ("always stay", [True] * len(rows)),
        ("always hand over", [False] * len(rows)),
        ("hand over exactly what follows nothing", [follow for follow, _ in follows]),
    ):
        costs = [
            _cost(row, tier, follow, stay) for (row, tier), (follow, _), stay in zip(rows, follows, stays, strict=True)
        ]
        print(f"  mean cost, {name:40} {np.mean(costs):.3f}")


def _cost(row: Tiered, tier: int, follows: bool, stays: bool) -> float:
    """A follow-up that is handed over is done again in the conversation, as it lacks what was said there."""
    needed = min(row.accept, key=lambda accepted: abs(accepted - (MAIN if stays else tier)))
    if stays:
        return figures.cost(MAIN, needed)
    if follows:
        return HANDOVER + figures.COSTS[tier] + figures.REDO + figures.cost(MAIN, needed)
    return HANDOVER + figures.cost(tier, needed)
