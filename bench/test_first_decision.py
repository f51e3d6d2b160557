"""The router in a process as a hook starts one: its import and first decision, beyond a Python that does nothing."""

import subprocess

import pytest
from gates import BURN, figure, held

from orchestrate import hookline
from orchestrate.measure import cases
from orchestrate.measure.runner import Case, interleaved, once

LIMIT_MS = 2.5
SHARE = 0.4  # of the floor, where that is more: on a slow machine
PROMPT = "add pagination to the orders page and write a test for the empty case"
HANDLES = " from orchestrate.entry import main\n main()\n"
# It leaves as a hook does, without the interpreter's own clean-up.
DECIDES = f"""\
 import posix
 from routing.routing_core import decide
 posix.write(1, decide({PROMPT!r}).tier.encode())
 posix._exit(0)
"""
BY_MODULES = f"if True:\n import sys;sys.path.insert(0,sys.argv[1])\n{DECIDES}"


def by_bundle(box):
    """Started as a hook is."""
    assert HANDLES in hookline.BOOT
    return started(box, hookline.BOOT.replace(HANDLES, DECIDES))


def by_modules(box):
    """Without the bundle."""
    return started(box, BY_MODULES)


def started(box, code):
    return Case("first decision", [box.python, "-I", "-S", "-c", code, box.package], "/dev/null", box.env)


def over_floor_ms(case, box):
    """A measure: what the cpu median is above the floor's in one interleaved run, as of a machine that is not slow."""

    def measure(rounds):
        series = interleaved([case, cases.floor(box)], rounds)
        floor_ms = series[cases.FLOOR].cpu_ms
        return (series[case.name].cpu_ms - floor_ms) * min(1.0, LIMIT_MS / (SHARE * floor_ms))

    return measure


def told(case):
    return subprocess.run(case.argv, env=case.env, capture_output=True, text=True, check=True)


@pytest.mark.parametrize("form", [by_bundle, by_modules])
def test_the_import_and_the_first_decision(form, box, benchmark):
    case = form(box)
    assert (told(case).stdout, told(case).stderr) == ("sonnet", "")
    assert held(benchmark, over_floor_ms(case, box), LIMIT_MS, lambda: once(case))


@pytest.mark.parametrize("form", [by_bundle, by_modules])
def test_a_slow_one_exceeds_its_gate(form, slowed):
    box = slowed("routing/routing_core.py", "decide", BURN)
    assert told(form(box)).stdout == "sonnet"
    assert figure(over_floor_ms(form(box), box), LIMIT_MS) > LIMIT_MS
