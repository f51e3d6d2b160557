"""The four scores of routing/score.py: logistic regressions with a ridge."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from rows import FACT_VALUE, HASHED_VALUE, LEXICON, Paired, Tiered
from scipy import sparse
from scipy.optimize import Bounds, minimize

from routing.facts import NAMES, expanded
from routing.score import BODY, FORMAT, HASHED, ZERO

TIER_RIDGE, TEACHER_RIDGE, QUESTION_RIDGE, KIND_RIDGE = 2.0, 1.0, 0.06, 10.0  # more is looser
TAUGHT_WEIGHT = 1.0
# Of the offsets that each source of pairs and each subject of MMLU has while the score is fitted, and not afterwards.
SOURCE_VALUE, SUBJECT_VALUE = 3.0, 1.0
QUESTION_WORDS = 0.65  # of a hashed word: subjects that were not seen have other words
WORSE_WEIGHT = 2.0  # of a question that the stronger model does worse
KIND_SLOPE = 3.0  # sharper than fitted: what is half a question is hard to place among either kind
SOURCE_WEIGHTS = {"mmlu": 1.2, "gsm8k": 1.5, "routerarena": 2.0, "llmrouter": 1.0}
# Of the questions whose difficulty we know: how many of them haiku, and haiku or sonnet, are left with.
QUESTION_HAIKU, QUESTION_SONNET = 0.5, 0.92
QUESTION_SLOPE = 2.2
STEPS = {"maxiter": 200, "ftol": 1e-7}
# Words of deep work stand in many a trivial request: they weigh little there, but they never speak for a cheaper tier.
_DEEP = ("concurrency", "memory", "security", "proof", "scale", "incident", "stakes", "destructive")
RISING = [
    place
    for place, name in enumerate(NAMES)
    if name in {f"{word} words" for word in _DEEP} | {"deep words of several kinds", "deep words and high stakes"}
]


class Model(NamedTuple):
    """One row of weights for each score, facts first."""

    heads: list[np.ndarray]
    question: tuple[float, float, float]

    def logits(self, rows: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
        low, high, question = (rows @ head for head in self.heads[:3])
        offset_low, offset_high, slope = self.question
        asked = sigmoid(rows[:, : len(NAMES)] @ self.heads[3])
        return low + asked * (slope * question + offset_low - low), high + asked * (
            slope * question + offset_high - high
        )

    def shares(self, rows: sparse.csr_matrix) -> np.ndarray:
        low, high = map(sigmoid, self.logits(rows))
        opus = np.minimum(low, high)
        return np.stack([1 - low, low - opus, opus], axis=1)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-np.clip(logits, -30, 30)))


class Taught(NamedTuple):
    """Rows that nobody labelled, and how surely a teacher holds each to lie above haiku, and above sonnet."""

    rows: sparse.csr_matrix
    shares: np.ndarray


def tier_heads(
    rows: sparse.csr_matrix, labels: Sequence[Tiered], weights: np.ndarray, taught: Taught | None = None
) -> list[np.ndarray]:
    return [_boundary(rows, labels, weights, boundary, taught) for boundary in (1, 2)]


def _boundary(
    rows: sparse.csr_matrix, labels: Sequence[Tiered], weights: np.ndarray, boundary: int, taught: Taught | None
) -> np.ndarray:
    """`tier >= boundary`; a row that accepts tiers on both sides is left out."""
    sided = [i for i, row in enumerate(labels) if len({tier >= boundary for tier in row.accept}) == 1]
    wanted = np.array([float(labels[i].tier >= boundary) for i in sided])
    if taught is None:
        return _logistic(rows[sided], wanted, weights[sided], TEACHER_RIDGE)
    return _logistic(
        sparse.vstack([rows[sided], taught.rows]).tocsr(),
        np.concatenate([wanted, taught.shares[:, boundary - 1]]),
        np.concatenate([weights[sided], np.full(taught.rows.shape[0], TAUGHT_WEIGHT)]),
        TIER_RIDGE,
        RISING,
    )


def _logistic(
    rows: sparse.csr_matrix, wanted: Sequence[float], weights: np.ndarray, ridge: float, rising: Sequence[int] = ()
) -> np.ndarray:
    """`wanted`: 0 to 1; `rising`: facts that may only speak for it."""
    wanted = np.asarray(wanted, dtype=float)
    free = np.ones(rows.shape[1])
    free[0] = 0.0  # the first fact always holds: it is the intercept
    lowest = np.full(rows.shape[1], -np.inf)
    lowest[list(rising)] = 0.0

    def loss(head: np.ndarray) -> tuple[float, np.ndarray]:
        margins = rows @ head
        total = weights @ (np.logaddexp(0, margins) - wanted * margins) * ridge + 0.5 * (free * head) @ head
        return float(total), rows.T @ (weights * (sigmoid(margins) - wanted)) * ridge + free * head

    bounds = Bounds(lowest, np.inf)
    found = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds, options=STEPS)
    return np.asarray(found.x)


def question_head(rows: sparse.csr_matrix, pairs: Sequence[Paired]) -> tuple[np.ndarray, tuple[float, float, float]]:
    """Whether the strong model does better, pooled over pairs of models whose offsets are fitted and thrown away."""
    weights = np.array([SOURCE_WEIGHTS[pair.source] for pair in pairs])
    weights[[pair.strong < pair.weak for pair in pairs]] *= WORSE_WEIGHT
    wanted = [pair.strong > pair.weak for pair in pairs]
    scale = np.repeat([1.0, QUESTION_WORDS], [len(NAMES), rows.shape[1] - len(NAMES)])
    together = sparse.hstack([rows @ sparse.diags(scale), _offsets(pairs)]).tocsr()
    head = scale * _logistic(together, wanted, weights, QUESTION_RIDGE)[: rows.shape[1]]
    needs = QUESTION_SLOPE * (rows @ head)
    return head, (
        -float(np.quantile(needs, QUESTION_HAIKU)),
        -float(np.quantile(needs, QUESTION_SONNET)),
        QUESTION_SLOPE,
    )


def _offsets(pairs: Sequence[Paired]) -> sparse.csr_matrix:
    sources = sorted({pair.source for pair in pairs})
    subjects = sorted({pair.domain for pair in pairs if pair.source == "mmlu"})
    places = {name: i for i, name in enumerate([*sources, *(f"mmlu {subject}" for subject in subjects)])}
    found = sparse.lil_matrix((len(pairs), len(places)))
    for row, pair in enumerate(pairs):
        found[row, places[pair.source]] = SOURCE_VALUE
        if pair.source == "mmlu":
            found[row, places[f"mmlu {pair.domain}"]] = SUBJECT_VALUE
    return found.tocsr()


def kind_head(questions: sparse.csr_matrix, work: sparse.csr_matrix) -> np.ndarray:
    """Both kinds weigh the same. Named facts alone tell them apart."""
    rows = sparse.vstack([questions, work]).tocsr()[:, : len(NAMES)]
    sizes = (questions.shape[0], work.shape[0])
    weights = np.repeat([work.shape[0] / sizes[0], 1.0], sizes)
    return KIND_SLOPE * _logistic(rows, np.repeat([True, False], sizes), weights, KIND_RIDGE)


def rounded(model: Model) -> tuple[Model, list[tuple[float, np.ndarray]], list[tuple[float, np.ndarray]]]:
    """The model that int8 leaves, and its dense and hashed parts as (unit, whole numbers)."""
    facts, words, heads = [], [], []
    for head in model.heads:
        facts.append(_whole(head[: len(NAMES)] * FACT_VALUE))
        heads.append(facts[-1][0] * facts[-1][1] / FACT_VALUE)
        if len(head) > len(NAMES):
            words.append(_whole(head[len(NAMES) :] * HASHED_VALUE))
            heads[-1] = np.concatenate([heads[-1], words[-1][0] * words[-1][1] / HASHED_VALUE])
    return Model(heads, model.question), facts, words


def _whole(weights: np.ndarray) -> tuple[float, np.ndarray]:
    unit = float(f"{np.abs(weights).max() / 127:.6g}")
    return unit, np.clip(np.rint(weights / unit), -127, 127).astype(int)


def packed(model: Model, limits: tuple[float, float], line: float, curve: Sequence[float]) -> bytes:
    _, facts, words = rounded(model)
    fields = {
        "facts": len(NAMES),
        "dense_units": _joined(unit for unit, _ in facts),
        "hashed_units": _joined(unit for unit, _ in words),
        "above_haiku": round(limits[0], 4),
        "above_sonnet": round(limits[1], 4),
        "question": _joined(model.question),
        "line": f"{line:.2f}",
        "curve": _joined(curve),
        "groups": ",".join("+".join(map(str, group)) for group in LEXICON.groups),
    }
    head = " ".join([FORMAT, *(f"{name}={value}" for name, value in fields.items())]).encode("ascii")
    dense = [summed(steps).astype("<i2").tobytes() for _, steps in facts]
    hashed = [(whole + ZERO).astype(np.uint8).tobytes() for _, whole in words]
    body = b"".join([*dense, *hashed, LEXICON.slots.tobytes()])
    if len(body) != BODY or len(hashed) != len(HASHED):
        raise ValueError("the weights do not have the sizes that routing/score.py reads")
    return head + b"\n" + body


def summed(steps: np.ndarray) -> np.ndarray:
    """Of each place, the sum of all that holds when it is the last one that a thermometer passed."""
    return np.array([steps[expanded([place])].sum(dtype=int) for place in range(len(NAMES))])


def _joined(numbers: Sequence[float]) -> str:
    return ",".join(f"{number:.6g}" for number in numbers)
