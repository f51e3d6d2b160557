"""Instructions, counted by valgrind: the one figure that a busy machine does not move (by 1 %: hashes are random)."""

import os
import re
import shutil
import subprocess

import pytest
from gates import BURN, kept

from orchestrate.measure import cases

LIMIT = 1.25
AIM = 1.00
COUNTED = re.compile(r"Collected : (\d+)")

pytestmark = pytest.mark.skipif(
    shutil.which("valgrind") is None and os.environ.get("CI") != "true", reason="valgrind is not installed"
)


def instructions(case):
    with open(case.stdin, "rb") as stdin:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={os.devnull}", *case.argv],
            stdin=stdin,
            capture_output=True,
            text=True,
            env={**case.env, "PYTHONHASHSEED": "0"},
            timeout=200,
            check=True,
        )
    return int(COUNTED.search(done.stderr)[1])


def ratio(box):
    """The second call of a session: the first makes its folders."""
    hook = cases.hook(box, "UserPromptSubmit")
    instructions(hook)
    return instructions(hook) / instructions(cases.floor(box))


def test_instructions_of_a_cold_hook(box, benchmark):
    value = benchmark.pedantic(ratio, (box,), rounds=1)
    benchmark.extra_info["above_aim"] = round(value - AIM, 3)
    assert kept(benchmark, value, LIMIT)
    assert box.records() == 2


def test_more_instructions_exceed_their_gate(slowed):
    box = slowed("orchestrate/entry.py", "handle", BURN)
    assert ratio(box) > LIMIT
    assert box.records() == 2
