"""A cold hook: a process that starts, answers, records and ends, against a Python that does nothing."""

import pytest
from gates import BURN, figure, held, over_floor

from orchestrate.hookline import EVENTS
from orchestrate.measure import cases
from orchestrate.measure.runner import once

COLD = 1.35
SHELL = 1.5


@pytest.mark.parametrize("event", EVENTS)
def test_a_cold_hook(event, box, benchmark):
    hook = cases.hook(box, event)
    assert held(benchmark, over_floor(hook, box), COLD, lambda: once(hook))
    assert box.records() > 0


@pytest.mark.parametrize("event", EVENTS)
def test_a_slow_hook_exceeds_its_gate(event, slowed):
    box = slowed("orchestrate/entry.py", "handle", BURN)
    assert figure(over_floor(cases.hook(box, event), box), COLD) > COLD
    assert box.records() > 0


def test_a_hook_started_by_a_shell(box, benchmark):
    hook = cases.by_shell(cases.hook(box, "UserPromptSubmit"), box)
    assert held(benchmark, over_floor(hook, box), SHELL, lambda: once(hook))
    assert box.records() > 0


def test_a_slow_hook_started_by_a_shell_exceeds_its_gate(slowed):
    box = slowed("orchestrate/entry.py", "handle", BURN)
    hook = cases.by_shell(cases.hook(box, "UserPromptSubmit"), box)
    assert figure(over_floor(hook, box), SHELL) > SHELL
    assert box.records() > 0
