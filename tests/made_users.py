"""Users of whom the truth is known: what they ask, and which tier would have been right for it."""

import itertools
import random
from functools import cache

from orchestrate.learning import examples
from orchestrate.learning.signals import above, below
from routing.score import TIERS

OPENINGS = ("Add", "Fix", "Review", "Rename", "Explain", "Refactor", "Design", "Test", "Debug", "Document")
THINGS = (
    "the retry of the uploader",
    "the typo in README.md",
    "the order in which the ledger posts payments",
    "the race between the two workers",
    "the names of the columns in src/report.py",
    "the parser for the config file",
    "the token check of the login endpoint",
    "the migration of the orders table",
    "the flaky upload test",
    "the cache of the search page",
)
MANNERS = (
    "",
    ", and run the tests afterwards",
    " so that it survives a restart, with the trade-offs written down, and say what could go wrong in production",
)
WEIGHTS = examples.weights()


def prompts(count, seed=7):
    """Different texts, of all kinds and lengths."""
    asked = [f"{verb} {thing}{manner}" for verb, thing, manner in itertools.product(OPENINGS, THINGS, MANNERS)]
    random.Random(seed).shuffle(asked)
    return tuple(asked[:count])


def shipped(text):
    """The tier that the shipped weights give it."""
    return TIERS[examples.of_text(text, TIERS[:1], WEIGHTS).tier(WEIGHTS, None)]


def truth(text, shift):
    """Of a user whose boundaries lie elsewhere by `shift`."""
    low, high = examples.of_text(text, TIERS[:1], WEIGHTS).scores
    return "opus" if high + shift[1] > 0 else "sonnet" if low + shift[0] > 0 else "haiku"


@cache
def boundaries(low, high, texts, share=0.35):
    """The nearest boundaries in this direction by which so many texts get another tier than they need, whatever the
    weights are."""
    for quarter in range(1, 17):
        shift = (low * quarter / 4, high * quarter / 4)
        if sum(truth(text, shift) != shipped(text) for text in texts) >= share * len(texts):
            break
    return shift


def verdict(decided, true):
    order = TIERS.index(true) - TIERS.index(decided)
    return "good" if not order else "too-weak" if order > 0 else "too-strong"


def accepted(decided, word):
    """The tiers that a verdict on the decided one leaves; none where it says nothing."""
    return {"good": frozenset((decided,)), "too-weak": above(decided), "too-strong": below(decided)}[word]


def judged(texts, word_of):
    """Examples of a user who says `word_of(text, decided)`."""
    said = [(text, accepted(shipped(text), word_of(text, shipped(text)))) for text in texts]
    return [examples.of_text(text, accept, WEIGHTS) for text, accept in said if accept]


def shifted(texts, shift):
    return judged(texts, lambda text, decided: verdict(decided, truth(text, shift)))


def careless(texts, seed):
    """Says whatever comes to mind."""
    chance = random.Random(seed)
    return judged(texts, lambda _text, _decided: chance.choice(("good", "too-weak", "too-strong")))
