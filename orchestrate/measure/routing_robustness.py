"""How often a decision stays the same when the words around the request change and the request does not."""

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import NamedTuple

from orchestrate.measure.routing_answers import situation
from orchestrate.measure.routing_rows import Asked
from orchestrate.measure.routing_tiers import SEED
from routing import routing_core

MOST_PROMPTS = 500
LETTERS_PER_TYPO = 40
SHORTEST_TYPO = 4  # letters of a word in which two can be swapped and it is still known

Change = Callable[[str, Random], Iterator[str]]


class Robustness(NamedTuple):
    """`variants`: changed prompts that differ from the given one."""

    kind: str
    variants: int
    unchanged: float | None


POLITE = ("please {}", "{}\n\nthanks!", "could you please help me with this: {}", "{} thank you very much")
PREFIXES = ("hi, {}", "ok so {}", "next: {}", "in this repo: {}", "- {}")
# One word for another that asks for the same work; each that occurs makes a prompt of its own, replaced once.
SAME_MEANING = (
    ("fix", "correct"),
    ("add", "put in"),
    ("remove", "get rid of"),
    ("delete", "remove"),
    ("rename", "change the name of"),
    ("show", "display"),
    ("list", "enumerate"),
    ("find", "locate"),
    ("where is", "in which place is"),
    ("explain", "help me understand"),
    ("implement", "build"),
    ("write", "create"),
    ("create", "make"),
    ("refactor", "restructure"),
    ("review", "look over"),
    ("design", "work out a design for"),
    ("debug", "find the cause of"),
    ("update", "bring up to date"),
    ("what does", "tell me what it is that"),
    ("why does", "what is the reason that"),
    ("how do i", "what is the way to"),
    ("make sure", "ensure"),
    ("check", "verify"),
    ("run", "execute"),
    ("convert", "turn"),
    ("should", "ought to"),
)


def _case(prompt: str, _: Random) -> Iterator[str]:
    yield from (prompt.lower(), prompt.upper(), prompt[:1].swapcase() + prompt[1:])


def _typos(prompt: str, draw: Random) -> Iterator[str]:
    """Two neighbouring letters within a word swapped, once in 40 characters."""
    letters = list(prompt)
    inner = [
        i
        for i in range(1, len(letters) - SHORTEST_TYPO + 2)
        if "".join(letters[i - 1 : i + SHORTEST_TYPO - 1]).isalpha() and letters[i] != letters[i + 1]
    ]
    for place in draw.sample(inner, min(len(inner), 1 + len(letters) // LETTERS_PER_TYPO)):
        letters[place], letters[place + 1] = letters[place + 1], letters[place]
    yield "".join(letters)


def _whitespace(prompt: str, _: Random) -> Iterator[str]:
    lines = prompt.split("\n")
    wide = [line[: len(line) - len(line.lstrip())] + line.lstrip().replace(" ", "  ") for line in lines]
    yield from (f"\n  {prompt}", f"{prompt} \n\n", "\n".join(wide), prompt.replace("\n", "\r\n"))


def _politeness(prompt: str, _: Random) -> Iterator[str]:
    yield from (form.replace("{}", prompt) for form in POLITE)


def _prefix(prompt: str, _: Random) -> Iterator[str]:
    yield from (form.replace("{}", prompt) for form in PREFIXES)


def _paraphrase(prompt: str, _: Random) -> Iterator[str]:
    spaced = f" {prompt} "
    low = spaced.lower()
    for word, other in SAME_MEANING:
        place = low.find(f" {word} ")
        if place >= 0 and len(low) == len(spaced):
            yield (spaced[: place + 1] + other + spaced[place + 1 + len(word) :])[1:-1]


KINDS: dict[str, Change] = {
    "case": _case,
    "typos": _typos,
    "whitespace": _whitespace,
    "politeness": _politeness,
    "prefix": _prefix,
    "paraphrase": _paraphrase,
}


def robustness(asked: Sequence[Asked]) -> list[Robustness]:
    """For each kind of change, the share of tiers that stayed; of at most 500 prompts."""
    draw = Random(SEED)  # noqa: S311  a sample, not a secret
    sample = draw.sample(asked, min(len(asked), MOST_PROMPTS))
    before = [_tier(one, one.prompt) for one in sample]
    return [_kept(kind, change, sample, before, draw) for kind, change in KINDS.items()]


def _kept(kind: str, change: Change, sample: list[Asked], before: list[str], draw: Random) -> Robustness:
    same = [
        _tier(one, changed) == tier
        for one, tier in zip(sample, before, strict=True)
        for changed in change(one.prompt, draw)
        if changed != one.prompt
    ]
    return Robustness(kind, len(same), sum(same) / len(same) if same else None)


def _tier(one: Asked, prompt: str) -> str:
    return routing_core.decide(prompt, situation(one)).tier
