"""Many hooks at once, all on one session's log: nearly as fast as so many empty programs, and no record is lost."""

from statistics import median

import gates

from orchestrate.measure import cases
from orchestrate.measure.runner import burst

AT_ONCE = 64
LIMIT = 1.45
BURSTS = 7


def over_floor(box, asked):
    """Floor and hooks in turn; `asked` counts the calls made."""
    hook, floor = cases.hook(box, "UserPromptSubmit"), cases.floor(box)

    def measure(rounds):
        ratios = []
        for _ in range(rounds * BURSTS // gates.ROUNDS):
            floor_ms = burst(floor, AT_ONCE)
            ratios.append(burst(hook, AT_ONCE) / floor_ms)
            asked.append(AT_ONCE)
        return median(ratios)

    return measure


def test_64_hooks_at_once(box, benchmark):
    asked = []
    assert gates.kept(benchmark, gates.figure(over_floor(box, asked), LIMIT), LIMIT)
    assert box.records() == sum(asked)
    benchmark.pedantic(burst, (cases.hook(box, "UserPromptSubmit"), AT_ONCE), rounds=3)


def test_64_slow_hooks_at_once_exceed_the_gate(slowed):
    asked = []
    box = slowed("orchestrate/entry.py", "handle", gates.BURN)
    assert over_floor(box, asked)(gates.ROUNDS) > LIMIT
    assert box.records() == sum(asked)
