"""Numbers to a tier: linear scores with int8 weights, and a table that turns their verdict into a confidence.

Two scores are of work for an agent (haiku against the rest, the rest against opus), one is of questions as an exam puts
them, and one tells the two kinds apart. All of them end in the same three shares.

The weights file is one line of text (`name=value ...`) and then bytes: for each score one int8 per fact, then for each
one per hash bucket, then the lexicon. bench/routing/train.py writes it.
"""

from routing.facts import NAMES, Lexicon, read
from routing.features import BUCKETS, SLOTS, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from routing.correction import Correction

HAIKU, SONNET, OPUS = TIERS = ("haiku", "sonnet", "opus")
FORMAT = "routing-weights-2"
KIND_BUCKETS = 1021
HASHED = (BUCKETS, BUCKETS, BUCKETS, KIND_BUCKETS)
LOW, HIGH, QUESTION, KIND = range(4)
BODY = len(HASHED) * len(NAMES) + sum(HASHED) + 2 * SLOTS
KIND_SHARE = 0.02  # below it nothing of the question's score is looked at
_E = 2.718281828459045


class Weights:
    __slots__ = ("curve", "dense", "dense_units", "hashed", "hashed_units", "lexicon", "line", "question", "shares")

    def __init__(self, data: bytes) -> None:
        head, _, body = data.partition(b"\n")
        kind, *pairs = head.decode("ascii").split(" ")
        fields = dict(pair.split("=", 1) for pair in pairs)
        if kind != FORMAT or fields["facts"] != str(len(NAMES)) or len(body) != BODY:
            raise ValueError("the weights file does not fit this version: run bench/routing/train.py")
        self.dense_units = _numbers(fields["dense_units"])
        self.hashed_units = _numbers(fields["hashed_units"])
        self.shares = (float(fields["above_haiku"]), float(fields["above_sonnet"]))
        self.question = _numbers(fields["question"])
        self.line = float(fields["line"])
        self.curve = _numbers(fields["curve"])
        groups = [tuple(map(int, group.split("+"))) for group in fields["groups"].split(",")]
        parts = _cut(memoryview(body))
        self.lexicon = Lexicon(parts[-1].cast("H"), groups)
        self.dense = [part.cast("b") for part in parts[:4]]
        self.hashed = [part.cast("b") for part in parts[4:8]]


def _numbers(field: str) -> list[float]:
    return [float(number) for number in field.split(",")]


def _cut(body: memoryview) -> list[memoryview]:
    parts, at = [], 0
    for size in (*(len(NAMES) for _ in HASHED), *HASHED, 2 * SLOTS):
        parts.append(body[at : at + size])
        at += size
    return parts


class Verdict:
    """The chosen tier, the share of belief each tier has, and what spoke for a dearer one (+) or against it (-).

    `scores` are those of the two boundaries, in log-odds; `facts` are places in NAMES.
    """

    __slots__ = ("curve", "facts", "scores", "shares", "spoke", "tier")

    def __init__(
        self,
        tier: str,
        shares: tuple[float, float, float],
        curve: list[float],
        spoke: dict[str, float],
        scores: tuple[float, float],
        facts: list[int],
    ) -> None:
        self.tier = tier
        self.shares = shares
        self.curve = curve
        self.spoke = spoke
        self.scores = scores
        self.facts = facts

    def confidence_in(self, tier: str) -> float:
        return confidence(self.shares[TIERS.index(tier)], self.curve)

    def values(self) -> list[float]:
        return values_of(self.facts)


def load(path: str) -> Weights:
    with open(path, "rb", 0) as file:
        return Weights(file.read())


def judge(text: Text, weights: Weights, correction: "Correction | None" = None) -> Verdict:
    facts, codes = read(text, weights.lexicon)
    places = [code % BUCKETS for code in codes]
    share = len(places) ** -0.5 if places else 0.0  # long prompts have no more to say than short ones
    low_words, high_words = _words(weights, LOW, places, share), _words(weights, HIGH, places, share)
    low, high = _dense(weights, LOW, facts) + low_words, _dense(weights, HIGH, facts) + high_words
    asked = _asked(weights, facts, places, share)
    if asked > KIND_SHARE:
        offset_low, offset_high, slope = weights.question
        question = slope * (_dense(weights, QUESTION, facts) + _words(weights, QUESTION, places, share))
        low += asked * (question + offset_low - low)
        high += asked * (question + offset_high - high)
    moved = correction.of(NAMES, values_of(facts)) if correction else (0.0, 0.0)
    low, high = low + moved[0], high + moved[1]
    shares = tier_shares(low, high)
    tier = choose(shares, weights.shares)
    boundary = LOW if tier == HAIKU or (tier == SONNET and abs(low) < abs(high)) else HIGH
    spoke = _spoke(weights, boundary, facts)
    spoke["other words"] = (low_words, high_words)[boundary]
    spoke["your correction"] = moved[boundary]
    return Verdict(tier, shares, weights.curve, spoke, (low, high), facts)


def values_of(facts: list[int]) -> list[float]:
    """One value for each of NAMES."""
    values = [0.0] * len(NAMES)
    for fact in facts:
        values[fact] = 1.0
    return values


def _words(weights: Weights, score: int, places: list[int], share: float) -> float:
    return sum(map(weights.hashed[score].__getitem__, places)) * weights.hashed_units[score] * share


def _dense(weights: Weights, score: int, facts: list[int]) -> float:
    return sum(map(weights.dense[score].__getitem__, facts)) * weights.dense_units[score]


def _asked(weights: Weights, facts: list[int], places: list[int], share: float) -> float:
    """How surely the prompt is a question as an exam puts it, rather than work for an agent."""
    hashed = weights.hashed[KIND]
    words = sum([hashed[place % KIND_BUCKETS] for place in places])
    return sigmoid(_dense(weights, KIND, facts) + words * weights.hashed_units[KIND] * share)


def tier_shares(above_haiku: float, above_sonnet: float) -> tuple[float, float, float]:
    dearer, dearest = sigmoid(above_haiku), sigmoid(above_sonnet)
    opus = min(dearer, dearest)
    return 1.0 - dearer, dearer - opus, opus


def choose(shares: tuple[float, float, float], limits: tuple[float, float]) -> str:
    """The limits lie below one half: too weak a tier costs more than too dear a one."""
    if shares[2] > limits[1]:
        return OPUS
    return SONNET if 1.0 - shares[0] > limits[0] else HAIKU


def sigmoid(logit: float) -> float:
    power: float = _E ** -max(-30.0, min(30.0, logit))
    return 1.0 / (1.0 + power)


def confidence(share: float, curve: list[float]) -> float:
    """Read the calibration curve, whose points lie evenly between a share of 0 and 1."""
    place = share * (len(curve) - 1)
    left = min(int(place), len(curve) - 2)
    return curve[left] + (curve[left + 1] - curve[left]) * (place - left)


def _spoke(weights: Weights, boundary: int, facts: list[int]) -> dict[str, float]:
    spoke: dict[str, float] = {}
    head, unit = weights.dense[boundary], weights.dense_units[boundary]
    for fact in facts:
        if head[fact]:
            name = NAMES[fact]
            spoke[name] = spoke.get(name, 0.0) + head[fact] * unit
    return spoke
