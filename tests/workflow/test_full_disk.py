"""A disk that a step fills up: the run stops where it can no longer be recorded, and goes on when there is room."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from machine import Machine
from mounting import AS_ROOT, mounts

pytestmark = pytest.mark.slow
FILLS = """
workflow:
  name: fills
  steps:
    - {id: a, command: [sh, -c, "echo a >> a.log; echo one"], output: one}
    - id: b
      command: [sh, -c, "echo b >> b.log; mkdir once && cat /dev/zero > ~/.orchestrator/filler; echo two"]
      depends_on: a
      output: two
    - {id: c, command: [sh, -c, "echo c >> c.log; echo $0", "{one} {two}"], depends_on: b}
"""
SCRIPT = """
mount -t tmpfs -o size=6m x ~/.orchestrator
orchestrate workflow run "$0"
echo "exit code $?"
rm ~/.orchestrator/filler
orchestrate workflow resume w-
echo "exit code $?"
orchestrate workflow show w-
"""


@mounts
@pytest.mark.timeout(400)
def test_what_a_full_disk_did_not_take_is_done_again_and_nothing_else(tmp_path):
    machine = Machine(tmp_path / "m", idle_s="0.5")
    Path(machine.user).mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}{machine.env['PATH']}"
    done = subprocess.run(
        [*AS_ROOT, "sh", "-c", SCRIPT, machine.workflow(FILLS)],
        env={**machine.env, "PATH": path}, cwd=machine.project, capture_output=True, text=True, check=False,
    )  # fmt: skip
    first, answer, last, header, *rows = done.stdout.splitlines()
    assert (first, answer, last) == ("exit code 1", "one two", "exit code 0"), done.stderr
    assert "the runner ends again and again" in done.stderr
    assert re.fullmatch(r"w-\S+  fills  finished", header)
    assert [row.split()[:2] for row in rows] == [["a:", "finished"], ["b:", "finished"], ["c:", "finished"]]
    logs = [(machine.project / f"{name}.log").read_text().split() for name in "abc"]
    assert [len(lines) for lines in logs] == [1, len(logs[1]), 1] and len(logs[1]) >= 2
