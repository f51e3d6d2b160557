"""Pairs of which the truth is known: in so many points of a hundred the cheaper tier's work is worse.

    python tests/shadow/planted.py

prints how often each gap is let pass, over 200 seeds, by judges of several kinds.
"""

import random
import sys
from pathlib import Path
from typing import NamedTuple

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from orchestrate.shadow.evidence import LOOKS, OPEN, PASSED, Pair, standing

SEEDS = 200
STRIDE = 5  # pairs between two looks at whether to give up
GAPS = (0, 5, 10, 20)


class Judge(NamedTuple):
    """How often it sees that the cheaper work is worse, and how often it says so of work that is not."""

    sees: float
    errs: float
    sees_controls: float = 1.0


EXACT, GOOD, NOISY = Judge(1.0, 0.0), Judge(0.98, 0.01, 0.99), Judge(0.9, 0.02, 0.95)
LAZY, TOSSING = Judge(0.0, 0.0, 0.0), Judge(0.33, 0.33, 0.33)
JUDGES = {"exact": EXACT, "good": GOOD, "noisy": NOISY, "always equal": LAZY, "tossing": TOSSING}


def pair(chance, gap, judge, number, tests=0.3):
    """`tests`: the share of worse work that breaks the project's tests too, whatever the judge says."""
    is_worse = chance.random() < gap / 100
    breaks = is_worse and chance.random() < tests
    says_worse = chance.random() < (judge.sees if is_worse else judge.errs)
    saw = chance.random() < judge.sees_controls if number % 5 == 0 else None
    return Pair(not (breaks or says_worse), breaks, True, saw)


def tried(seed, gap, judge, most=LOOKS[-1]):
    """The class as it stands when it is no longer open, with the pairs tried until then."""
    chance, pairs = random.Random(seed * 1000 + gap), []
    found = standing(pairs)
    while found.outcome == OPEN and len(pairs) < most:
        pairs += [pair(chance, gap, judge, len(pairs) + more) for more in range(STRIDE)]
        found = standing(pairs)
    return found, len(pairs)


def accepted(gap, judge, most=LOOKS[-1]):
    """(share of seeds that pass, mean number of pairs)."""
    found = [tried(seed, gap, judge, most) for seed in range(SEEDS)]
    return sum(each.outcome == PASSED for each, _ in found) / SEEDS, sum(count for _, count in found) / SEEDS


def main():
    print("judge          gap  passes  pairs  passes at 50")
    for name, judge in JUDGES.items():
        for gap in GAPS:
            share, count = accepted(gap, judge)
            first, _ = accepted(gap, judge, LOOKS[0])
            print(f"{name:13} {gap:4d} {share:7.1%} {count:6.0f} {first:13.1%}")


if __name__ == "__main__":
    main()
