"""The rows that the router learns from, as sparse vectors over its facts and hash buckets."""

import json
import random
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import sparse

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

import lexicon  # noqa: E402

from routing.facts import NAMES, Lexicon, expanded, read  # noqa: E402
from routing.features import BUCKETS, Text  # noqa: E402
from routing.score import TIERS  # noqa: E402

CORPUS = ROOT / "bench" / "routing" / "corpus"
FACT_VALUE, HASHED_VALUE = 0.4, 4.0  # how far a fact and a word may go before the ridge holds them back
LEXICON = Lexicon(*lexicon.built())
POLITE_STARTS = (
    "please ",
    "hey, could you ",
    "hi! can you please ",
    "ok so ",
    "quick one: ",
    "I need you to ",
    "Hello, ",
)
POLITE_ENDS = (" please", " thanks!", ", thank you", " asap", " cheers")

PASTES = (
    "\n\n```\nINFO worker 3 started\nWARN queue is at 80 %\nERROR job 17 failed, retrying\n```",
    "\n\n> as it says in the wiki\n> it was so before\n",
    '\n\n<log>\nTraceback (most recent call last):\n  File "a.py", line 3, in run\nValueError: no\n</log>',
    "\n\n| name | value |\n|---|---|\n| a | 1 |\n",
)


class Tiered(NamedTuple):
    prompt: str
    tier: int
    accept: frozenset[int]
    group: str  # stratum or source
    context: dict[str, object]


class Paired(NamedTuple):
    """What a weak and a strong model scored on a prompt."""

    prompt: str
    weak: float
    strong: float
    source: str
    domain: str


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def tiered(path: Path, by: str = "stratum") -> list[Tiered]:
    return [
        Tiered(
            row["prompt"],
            TIERS.index(row["tier"]),
            frozenset(map(TIERS.index, row.get("accept") or [row["tier"]])),
            str(row.get(by, "")).partition(":")[0],
            row.get("context") or {},
        )
        for row in lines(path)
    ]


def corpus() -> list[Tiered]:
    return [row for path in sorted(CORPUS.glob("*.jsonl")) for row in tiered(path)]


def paired(folder: Path) -> list[Paired]:
    return [
        Paired(row["prompt"], float(row["weak"]), float(row["strong"]), str(row["bench"]), str(row["domain"]))
        for name in ("routellm", "routerarena", "llmrouter_mix")
        for row in lines(folder / f"{name}.jsonl")
    ]


def matrix(prompts: Iterable[str]) -> sparse.csr_matrix:
    data: list[float] = []
    columns: list[int] = []
    ends = [0]
    for prompt in prompts:
        last, unsorted = read(Text(prompt), LEXICON)
        facts, places = expanded(last), sorted(unsorted)
        columns += facts
        columns += [len(NAMES) + place for place in places]
        data += [FACT_VALUE] * len(facts)
        data += [HASHED_VALUE / np.sqrt(len(places) or 1)] * len(places)
        ends.append(len(columns))
    return sparse.csr_matrix((data, columns, ends), shape=(len(ends) - 1, len(NAMES) + BUCKETS))


def disturbed(prompt: str, seed: int) -> str:
    """The same request as somebody else would have typed it."""
    dice = random.Random(f"{seed} {prompt}")
    words = prompt.split(" ")
    for i, word in enumerate(words):
        if len(word) > 3 and word.isalpha() and dice.random() < 0.06:
            at = dice.randrange(len(word) - 1)
            words[i] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    text = " ".join(words)
    start, end = dice.choice(("", "", *POLITE_STARTS)), dice.choice(("", "", *POLITE_ENDS))
    return start + (text.lower() if dice.random() < 0.3 else text) + end + dice.choice(("", "", *PASTES))
