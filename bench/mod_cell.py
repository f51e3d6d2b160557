"""Run command lines in turn against a fake API, with no network but loopback, and tell when the API was asked.

    unshare --net python mod_cell.py < job.json

job = {"rules", "commands": [{"args", "env", "cwd"}, ...], "rounds", "pace_s"}: for every command, the gaps between the
requests of each of its runs, in milliseconds. The rules hold for each run anew. `pace_s` lies between two events of an
answer, as a model's words come one after the other.
"""

import json
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "client"))
from cell import PORT, TIMEOUT_S, raise_loopback
from fake_api import FakeApi, Handler


class PacedHandler(Handler):
    disable_nagle_algorithm = True
    pace_s = 0.0

    def setup(self):
        super().setup()
        self.wfile = PacedFile(self.wfile, self.pace_s)


class PacedFile:
    def __init__(self, file, pace_s):
        self._file, self._pace_s = file, pace_s

    def write(self, data):
        if data.startswith(b"event: "):
            time.sleep(self._pace_s)
        return self._file.write(data)

    def __getattr__(self, name):
        return getattr(self._file, name)


class TimedApi(FakeApi):
    def __init__(self, rules, port):
        self.begin(rules)
        super().__init__(rules, port)
        self.RequestHandlerClass = PacedHandler

    def begin(self, rules):
        self.asked_at = []
        self._rules = [dict(rule) for rule in rules]

    def take(self, path, headers, body):
        self.asked_at.append(time.monotonic_ns() / 1e6)
        return super().take(path, headers, body)


def main():
    job = json.load(sys.stdin)
    raise_loopback()
    PacedHandler.pace_s = job["pace_s"]
    api = TimedApi(job["rules"], PORT)
    gaps = [[] for _ in job["commands"]]
    runs = list(zip(job["commands"], gaps, strict=True))
    for number in range(job["rounds"]):
        for command, series in runs if number % 2 else reversed(runs):  # who comes first has the colder machine
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
