"""Numbers to a tier: two linear scores with int8 weights, and a table that turns their verdict into a confidence.

The weights file is one line of text (`name=value ...`) and then bytes: for both boundaries one int8 per dense feature,
then for both one per hash bucket. bench/train_routing.py writes it.
"""

from routing.features import BUCKETS, NAMES, Text, buckets, dense

HAIKU, SONNET, OPUS = TIERS = ("haiku", "sonnet", "opus")
FORMAT = "routing-weights-1"
_E = 2.718281828459045


class Weights:
    __slots__ = ("curve", "dense", "dense_unit", "hashed", "hashed_unit", "line", "shares")

    def __init__(self, data: bytes) -> None:
        head, _, body = data.partition(b"\n")
        kind, *pairs = head.decode("ascii").split(" ")
        fields = dict(pair.split("=", 1) for pair in pairs)
        if kind != FORMAT or fields["dense"] != str(len(NAMES)) or len(body) != 2 * (len(NAMES) + BUCKETS):
            raise ValueError("the weights file does not fit this version: run bench/train_routing.py")
        self.dense_unit = float(fields["dense_unit"])
        self.hashed_unit = float(fields["hashed_unit"])
        self.shares = (float(fields["above_haiku"]), float(fields["above_sonnet"]))
        self.line = float(fields["line"])
        self.curve = [float(point) for point in fields["curve"].split(",")]
        int8 = memoryview(body).cast("b")
        size = len(NAMES)
        self.dense = (int8[:size], int8[size : 2 * size])
        self.hashed = (int8[2 * size : 2 * size + BUCKETS], int8[2 * size + BUCKETS :])


class Verdict:
    """The chosen tier, the share of belief each tier has, and what spoke for a dearer one (+) or against it (-)."""

    __slots__ = ("curve", "shares", "spoke", "tier")

    def __init__(
        self, tier: str, shares: tuple[float, float, float], curve: list[float], spoke: dict[str, float]
    ) -> None:
        self.tier = tier
        self.shares = shares
        self.curve = curve
        self.spoke = spoke

    def confidence_in(self, tier: str) -> float:
        return confidence(self.shares[TIERS.index(tier)], self.curve)


def load(path: str) -> Weights:
    with open(path, "rb", 0) as file:
        return Weights(file.read())


def judge(text: Text, weights: Weights) -> Verdict:
    values = dense(text)
    terms = buckets(text)
    words = [sum(map(head.__getitem__, terms)) * weights.hashed_unit for head in weights.hashed]
    logits = [
        sum(map(_times, values, head)) * weights.dense_unit + word
        for head, word in zip(weights.dense, words, strict=True)
    ]
    shares = tier_shares(logits[0], logits[1])
    tier = choose(shares, weights.shares)
    boundary = 0 if tier == HAIKU or (tier == SONNET and abs(logits[0]) < abs(logits[1])) else 1
    spoke = _spoke(values, weights, boundary)
    spoke["other words"] = words[boundary]
    return Verdict(tier, shares, weights.curve, spoke)


def _times(value: float, weight: int) -> float:
    return value * weight


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


def _spoke(values: list[float], weights: Weights, boundary: int) -> dict[str, float]:
    spoke: dict[str, float] = {}
    for name, value, weight in zip(NAMES, values, weights.dense[boundary], strict=True):
        if value and weight:
            spoke[name] = spoke.get(name, 0.0) + value * weight * weights.dense_unit
    return spoke
