"""How good decisions are: of tiers, of confidence, and of an order in which prompts go to the stronger model."""

from collections.abc import Callable, Sequence

import numpy as np

COSTS = (1.0, 3.0, 5.0)  # of a tier's answer
REDO = (
    4.0  # beside the cost of the answer that was needed: what too weak a tier costs whoever reads, waits and asks again
)
RESAMPLES = 400


def limits() -> tuple[float, float]:
    """The shares above which the dearer tier is the cheaper choice: saved if it was not needed, against done twice."""
    low = (COSTS[1] - COSTS[0]) / (COSTS[1] + REDO)
    high = (COSTS[2] - COSTS[1]) / (COSTS[2] + REDO)
    return low, high


def cost(chosen: int, needed: int) -> float:
    return COSTS[chosen] + (COSTS[needed] + REDO if chosen < needed else 0.0)


def chosen(shares: np.ndarray, bounds: tuple[float, float]) -> np.ndarray:
    """As score.choose."""
    return np.where(shares[:, 2] > bounds[1], 2, np.where(1 - shares[:, 0] > bounds[0], 1, 0))


def macro_f1(tiers: np.ndarray, said: np.ndarray) -> float:
    scores = []
    for tier in range(3):
        either = int((tiers == tier).sum() + (said == tier).sum())
        scores.append(2 * int(((tiers == tier) & (said == tier)).sum()) / max(1, either))
    return float(np.mean(scores))


def calibration_error(right: np.ndarray, confidence: np.ndarray, bins: int = 10) -> float:
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    return float(sum(abs((confidence - right)[places == place].sum()) for place in range(bins)) / len(right))


def apgr(need: np.ndarray, weak: np.ndarray, strong: np.ndarray) -> float:
    """Area under the recovered gap by the share of prompts that go to the strong model, at ten quantiles."""
    order = np.argsort(-need, kind="stable")
    gained = np.concatenate([[0.0], np.cumsum((strong - weak)[order])])
    shares = np.linspace(0, 1, 11)
    return float(np.trapezoid(np.interp(shares, np.linspace(0, 1, len(gained)), gained / gained[-1]), shares))


def interval(figure: Callable[[np.ndarray], float], size: int, seed: int) -> tuple[float, float]:
    """95 %, by resampling the rows."""
    dice = np.random.default_rng(seed)
    low, high = np.quantile([figure(dice.integers(0, size, size)) for _ in range(RESAMPLES)], [0.025, 0.975])
    return float(low), float(high)


def table(
    tiers: np.ndarray, accepted: Sequence[frozenset[int]], said: np.ndarray, confidence: np.ndarray, line: float
) -> dict[str, tuple[float, tuple[float, float] | None]]:
    """Of the labels themselves; with any tier that they let pass for the label; and of rows that let pass one alone."""
    lowest = np.array([min(accept) for accept in accepted])
    highest = np.array([max(accept) for accept in accepted])
    passed = (said >= lowest) & (said <= highest)
    answered = confidence >= line
    costs = np.array([cost(*pair) for pair in zip(said, np.where(passed, said, tiers), strict=True)])
    meant = np.where(passed, said, tiers)
    best = np.array([cost(tier, tier) for tier in meant])
    single = np.flatnonzero(lowest == highest)

    def of(values: np.ndarray) -> tuple[float, tuple[float, float]]:
        return float(values.mean()), interval(lambda rows: float(values[rows].mean()), len(values), 1)

    def f1(labels: np.ndarray, chosen: np.ndarray) -> tuple[float, tuple[float, float]]:
        return macro_f1(labels, chosen), interval(lambda i: macro_f1(labels[i], chosen[i]), len(labels), 1)

    return {
        "macro-F1": f1(tiers, said),
        "macro-F1, accepted": f1(meant, said),
        f"macro-F1, one ({len(single)})": f1(tiers[single], said[single]),
        "accepted": of(passed),
        "under-routed": of(said < lowest),
        "over-routed": of(said > highest),
        "answered": (float(answered.mean()), None),
        "accepted when answered": of(passed[answered]),
        "calibration error": (calibration_error(passed, confidence), None),
        "cost over the best": (float(costs.sum() / best.sum()), None),
    }
