"""One file's evaluation: the router, by group, beside what it has to beat."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from orchestrate.measure import routing_answers, routing_baselines, routing_pairs, routing_tiers
from orchestrate.measure.routing_answers import Answer
from orchestrate.measure.routing_latency import Latency, latency
from orchestrate.measure.routing_peers import Peer, peers
from orchestrate.measure.routing_robustness import Robustness, robustness
from orchestrate.measure.routing_rows import Dataset, Paired
from orchestrate.measure.routing_tiers import PRICES, Figures, Interval, Outcome
from routing.score import TIERS

ROUTER = "this router"
CURVE_STEPS = 20
SMALLEST_GROUP = 20  # rows with scores of two models


class Scored(NamedTuple):
    """A router's figures on a file, or on one group of it; `figures` is None where there is nothing to measure."""

    name: str
    note: str
    rows: int
    figures: Figures | routing_pairs.Gain | None
    intervals: dict[str, Interval]


class Spot(NamedTuple):
    """A place in the picture: `cost` to the right, `quality` upwards."""

    cost: float
    quality: float


class Report(NamedTuple):
    """`decided`: how many of the router's answers were each tier."""

    name: str
    kind: str
    rows: int
    grouped_by: str | None
    routers: list[Scored]
    groups: list[Scored]
    decided: dict[str, int]
    confusion: list[list[int]] | None
    coverage: list[routing_tiers.Point]
    robustness: list[Robustness]
    latency: list[Latency]
    curve: list[Spot]
    marks: dict[str, Spot]


def evaluate(data: Dataset, with_baselines: bool, checkout: Path | None) -> Report:
    answers = routing_answers.answers(data.asked)
    rivals = _rivals(data, answers, checkout) if with_baselines else []
    outcomes = list(map(Outcome, data.tiers, answers)) if data.tiers else []
    return Report(
        data.name,
        "tiers" if data.tiers else "weak and strong",
        len(data.asked),
        data.grouped_by,
        [_scored(ROUTER, "", data, answers), *(rival for rival, _ in rivals)],
        _groups(data, answers),
        {tier: sum(answer.tier == tier for answer in answers) for tier in TIERS},
        routing_tiers.confusion(outcomes) if outcomes else None,
        routing_tiers.coverage_curve(outcomes),
        robustness(data.asked),
        latency(data.asked),
        _tier_curve(outcomes) if outcomes else _pair_curve(data.pairs, answers),
        _marks(data, answers, [(rival.name, found) for rival, found in rivals if found]),
    )


def _scored(name: str, note: str, data: Dataset, answers: Sequence[Answer]) -> Scored:
    rows = len(answers)
    if data.tiers:
        outcomes = list(map(Outcome, data.tiers, answers))
        return Scored(name, note, rows, routing_tiers.figures(outcomes), routing_tiers.intervals(outcomes))
    scores = [answer.score for answer in answers]
    found = routing_pairs.gain(data.pairs, scores)
    return Scored(name, note, rows, found, routing_pairs.intervals(data.pairs, scores) if found else {})


def _rivals(data: Dataset, answers: list[Answer], checkout: Path | None) -> list[tuple[Scored, list[Answer]]]:
    fitted = f"limits fitted on the file, {routing_baselines.FOLDS} folds" if data.tiers else "longer is harder"
    same = "" if data.tiers else "one score for all: chance"
    found = [
        ("always sonnet", same, routing_baselines.always_sonnet(data.asked)),
        ("length only", fitted, routing_baselines.by_length(data.asked, data.tiers)),
    ]
    plain = [(_scored(name, note, data, given), given) for name, note, given in found]
    return [*plain, (_shuffled(data, answers), []), *(_peer(peer, data) for peer in peers(checkout))]


def _shuffled(data: Dataset, answers: list[Answer]) -> Scored:
    found = (
        routing_baselines.shuffled_labels(data.tiers, answers)
        if data.tiers
        else routing_baselines.shuffled_pairs(data.pairs)
    )
    return Scored("shuffled labels", f"mean of {routing_baselines.SHUFFLES}: chance", len(answers), found, {})


def _peer(peer: Peer, data: Dataset) -> tuple[Scored, list[Answer]]:
    answers = peer.answers(data.asked)
    return (
        _scored(peer.name, peer.note, data, answers) if answers else Scored(peer.name, peer.note, 0, None, {})
    ), answers


