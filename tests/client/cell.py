"""Run commands against a fake API, with no network but loopback.

    unshare --net python cell.py < job.json > outcome.json

job = {"rules": [...], "commands": [{"argv", "env", "cwd", "stdin"}, ...], "signal": NAME or null, "signal_at": 1}: the
commands run side by side; each gets the signal, if there is one, when the API has been asked so many times.
"""

import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time

from fake_api import FakeApi

PORT = 8080  # nobody else lives in this namespace
TIMEOUT_S = 150  # of all of it
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def raise_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = fcntl.ioctl(sock, SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0))
        flags = struct.unpack("16sh14x", request)[1]
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def start(command):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    child = subprocess.Popen(
        command["argv"], env=command["env"], cwd=command["cwd"], text=True, start_new_session=True, **pipes
    )
    child.stdin.write(command["stdin"])
    child.stdin.close()
    child.stdin = None
    return child


def finish(child, deadline):
    try:
        stdout, stderr = child.communicate(timeout=max(deadline - time.monotonic(), 1))
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        stdout, stderr = child.communicate()
    return {"rc": child.returncode, "stdout": stdout, "stderr": stderr}


def write(text):
    """To stdout, all of it: what is stopped while it writes has written a part, and Python may take that for all."""
    data = memoryview(text.encode())
    while data:
        data = data[os.write(1, data) :]


def main():
    job, deadline = json.load(sys.stdin), time.monotonic() + TIMEOUT_S
    raise_loopback()
    api = FakeApi(job["rules"], PORT)
    children = [start(command) for command in job["commands"]]
    if job["signal"] and api.was_asked(job["signal_at"], TIMEOUT_S):
        for child in children:
            child.send_signal(getattr(signal, job["signal"]))
    results = [finish(child, deadline) for child in children]
    write(json.dumps({"results": results, "requests": api.requests}))


if __name__ == "__main__":
    main()
