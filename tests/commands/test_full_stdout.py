import os
import subprocess
import sys

import pytest

FULL = "/dev/full"


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists(FULL), reason="this system has no device that is always full")
def test_a_full_disk_behind_stdout_is_one_line(project):
    with open(FULL, "wb") as full:
        argv = [sys.executable, "-m", "orchestrate", "config", "reference"]
        done = subprocess.run(argv, stdout=full, stderr=subprocess.PIPE, cwd=project, check=False, timeout=100)
    told = b"orchestrate: stdout: the disk is full, the answer is cut off: make room and try again\n"
    assert (done.returncode, done.stderr) == (1, told)
