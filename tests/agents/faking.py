"""A user who calls the real `orchestrate-request`, with fakes/claude as the client on PATH."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from orchestrate.agents import runs
from state import journal
from state.paths import LOG

FAKES = Path(__file__).with_name("fakes")
PROGRAM = str(Path(sys.executable).with_name("orchestrate-request"))
REQUEST = "Fix typo in README.md"  # for haiku-general


class Asked(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def record(self):
        return json.loads(self.out)


class Desk:
    """`env` says what the next request finds; FAKE in it what the client does."""

    def __init__(self, place, folder):
        self.place = place
        self.folder = folder
        folder.mkdir()
        self.env = {
            "PATH": f"{FAKES}:{os.environ['PATH']}",
            "FAKE_DIR": str(folder),
            "ORCHESTRATOR_RUN__BACKOFF_S": "0.01",
        }

    def ask(self, fake, *words, **options):
        with self.start(fake, *words, **options) as process:
            out, err = process.communicate(timeout=60)
        return Asked(process.returncode, out, err)

    def told(self, fake, *words, **env):
        """The record that --json prints."""
        return self.ask(fake, "--json", *words, **env).record

    def start(self, fake, *words, request=REQUEST, program=(PROGRAM,), **env):
        return subprocess.Popen(
            [*program, *words, request],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.place.root,
            env={**os.environ, **self.env, "FAKE": fake, **env},
        )

    def calls(self):
        """(word, model) of each attempt."""
        return [call[:2] for call in self._calls()]

    def sessions(self):
        return [call[2] for call in self._calls()]

    def _calls(self):
        path = self.folder / "calls"
        return [tuple(line.split(" ")) for line in path.read_text().splitlines()] if path.exists() else []

    def saw(self, name):
        return (self.folder / name).read_text()

    def most_at_once(self):
        """How many clients ran at the same time."""
        live = most = 0
        for line in self.saw("live").splitlines():
            live += 1 if line.startswith("+") else -1
            most = max(most, live)
        return most


def recorded_once(place):
    """{run: outcome} of all runs, each with one record and one pair of events."""
    found = {kept.run: kept.record["outcome"] for kept in runs.listed(place)}
    said = events(place)
    starts = sorted(event["entity"]["id"] for event in said if event["type"] == "orchestration.run.started")
    ends = sorted(
        (event["entity"]["id"], event["payload"]["outcome"])
        for event in said
        if event["type"] == "orchestration.run.finished"
    )
    assert starts == sorted(found)
    assert ends == sorted((run, outcome) for run, outcome in found.items() if outcome is not None)
    return found


def events(place):
    logs = sorted(Path(place.state).glob(f"sessions/*/{LOG}"))
    return [json.loads(line) for log in logs for line in journal.tail(str(log), 1 << 30)]
