"""Run two command lines in turn against a fake API, with no network but loopback, and tell when the API was asked.

    unshare --net python mod_cell.py < job.json

job = {"rules", "commands": [{"argv", "env", "cwd"}, ...], "rounds"}: for every command, the gaps between the requests
of each of its runs, in milliseconds. The rules hold for each run anew.
"""

import json
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "client"))
from cell import PORT, TIMEOUT_S, raise_loopback
from fake_api import FakeApi


class TimedApi(FakeApi):
    def __init__(self, rules, port):
        self.begin(rules)
        super().__init__(rules, port)

    def begin(self, rules):
        self.asked_at = []
        self._rules = [dict(rule) for rule in rules]

    def take(self, path, headers, body):
        self.asked_at.append(time.monotonic_ns() / 1e6)
        return super().take(path, headers, body)


def main():
    job = json.load(sys.stdin)
    raise_loopback()
    api = TimedApi(job["rules"], PORT)
    gaps = [[] for _ in job["commands"]]
    for _ in range(job["rounds"]):
        for command, series in zip(job["commands"], gaps, strict=True):
            api.begin(job["rules"])
            subprocess.run(
                command["args"],
                env=command["env"],
                cwd=command["cwd"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT_S,
                check=True,
            )
            series.append([after - before for before, after in pairwise(api.asked_at)])
    json.dump(gaps, sys.stdout)


if __name__ == "__main__":
    main()
