"""Run one command at a terminal against a fake API, with no network but loopback.

    unshare --net python live_cell.py TERMINAL < job and then nothing until it is to end

TERMINAL is the descriptor of an open one; job, on one line, is {"rules", "argv", "env", "cwd"}, each as in cell.py.
Told on stdout, one line each: {"pid"}, then {"request"} as the API is asked, and when the command ends {"rc"}.
"""

import json
import os
import select
import signal
import subprocess
import sys
import threading

from cell import PORT, raise_loopback, write
from fake_api import FakeApi

GRACE_S = 30

_TELLS = threading.Lock()


class TellingApi(FakeApi):
    def take(self, path, headers, body):
        taken = super().take(path, headers, body)
        tell(request={"path": path, "headers": headers, "body": body})
        return taken


def tell(**what):
    """One after the other: the threads of the API tell as well, and more than a pipe takes at once."""
    with _TELLS:
        write(json.dumps(what) + "\n")


def await_end(child):
    """Until it ends by itself, or nobody listens any more."""
    ended = os.pidfd_open(child.pid)
    readable, _, _ = select.select([ended, sys.stdin], [], [])
    if ended not in readable:
        child.send_signal(signal.SIGTERM)
    try:
        return child.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        return child.wait()


def main():
    terminal = int(sys.argv[1])
    job = json.loads(sys.stdin.buffer.raw.readline())
    raise_loopback()
    TellingApi(job["rules"], PORT)
    child = subprocess.Popen(
        ["setsid", "--ctty", *job["argv"]],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=job["env"],
        cwd=job["cwd"],
    )
    os.close(terminal)  # only the command holds it: when all of it has ended, the other side reads the end
    tell(pid=child.pid)
    tell(rc=await_end(child))


if __name__ == "__main__":
    main()
