"""Fit a correction: logistic regression over the shipped scores, drawn towards no correction at all.

Of the named facts only those count that leave most unexplained once both boundaries are shifted.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from orchestrate.learning.examples import Example
from routing.correction import DELTA_MOST, DELTAS_MOST, SHIFT_MOST, Correction

BOUNDARIES = (1, 2)  # at least sonnet, opus
SHIFT_RIDGE, DELTA_RIDGE = 1.0, 4.0
LEAST_SUPPORT = 8  # examples with the fact, and as many without
LEAST_Z = 2.0
STEPS = 25
_SETTLED = 1e-6
NAME = "draft"


class Row(NamedTuple):
    score: float
    facts: dict[str, float]
    is_above: bool
    weight: float


def fit(examples: Sequence[Example]) -> Correction:
    sides = [_rows(examples, boundary) for boundary in BOUNDARIES]
    shifts = [_solve(rows, [])[0] for rows in sides]
    named = _strongest([_unexplained(rows, shift) for rows, shift in zip(sides, shifts, strict=True)])
    solved = [_solve(rows, named) for rows in sides]
    deltas = {name: (_round(solved[0][i]), _round(solved[1][i])) for i, name in enumerate(named, 1)}
    return Correction(NAME, (_round(solved[0][0]), _round(solved[1][0])), deltas)


def _rows(examples: Sequence[Example], boundary: int) -> list[Row]:
    """Those whose accepted tiers lie on one side."""
    return [
        Row(example.scores[boundary - 1], example.facts, min(example.accept) >= boundary, example.weight)
        for example in examples
        if len({tier >= boundary for tier in example.accept}) == 1
    ]


def _unexplained(rows: Sequence[Row], shift: float) -> dict[str, float]:
    """For each fact with enough support, how many standard errors its weight is from fitting as it is."""
    slopes: dict[str, float] = {}
    curves: dict[str, float] = {}
    support: dict[str, int] = {}
    for row in rows:
        chance = _sigmoid(row.score + shift)
        for name, value in row.facts.items():
            slopes[name] = slopes.get(name, 0.0) + row.weight * (row.is_above - chance) * value
            curves[name] = curves.get(name, 0.0) + row.weight * chance * (1 - chance) * value * value
            support[name] = support.get(name, 0) + 1
    return {
        name: slope / math.sqrt(curves[name] + DELTA_RIDGE)
        for name, slope in slopes.items()
        if LEAST_SUPPORT <= support[name] <= len(rows) - LEAST_SUPPORT
    }


def _strongest(found: Sequence[dict[str, float]]) -> list[str]:
    strength = {name: max(abs(side.get(name, 0.0)) for side in found) for side in found for name in side}
    strong = [name for name, z in strength.items() if z >= LEAST_Z]
    return sorted(strong, key=lambda name: (-strength[name], name))[:DELTAS_MOST]


def _solve(rows: Sequence[Row], named: Sequence[str]) -> list[float]:
    """The shift and a delta for each name, by Newton's method within the bounds."""
    size = len(named) + 1
    ridge = [SHIFT_RIDGE] + [DELTA_RIDGE] * len(named)
    most = [SHIFT_MOST] + [DELTA_MOST] * len(named)
    inputs = [[1.0, *(row.facts.get(name, 0.0) for name in named)] for row in rows]
    found = [0.0] * size
    for _ in range(STEPS):
        slope = [-weight * value for weight, value in zip(ridge, found, strict=True)]
        curve = [[ridge[i] if i == j else 0.0 for j in range(size)] for i in range(size)]
        for row, values in zip(rows, inputs, strict=True):
            _add(slope, curve, row, values, found)
        step = _linear(curve, slope)
        moved = [max(-top, min(top, old + new)) for old, new, top in zip(found, step, most, strict=True)]
        change = max(abs(new - old) for new, old in zip(moved, found, strict=True))
        found = moved
        if change < _SETTLED:
            break
    return found


def _add(slope: list[float], curve: list[list[float]], row: Row, values: list[float], found: list[float]) -> None:
    chance = _sigmoid(row.score + sum(a * b for a, b in zip(values, found, strict=True)))
    error, width = row.weight * (row.is_above - chance), row.weight * chance * (1 - chance)
    for i, value in enumerate(values):
        if value:
            slope[i] += error * value
            for j, other in enumerate(values):
                curve[i][j] += width * value * other


def _linear(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Gauss, without a choice of pivots: the ridge keeps the matrix positive definite."""
    size = len(right)
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for i in range(size):
        for below in rows[i + 1 :]:
            share = below[i] / rows[i][i]
            below[i:] = [low - share * top for low, top in zip(below[i:], rows[i][i:], strict=True)]
    found = [0.0] * size
    for i in reversed(range(size)):
        known = sum(rows[i][j] * found[j] for j in range(i + 1, size))
        found[i] = (rows[i][size] - known) / rows[i][i]
    return found


def _sigmoid(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, value))))


def _round(value: float) -> float:
    return round(value, 4)
