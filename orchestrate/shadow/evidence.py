"""Whether a class of work may step down, by the pairs that were tried out. Pure.

It is looked at four times at most, so a cheaper tier that is worse has four chances to pass by luck: each look has a
quarter of the 5 %. Giving up is safe at any time.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

LOOKS = (50, 100, 150, 200)  # pairs
AS_GOOD = 0.9  # the share of pairs in which the cheaper tier is as good, at least
SURE = 2.2414  # standard errors: one-sided 5 %, over four looks
REGRESSIONS_MOST = 0.02  # share of pairs in which only the cheaper tier broke the project's tests
GREEN_LEAST = 0.5  # share of pairs in which the dearer one's tests are green: else they tell nothing
CONTROLS_LEAST = 0.1  # per pair
HITS_LEAST = 0.8  # share of controls that the judge saw through
GIVEN_UP_AFTER = 20
OPEN, PASSED, REFUSED = "open", "passed", "refused"


class Pair(NamedTuple):
    is_as_good: bool
    is_regression: bool = False
    is_green: bool = True  # of the dearer tier's tests
    saw_control: bool | None = None  # whether the judge told work from no work; None: it was not tried


class Standing(NamedTuple):
    outcome: str
    why: str
    pairs: int
    as_good: int
    lower: float  # the bounds of the share that is as good
    upper: float
    regressions: int
    controls: int
    hits: int


def standing(pairs: Sequence[Pair]) -> Standing:
    """At the first look that passes, else of all pairs."""
    for look in LOOKS:
        if len(pairs) >= look and (found := _of(pairs[:look])).outcome == PASSED:
            return found
    found = _of(pairs)
    if found.outcome != PASSED:
        return found
    return found._replace(outcome=OPEN, why=f"looked at again at {_next(len(pairs))} pairs")


def wilson(successes: int, count: int) -> tuple[float, float]:
    if not count:
        return 0.0, 1.0
    share, square = successes / count, SURE * SURE
    middle = share + square / (2 * count)
    reach = SURE * math.sqrt(share * (1 - share) / count + square / (4 * count * count))
    return max(0.0, (middle - reach) / (1 + square / count)), min(1.0, (middle + reach) / (1 + square / count))


def _of(pairs: Sequence[Pair]) -> Standing:
    count, good = len(pairs), sum(pair.is_as_good for pair in pairs)
    controls = [pair.saw_control for pair in pairs if pair.saw_control is not None]
    found = Standing(
        OPEN,
        "",
        count,
        good,
        *wilson(good, count),
        sum(pair.is_regression for pair in pairs),
        len(controls),
        sum(controls),
    )
    lacking = _lacking(found, sum(pair.is_green for pair in pairs))
    if not lacking:
        return found._replace(outcome=PASSED, why="as good, beyond chance")
    is_hopeless = count >= GIVEN_UP_AFTER and found.upper < AS_GOOD
    return found._replace(outcome=REFUSED if is_hopeless or count >= LOOKS[-1] else OPEN, why=lacking)


def _lacking(found: Standing, green: int) -> str:
    """The first condition that does not hold."""
    count = found.pairs
    if count < LOOKS[0]:
        return f"{count} pairs, {LOOKS[0]} are needed"
    if found.lower < AS_GOOD:
        return f"as good in {found.as_good} of {count}, which may be {found.lower:.0%}: {AS_GOOD:.0%} is needed"
    if found.regressions > REGRESSIONS_MOST * count:
        return f"it alone broke the tests in {found.regressions} of {count}"
    if green < GREEN_LEAST * count:
        return f"the check is green for the dearer tier in {green} of {count} only: it tells too little"
    if found.controls < CONTROLS_LEAST * count or found.hits < HITS_LEAST * found.controls:
        return f"the judge saw through {found.hits} of {found.controls} controls: it is not to be believed"
    return ""


def _next(count: int) -> int:
    return next((look for look in LOOKS if look > count), LOOKS[-1])
