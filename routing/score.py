"""Numbers to a tier: linear scores with int8 weights, and a table that turns their verdict into a confidence.

Two scores are of work for an agent (haiku against the rest, the rest against opus), one is of questions as an exam puts
them, and one tells the two kinds apart. All of them end in the same three shares.

The weights file is one line of text (`name=value ...`) and then numbers: for each score an int16 per fact, of a step of
a thermometer the sum up to it, then for all but the last a byte per hash bucket (128 is nothing), then the lexicon.
bench/routing/train.py writes it.
"""

from routing.facts import NAMES, Lexicon, expanded, read
from routing.features import BUCKETS, SLOTS, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from routing.correction import Correction

HAIKU, SONNET, OPUS = TIERS = ("haiku", "sonnet", "opus")
FORMAT = "routing-weights-3"
HEADS = LOW, HIGH, QUESTION, KIND = range(4)
HASHED = (LOW, HIGH, QUESTION)
ZERO = 128
BODY = 2 * len(HEADS) * len(NAMES) + len(HASHED) * BUCKETS + 2 * SLOTS
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
        at = 2 * len(HEADS) * len(NAMES)
        dense = memoryview(body)[:at].cast("h").tolist()
        self.dense = [dense[head * len(NAMES) : (head + 1) * len(NAMES)] for head in HEADS]
        self.hashed = [body[at + head * BUCKETS : at + (head + 1) * BUCKETS] for head in HASHED]
        self.lexicon = Lexicon(memoryview(body)[at + len(HASHED) * BUCKETS :].cast("H"), groups)


def _numbers(field: str) -> list[float]:
    return [float(number) for number in field.split(",")]


class Verdict:
    """The chosen tier, the share of belief each tier has, and what spoke for a dearer one (+) or against it (-).

    `scores` are those of the two boundaries, in log-odds; `facts` are places in NAMES, of a thermometer the last.
    """

    __slots__ = ("curve", "facts", "scores", "shares", "spoke", "tier")

    def __init__(
        self,
        tier: str,
        shares: tuple[float, float, float],
        curve: list[float],
        spoke: list[tuple[float, str]],
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
    facts, places = read(text, weights.lexicon)
    share = len(places) ** -0.5 if places else 0.0  # long prompts have no more to say than short ones
    low_words, high_words = _words(weights, LOW, places, share), _words(weights, HIGH, places, share)
    low, high = _dense(weights, LOW, facts) + low_words, _dense(weights, HIGH, facts) + high_words
    asked = sigmoid(_dense(weights, KIND, facts))  # how surely it is a question as an exam puts it
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
    spoke.append(((low_words, high_words)[boundary], "other words"))
    if correction:
        spoke.append((moved[boundary], "your correction"))
    return Verdict(tier, shares, weights.curve, spoke, (low, high), facts)


def values_of(facts: list[int]) -> list[float]:
    """One value for each of NAMES."""
    values = [0.0] * len(NAMES)
    for fact in expanded(facts):
        values[fact] = 1.0
    return values


def _words(weights: Weights, score: int, places: list[int], share: float) -> float:
    head = weights.hashed[score]
    return (sum([head[place] for place in places]) - ZERO * len(places)) * weights.hashed_units[score] * share


def _dense(weights: Weights, score: int, facts: list[int]) -> float:
    return sum(map(weights.dense[score].__getitem__, facts)) * weights.dense_units[score]


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
    power: float = _E ** -(logit if -30.0 < logit < 30.0 else max(-30.0, min(30.0, logit)))
    return 1.0 / (1.0 + power)


def confidence(share: float, curve: list[float]) -> float:
    """Read the calibration curve, whose points lie evenly between a share of 0 and 1."""
    place = share * (len(curve) - 1)
    left = min(int(place), len(curve) - 2)
    return curve[left] + (curve[left + 1] - curve[left]) * (place - left)


def _spoke(weights: Weights, boundary: int, facts: list[int]) -> list[tuple[float, str]]:
    """Not the baseline, which stands first."""
    head, unit = weights.dense[boundary], weights.dense_units[boundary]
    return [(head[fact] * unit, NAMES[fact]) for fact in facts[1:] if head[fact]]
