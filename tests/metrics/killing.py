"""Readers that go a step for each line that they are given, and are killed."""

import os
import signal
import subprocess
from contextlib import suppress


def kill_each(command, times, chance):
    """One after the other, each after as many steps as `chance` says and a moment more."""
    for _ in range(times):
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ)
        steps = chance.randrange(1, 10)
        process.stdin.write("\n" * (steps + 20))  # so far it may go, however late it is killed
        process.stdin.flush()
        assert [process.stdout.readline() for _ in range(steps)] == ["step\n"] * steps
        with suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0, 0.01))
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
