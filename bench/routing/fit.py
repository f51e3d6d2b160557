"""The four scores of routing/score.py: logistic regressions with a ridge."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from rows import FACT_VALUE, HASHED_VALUE, LEXICON, Paired, Tiered, folded
from scipy import sparse
from scipy.optimize import Bounds, minimize

from routing.facts import NAMES
from routing.score import BODY, FORMAT, HASHED

TIER_RIDGE, QUESTION_RIDGE, KIND_RIDGE = 1.0, 0.06, 10.0  # more is looser
SOURCE_VALUE = 3.0  # of the offset that each source of pairs has while its score is fitted, and not afterwards
SOURCE_WEIGHTS = {"mmlu": 1.2, "gsm8k": 1.5, "routerarena": 2.0, "llmrouter": 1.0}
# Of the questions whose difficulty we know: how many of them haiku, and haiku or sonnet, are left with.
QUESTION_HAIKU, QUESTION_SONNET = 0.5, 0.92
QUESTION_SLOPE = 1.5
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
        asked = _sigmoid(folded(rows) @ self.heads[3])
        return low + asked * (slope * question + offset_low - low), high + asked * (
            slope * question + offset_high - high
        )

    def shares(self, rows: sparse.csr_matrix) -> np.ndarray:
        low, high = map(_sigmoid, self.logits(rows))
        opus = np.minimum(low, high)
        return np.stack([1 - low, low - opus, opus], axis=1)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-np.clip(logits, -30, 30)))


def tier_heads(rows: sparse.csr_matrix, labels: Sequence[Tiered], weights: np.ndarray) -> list[np.ndarray]:
    return [_boundary(rows, labels, weights, boundary) for boundary in (1, 2)]


def _boundary(rows: sparse.csr_matrix, labels: Sequence[Tiered], weights: np.ndarray, boundary: int) -> np.ndarray:
    """`tier >= boundary`; a row that accepts tiers on both sides is left out."""
    sided = [i for i, row in enumerate(labels) if len({tier >= boundary for tier in row.accept}) == 1]
    wanted = [labels[i].tier >= boundary for i in sided]
    return _logistic(rows[sided], wanted, weights[sided], TIER_RIDGE, RISING)


def _logistic(
    rows: sparse.csr_matrix, wanted: Sequence[bool], weights: np.ndarray, ridge: float, rising: Sequence[int] = ()
) -> np.ndarray:
    """`rising`: facts that may only speak for it."""
    signs = np.where(np.asarray(wanted), 1.0, -1.0)
    free = np.ones(rows.shape[1])
    free[0] = 0.0  # the first fact always holds: it is the intercept
    lowest = np.full(rows.shape[1], -np.inf)
    lowest[list(rising)] = 0.0

    def loss(head: np.ndarray) -> tuple[float, np.ndarray]:
        margins = signs * (rows @ head)
        slopes = -weights * signs * _sigmoid(-margins)
        total = weights @ np.logaddexp(0, -margins) * ridge + 0.5 * (free * head) @ head
        return float(total), rows.T @ slopes * ridge + free * head

    bounds = Bounds(lowest, np.inf)
    found = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds, options=STEPS)
    return np.asarray(found.x)


def question_head(rows: sparse.csr_matrix, pairs: Sequence[Paired]) -> tuple[np.ndarray, tuple[float, float, float]]:
    """Whether the strong model does better, pooled over pairs of models whose offsets are fitted and thrown away."""
    sources = sorted({pair.source for pair in pairs})
    offsets = sparse.csr_matrix([[SOURCE_VALUE * (pair.source == source) for source in sources] for pair in pairs])
    weights = np.array([SOURCE_WEIGHTS[pair.source] for pair in pairs])
    wanted = [pair.strong > pair.weak for pair in pairs]
    together = sparse.hstack([rows, offsets]).tocsr()
    head = _logistic(together, wanted, weights, QUESTION_RIDGE)[: rows.shape[1]]
    needs = QUESTION_SLOPE * (rows @ head)
    return head, (
        -float(np.quantile(needs, QUESTION_HAIKU)),
        -float(np.quantile(needs, QUESTION_SONNET)),
        QUESTION_SLOPE,
    )


def kind_head(questions: sparse.csr_matrix, work: sparse.csr_matrix) -> np.ndarray:
    """Both kinds weigh the same."""
    rows = folded(sparse.vstack([questions, work]).tocsr())
    sizes = (questions.shape[0], work.shape[0])
    weights = np.repeat([work.shape[0] / sizes[0], 1.0], sizes)
    return _logistic(rows, np.repeat([True, False], sizes), weights, KIND_RIDGE)


def rounded(model: Model) -> tuple[Model, list[tuple[float, bytes]], list[tuple[float, bytes]]]:
    """The model that int8 leaves, and its dense and hashed parts as (unit, bytes)."""
    facts, words, heads = [], [], []
    for head in model.heads:
        parts = (head[: len(NAMES)] * FACT_VALUE, head[len(NAMES) :] * HASHED_VALUE)
        units = [float(f"{np.abs(part).max() / 127:.6g}") for part in parts]
        whole = [np.clip(np.rint(part / unit), -127, 127) for part, unit in zip(parts, units, strict=True)]
        for kept, unit, part in zip((facts, words), units, whole, strict=True):
            kept.append((unit, part.astype(np.int8).tobytes()))
        heads.append(np.concatenate([whole[0] * units[0] / FACT_VALUE, whole[1] * units[1] / HASHED_VALUE]))
    return Model(heads, model.question), facts, words


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
    body = b"".join(part for _, part in [*facts, *words]) + LEXICON.slots.tobytes()
    if len(body) != BODY or [len(part) for _, part in words] != list(HASHED):
        raise ValueError("the weights do not have the sizes that routing/score.py reads")
    return head + b"\n" + body


def _joined(numbers: Sequence[float]) -> str:
    return ",".join(f"{number:.6g}" for number in numbers)
