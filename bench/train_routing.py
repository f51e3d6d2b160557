"""Fit the weights of `routing/`, say how good they are on prompts they did not see, and write routing/weights.bin.

    python bench/train_routing.py DATA_FOLDER [--dry-run]

DATA_FOLDER holds agent_prompts.jsonl and peer_tiers.jsonl ({prompt, tier, accept}). Standard library only, fixed seed.
"""

import argparse
import json
import math
import random
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from routing.features import BUCKETS, NAMES, Text, buckets, dense  # noqa: E402
from routing.rules import leans  # noqa: E402
from routing.score import FORMAT, TIERS, choose, confidence, sigmoid, tier_shares  # noqa: E402

SEED = 20261121
FOLDS, REPEATS = 5, 3
EPOCHS = 30
RIDGE_DENSE, RIDGE_HASHED = 0.05, 0.3
HASHED_VALUE = 0.3
PEER_WEIGHT = 0.15
LIMITS = (0.38, 0.32)
CURVE_POINTS = 17
UNREAD = range(49, 97)  # agent prompts that nobody looked at while the word lists were written
WANTED_ACCURACY, WANTED_COVERAGE = 0.85, 0.8
SIZE = len(NAMES) + BUCKETS

Vector = list[tuple[int, float]]


class Row(NamedTuple):
    features: Vector
    tier: int
    accept: frozenset[int]
    weight: float


class Model(NamedTuple):
    heads: tuple[list[float], list[float]]

    def shares(self, row: Row) -> tuple[float, float, float]:
        low, high = (sum(head[i] * value for i, value in row.features) for head in self.heads)
        return tier_shares(low, high)


class Outcome(NamedTuple):
    row: Row
    chosen: int
    share: float
    fold: int
    number: int


def read(path: Path, weight: float) -> list[Row]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Row(
            vector(row["prompt"]),
            TIERS.index(row["tier"]),
            frozenset(TIERS.index(tier) for tier in row["accept"]),
            weight,
        )
        for row in rows
    ]


def vector(prompt: str) -> Vector:
    text = Text(prompt)
    features = [(i, value) for i, value in enumerate(dense(text)) if value]
    return features + [(len(NAMES) + bucket, HASHED_VALUE) for bucket in sorted(buckets(text))]


def fit(rows: list[Row]) -> Model:
    return Model((fit_boundary(rows, 1), fit_boundary(rows, 2)))


def fit_boundary(rows: list[Row], boundary: int) -> list[float]:
    """Logistic regression of `tier >= boundary` by Adagrad; a row that accepts tiers on both sides is left out."""
    sided = [row for row in rows if len({tier >= boundary for tier in row.accept}) == 1]
    weights, squares = [0.0] * SIZE, [1e-6] * SIZE
    shuffle = random.Random(SEED)
    for _ in range(EPOCHS):
        shuffle.shuffle(sided)
        for row in sided:
            step(weights, squares, row, float(row.tier >= boundary), len(sided))
    return weights


def step(weights: list[float], squares: list[float], row: Row, target: float, count: int) -> None:
    error = (sigmoid(sum(weights[i] * value for i, value in row.features)) - target) * row.weight
    for i, value in row.features:
        ridge = RIDGE_DENSE if i < len(NAMES) else RIDGE_HASHED
        slope = error * value + (ridge * weights[i] / math.sqrt(count) if i else 0.0)
        squares[i] += slope * slope
        weights[i] -= 0.15 * slope / math.sqrt(squares[i])


def cross_validate(rows: list[Row], extra: list[Row]) -> list[Outcome]:
    """Each row is decided REPEATS times by a model that did not see it."""
    outcomes = []
    for repeat in range(REPEATS):
        order = list(range(len(rows)))
        random.Random(SEED + repeat).shuffle(order)
        for fold in range(FOLDS):
            held = set(order[fold::FOLDS])
            model = fit([row for i, row in enumerate(rows) if i not in held] + extra)
            outcomes += [decide(model, rows[i], repeat * FOLDS + fold, i) for i in sorted(held)]
    return outcomes


def decide(model: Model, row: Row, fold: int, number: int) -> Outcome:
    shares = model.shares(row)
    chosen = TIERS.index(choose(shares, LIMITS))
    return Outcome(row, chosen, shares[chosen], fold, number)


def fit_curve(outcomes: list[Outcome]) -> list[float]:
    """Platt scaling of the chosen tier's share against 'it was right', as a table."""
    slope, offset = 1.0, 0.0
    points = [(logit(outcome.share), float(outcome.chosen == outcome.row.tier)) for outcome in outcomes]
    for _ in range(800):
        errors = [(sigmoid(slope * x + offset) - right, x) for x, right in points]
        slope -= 0.5 * (sum(error * x for error, x in errors) / len(points) + 0.01 * (slope - 1.0))
        offset -= 0.5 * sum(error for error, _ in errors) / len(points)
    return [round(sigmoid(slope * logit(i / (CURVE_POINTS - 1)) + offset), 4) for i in range(CURVE_POINTS)]


def logit(share: float) -> float:
    share = min(max(share, 0.01), 0.99)
    return math.log(share / (1.0 - share))


def confidences(outcomes: list[Outcome]) -> list[float]:
    """Calibrated without the outcomes of the same fold."""
    curves = {
        fold: fit_curve([outcome for outcome in outcomes if outcome.fold != fold])
        for fold in {outcome.fold for outcome in outcomes}
    }
    return [confidence(outcome.share, curves[outcome.fold]) for outcome in outcomes]