def _groups(data: Dataset, answers: Sequence[Answer]) -> list[Scored]:
    places: dict[str, list[int]] = {}
    for place, one in enumerate(data.asked if data.grouped_by else []):
        places.setdefault(one.group or "(none)", []).append(place)
    if data.pairs:
        places = _merged(places)
    return [_scored(name, "", _part(data, part), [answers[i] for i in part]) for name, part in sorted(places.items())]


def _merged(places: dict[str, list[int]]) -> dict[str, list[int]]:
    """A curve of a few rows says nothing: small groups together."""
    small = [name for name, part in places.items() if len(part) < SMALLEST_GROUP]
    rest = sorted(place for name in small for place in places[name])
    kept = {name: part for name, part in places.items() if name not in small}
    return {**kept, f"(small groups: {len(small)})": rest} if rest else kept


def _part(data: Dataset, places: Sequence[int]) -> Dataset:
    return data._replace(
        tiers=[data.tiers[i] for i in places] if data.tiers else [],
        pairs=[data.pairs[i] for i in places] if data.pairs else [],
    )


def _tier_curve(outcomes: Sequence[Outcome]) -> list[Spot]:
    """From all haiku to all opus: the score rounded to a tier after it was shifted."""
    shifts = [2 * step / CURVE_STEPS for step in range(-CURVE_STEPS, CURVE_STEPS + 1)]
    return [_spot(outcomes, [_rounded(one.answer.score + shift) for one in outcomes]) for shift in shifts]


def _rounded(score: float) -> str:
    return TIERS[max(0, min(2, int(score + 0.5)))]


def _spot(outcomes: Sequence[Outcome], tiers: Sequence[str]) -> Spot:
    """Price of the first try in these tiers, and percent of the rows for which it is not too weak."""
    tried = [Outcome(one.label, Answer(tier, 0.0)) for one, tier in zip(outcomes, tiers, strict=True)]
    return Spot(fmean(PRICES[one.answer.tier] for one in tried), 100 * fmean(not one.is_under for one in tried))


def _pair_curve(pairs: Sequence[Paired], answers: Sequence[Answer]) -> list[Spot]:
    """Percent of calls to the strong model, and percent of the gap that they recover."""
    if not routing_pairs.has_gap(pairs):
        return []
    curves = [routing_pairs.curve(order) for order in routing_pairs.orders(pairs, [one.score for one in answers])]
    points = [routing_pairs.Point(*map(fmean, zip(*same, strict=True))) for same in zip(*curves, strict=True)]
    weak, strong = points[0].quality, points[-1].quality
    return [Spot(100 * one.strong_share, 100 * (one.quality - weak) / (strong - weak)) for one in points]


def _marks(data: Dataset, answers: list[Answer], rivals: list[tuple[str, list[Answer]]]) -> dict[str, Spot]:
    """Single places for tiers; for a weak and a strong model the place where half the gap is recovered."""
    named = [(ROUTER, answers), *rivals]
    if data.tiers:
        labelled = [label.tier for label in data.tiers]
        outcomes = list(map(Outcome, data.tiers, answers))
        spots = {name: _spot(outcomes, [answer.tier for answer in given]) for name, given in named}
        return {**spots, "as labelled": _spot(outcomes, labelled)}
    gains = [(name, routing_pairs.gain(data.pairs, [one.score for one in given])) for name, given in named]
    return {name: Spot(found.cpt50, 50.0) for name, found in gains if found}


def document(report: Report) -> dict[str, object]:
    """The report as JSON takes it."""
    return {
        **report._asdict(),
        "routers": [_named(one) for one in report.routers],
        "groups": [_named(one) for one in report.groups],
        "coverage": [one._asdict() for one in report.coverage],
        "robustness": [one._asdict() for one in report.robustness],
        "latency": [one._asdict() for one in report.latency],
        "curve": [one._asdict() for one in report.curve],
        "marks": {name: spot._asdict() for name, spot in report.marks.items()},
    }


def _named(scored: Scored) -> dict[str, object]:
    return {**scored._asdict(), "figures": scored.figures._asdict() if scored.figures else None}
