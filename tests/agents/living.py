"""Real processes to be run, watched and killed: fake agents in sh, our own side as a process of its own."""

import itertools
import os
import select
import subprocess
import sys
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
# argv: the agent's script, the user's folder ("" for none), limits as Python. What the run gave is printed.
_OURS = """
import os, signal, sys
from orchestrate.agents.process import ProcessLimits, run
script, user, limits, marker = sys.argv[1:]
done = run([script], os.environ, "/", b"", lambda line: None, eval(limits), marker, user or None)
print(done.ended, flush=True)
"""


_COUNT = itertools.count()


def run_id():
    """No other run has it: what carries it is swept, and other tests may run beside this one."""
    return f"r-{os.getpid()}-{next(_COUNT)}"


TELL = 'echo $$ > "$FIFO"'
HANG = f'{TELL}; read -r _ < "$FIFO.never"'
DEAF = f'trap "" TERM; {TELL}; while :; do sleep 600; done'
DEAF_SOON = "ProcessLimits(grace_s=0.3)"  # for `ours`, where SIGTERM is not what ends the agent


class Fifo:
    """A line arrives or the test waits: `echo $$ > "$FIFO"` in a script is an event here."""

    def __init__(self, path):
        os.mkfifo(path)
        os.mkfifo(f"{path}.never")  # nobody opens it to write
        self.path = str(path)
        self._fd = os.open(path, os.O_RDWR)  # read-write: no end of file between two writers
        self._rest = b""

    def lines(self, count):
        while self._rest.count(b"\n") < count:
            assert select.select([self._fd], [], [], 60)[0], f"{self.path}: nobody wrote"
            self._rest += os.read(self._fd, 4096)
        *taken, self._rest = self._rest.split(b"\n", count)
        return [line.decode() for line in taken]

    def pids(self, count):
        return [int(line) for line in self.lines(count)]

    def say(self, word):
        """To whoever reads it next."""
        os.write(self._fd, f"{word}\n".encode())

    def is_silent(self):
        return not select.select([self._fd], [], [], 0)[0]

    def close(self):
        os.close(self._fd)


def script(path, text):
    path.write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def ours(agent, user="", limits="ProcessLimits(grace_s=60)", **options):
    argv = [sys.executable, "-c", _OURS, agent, str(user), limits, run_id()]
    env = {**os.environ, "PYTHONPATH": str(REPO)}
    return subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True, **options)


def until(holds, within_s=60):
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def catches(pid, signum, mask="SigCgt"):
    """Whether it has a handler for that; with SigIgn, whether it ignores it."""
    with open(f"/proc/{pid}/status") as file:
        caught = next(line.split()[1] for line in file if line.startswith(f"{mask}:"))
    return bool(int(caught, 16) >> (signum - 1) & 1)