def macro_f1(outcomes: list[Outcome]) -> float:
    scores = []
    for tier in range(3):
        hits = sum(o.chosen == o.row.tier == tier for o in outcomes)
        either = sum(o.chosen == tier for o in outcomes) + sum(o.row.tier == tier for o in outcomes)
        scores.append(2 * hits / either)
    return sum(scores) / 3


def calibration_error(outcomes: list[Outcome], confident: list[float], bins: int = 10) -> float:
    error = 0.0
    for i in range(bins):
        inside = [(o, c) for o, c in zip(outcomes, confident, strict=True) if min(int(c * bins), bins - 1) == i]
        error += abs(sum(c - (o.chosen == o.row.tier) for o, c in inside))
    return error / len(outcomes)


def pick_line(outcomes: list[Outcome], confident: list[float]) -> float:
    """The lowest line with the wanted accuracy above it, but never one that answers less than the wanted coverage."""
    for line in (i / 100 for i in range(40, 90)):
        answered = [o for o, c in zip(outcomes, confident, strict=True) if c >= line]
        if len(answered) < WANTED_COVERAGE * len(outcomes):
            return line - 0.01
        if mean(o.chosen == o.row.tier for o in answered) >= WANTED_ACCURACY:
            return line
    return 0.9


def mean(values) -> float:
    numbers = [float(value) for value in values]
    return sum(numbers) / len(numbers)


def report(title: str, outcomes: list[Outcome], confident: list[float], line: float) -> None:
    answered = [o for o, c in zip(outcomes, confident, strict=True) if c >= line]
    confusion = [
        [sum(o.row.tier == true and o.chosen == said for o in outcomes) for said in range(3)] for true in range(3)
    ]
    print(f"{title}: {len(outcomes)} decisions")
    print(f"  macro-F1            {macro_f1(outcomes):.3f}")
    print(f"  accuracy            {mean(o.chosen == o.row.tier for o in outcomes):.3f}")
    print(f"  in an accepted tier {mean(o.chosen in o.row.accept for o in outcomes):.3f}")
    print(f"  under-route         {mean(o.chosen < min(o.row.accept) for o in outcomes):.3f}")
    print(f"  over-route          {mean(o.chosen > max(o.row.accept) for o in outcomes):.3f}")
    print(f"  coverage            {len(answered) / len(outcomes):.3f} at line {line:.2f}")
    print(f"  accuracy answered   {mean(o.chosen == o.row.tier for o in answered):.3f}")
    print(f"  ECE (10 bins)       {calibration_error(outcomes, confident):.3f}")
    print(f"  confusion (true x chosen, haiku sonnet opus) {confusion}")


def report_stays(path: Path) -> None:
    """How often the word rules keep a prompt in the conversation, for follow-ups and for the others."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    stays: dict[bool, list[bool]] = {True: [], False: []}
    for row in rows:
        stays["follow_up_of" in row.get("context", {})].append(leans(Text(row["prompt"]), False) is not None)
    print(
        f"stay: {sum(stays[True])} of {len(stays[True])} follow-ups, {sum(stays[False])} of {len(stays[False])} others"
    )


def quantized(weights: list[float]) -> tuple[float, bytes]:
    unit = max(map(abs, weights)) / 127
    return unit, bytes(round(weight / unit) & 0xFF for weight in weights)


def packed(model: Model, curve: list[float], line: float) -> bytes:
    dense_part = [weight for head in model.heads for weight in head[: len(NAMES)]]
    hashed_part = [weight * HASHED_VALUE for head in model.heads for weight in head[len(NAMES) :]]
    (dense_unit, dense_bytes), (hashed_unit, hashed_bytes) = quantized(dense_part), quantized(hashed_part)
    head = (
        f"{FORMAT} dense={len(NAMES)} dense_unit={dense_unit:.6g} hashed_unit={hashed_unit:.6g} "
        f"above_haiku={LIMITS[0]} above_sonnet={LIMITS[1]} line={line:.2f} curve={','.join(map(str, curve))}\n"
    )
    return head.encode("ascii") + dense_bytes + hashed_bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--dry-run", action="store_true", help="print the figures, write nothing")
    options = parser.parse_args()
    agents = read(options.data / "agent_prompts.jsonl", 1.0)
    peers = read(options.data / "peer_tiers.jsonl", PEER_WEIGHT)
    outcomes = cross_validate(agents, peers)
    confident = confidences(outcomes)
    line = pick_line(outcomes, confident)
    report(f"agent prompts, {FOLDS}-fold cross-validation x {REPEATS}", outcomes, confident, line)
    unread = [(o, c) for o, c in zip(outcomes, confident, strict=True) if o.number in UNREAD]
    report("of these, prompts unread when the word lists were written", *map(list, zip(*unread, strict=True)), line)
    curve = fit_curve(outcomes)
    alone = fit(agents)
    transfer = [decide(alone, row, 0, i) for i, row in enumerate(peers)]
    report("peer tiers, trained on agent prompts alone", transfer, [confidence(o.share, curve) for o in transfer], line)
    report_stays(options.data / "agent_prompts.jsonl")
    if not options.dry_run:
        target = ROOT / "routing" / "weights.bin"
        target.write_bytes(packed(fit(agents + peers), curve, line))
        print(f"wrote {target.relative_to(ROOT)}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
