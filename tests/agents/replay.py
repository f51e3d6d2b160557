"""The recorded runs of the client, played back from corpus/*.jsonl without a client."""

import json
from pathlib import Path

from orchestrate.agents.outcome import Ended, classify
from orchestrate.agents.stream import Tally

CORPUS = Path(__file__).with_name("corpus")
NAMES = sorted(path.stem for path in CORPUS.glob("*.jsonl"))


def parts(name):
    """(how it ended, lines of stdout, stderr)"""
    first, *lines = (CORPUS / f"{name}.jsonl").read_bytes().splitlines(keepends=True)
    head = json.loads(first)
    return Ended(**head["ended"]), lines, head["stderr"]


def tally_of(lines):
    tally = Tally()
    for line in lines:
        tally.feed(line)
    return tally


def outcome_of(name):
    ended, lines, stderr = parts(name)
    return classify(ended, tally_of(lines), stderr)
