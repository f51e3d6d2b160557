"""Fit the weights of `routing/`, say how good they are on prompts they did not see, and write routing/weights.bin.

    python bench/routing/train.py DATA_FOLDER [--dry-run]

DATA_FOLDER holds agent_prompts.jsonl and peer_tiers.jsonl ({prompt, tier, accept}), and routellm.jsonl,
routerarena.jsonl and llmrouter_mix.jsonl ({prompt, weak, strong}); the corpus lies beside this file. Needs numpy, scipy
and scikit-learn (`pip install -e .[train]`); every seed is fixed, so that a second run writes the same bytes.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # sums in one order: the same bytes each time
sys.path.insert(0, str(Path(__file__).resolve().parent))

import figures
import fit
import mixed
import numpy as np
import rows
import stays
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from teacher import Teacher

from routing.routing_core import RULE_CONFIDENCE
from routing.score import TIERS, confidence

SEED = 20261121
FOLDS = 5
AGENT_WEIGHT, CORPUS_WEIGHT, PEER_WEIGHT, DISTURBED_WEIGHT = 2.0, 1.0, 1.0, 0.3
CURVE_POINTS = 17
WANTED_ACCURACY, WANTED_COVERAGE = 0.9, 0.82
UNSEEN_SUBJECTS, HELD_SHARE = 13, 0.25


class Part(NamedTuple):
    """Rows that are fitted with one weight, and the same prompts as somebody else would have typed them."""

    labels: list[rows.Tiered]
    weight: float
    matrix: sparse.csr_matrix
    disturbed: sparse.csr_matrix

    def only(self, keep: np.ndarray) -> "Part":
        places = np.flatnonzero(keep)
        return Part([self.labels[i] for i in places], self.weight, self.matrix[places], self.disturbed[places])


class Held(NamedTuple):
    """Rows and the shares that a model gave them which had not seen them."""

    labels: list[rows.Tiered]
    shares: np.ndarray

    @property
    def tiers(self) -> np.ndarray:
        return np.array([row.tier for row in self.labels])

    @property
    def accepted(self) -> list[frozenset[int]]:
        return [row.accept for row in self.labels]

    def said(self) -> tuple[np.ndarray, np.ndarray]:
        tiers = figures.chosen(self.shares, figures.limits())
        return tiers, self.shares[np.arange(len(tiers)), tiers]


def part(labels: list[rows.Tiered], weight: float) -> Part:
    return Part(
        labels,
        weight,
        rows.matrix(row.prompt for row in labels),
        rows.matrix(rows.disturbed(row.prompt, SEED) for row in labels),
    )


def tier_heads(parts: Sequence[Part], taught: fit.Taught) -> list[np.ndarray]:
    labels = [row for one in parts for row in (*one.labels, *one.labels)]
    weights = [
        np.repeat([one.weight, DISTURBED_WEIGHT * one.weight], [len(one.labels), len(one.labels)]) for one in parts
    ]
    matrix = sparse.vstack([half for one in parts for half in (one.matrix, one.disturbed)]).tocsr()
    return fit.tier_heads(matrix, labels, np.concatenate(weights), taught)


def questions(matrix: sparse.csr_matrix, pairs: Sequence[rows.Paired], parts: Sequence[Part]) -> tuple:
    head, question = fit.question_head(matrix, pairs)
    return head, fit.kind_head(matrix, sparse.vstack([one.matrix for one in parts]).tocsr()), question


def cross_validated(
    target: Part, others: Sequence[Part], asked: tuple, groups: np.ndarray, taught: Callable[[np.ndarray], fit.Taught]
) -> Held:
    """Each row is decided by a model that did not see its group, nor was taught by one that did."""
    shares = np.zeros((len(target.labels), 3))
    head, kind, question = asked
    for group in np.unique(groups):
        held = groups == group
        heads = tier_heads([target.only(~held), *others], taught(~held))
        model = fit.rounded(fit.Model([*heads, head, kind], question))[0]
        shares[held] = model.shares(target.matrix[np.flatnonzero(held)])
    return Held(target.labels, shares)


def folds(size: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).permutation(size) % FOLDS


def fit_curve(held: Sequence[Held]) -> list[float]:
    """Platt scaling of the chosen tier's share against 'it was accepted'; each set of rows weighs the same."""
    shares, right, weights = [], [], []
    for one in held:
        said, share = one.said()
        shares.append(share)
        right.append([tier in accept for tier, accept in zip(said, one.accepted, strict=True)])
        weights.append(np.full(len(said), 1 / len(said)))
    fitted = LogisticRegression(C=1e6).fit(
        _logit(np.concatenate(shares)), np.concatenate(right), np.concatenate(weights)
    )
    points = _logit(np.linspace(0, 1, CURVE_POINTS))
    return [round(float(point), 4) for point in fitted.predict_proba(points)[:, 1]]


def _logit(shares: np.ndarray) -> np.ndarray:
    shares = np.clip(shares, 0.02, 0.98)
    return np.log(shares / (1 - shares)).reshape(-1, 1)


def confidences(held: Held, curve: list[float]) -> np.ndarray:
    return np.array([confidence(share, curve) for share in held.said()[1]])


def pick_line(held: Held, curve: list[float]) -> float:
    """The lowest line with the wanted accuracy above it, but never one that answers less than the wanted coverage."""
    said, _ = held.said()
    right = np.array([tier in accept for tier, accept in zip(said, held.accepted, strict=True)])
    sure = confidences(held, curve)
    for line in np.arange(0.40, RULE_CONFIDENCE, 0.01):
        if (sure >= line + 0.01).mean() < WANTED_COVERAGE or right[sure >= line].mean() >= WANTED_ACCURACY:
            return round(float(line), 2)
    return RULE_CONFIDENCE


def report(title: str, held: Held, curve: list[float], line: float) -> None:
    said, _ = held.said()
    print(f"{title}: {len(said)} prompts")
    found = figures.table(held.tiers, held.accepted, said, confidences(held, curve), line)
    for name, (value, bounds) in found.items():
        print(f"  {name:23} {value:.3f}" + (f" [{bounds[0]:.3f}, {bounds[1]:.3f}]" if bounds else ""))
    confusion = [[int(((held.tiers == true) & (said == tier)).sum()) for tier in range(3)] for true in range(3)]
    print(f"  confusion (true x chosen, {' '.join(TIERS)}) {confusion}")


def report_groups(held: Held) -> None:
    said, _ = held.said()
    names = np.array([row.group for row in held.labels])
    for name in sorted(set(names)):
        rows_of = np.flatnonzero(names == name)
        passed = [said[i] in held.labels[i].accept for i in rows_of]
        under = [said[i] < min(held.labels[i].accept) for i in rows_of]
        f1 = figures.macro_f1(held.tiers[rows_of], said[rows_of])
        print(
            f"    {name:40} {len(rows_of):4}  F1 {f1:.3f}  accepted {np.mean(passed):.3f}  under {np.mean(under):.3f}"
        )


def report_pairs(
    matrix: sparse.csr_matrix, pairs: Sequence[rows.Paired], parts: Sequence[Part], heads: list[np.ndarray]
) -> None:
    """Splits as the benchmarks have them: whole subjects of MMLU and a part of all else are held out."""
    weak, strong = (np.array([getattr(pair, name) for pair in pairs]) for name in ("weak", "strong"))
    sources = np.array([pair.source for pair in pairs])
    sizes = np.array([len(pair.prompt) for pair in pairs], dtype=float)
    found: dict[str, list[tuple[float, float, tuple[float, float]]]] = {}
    for split in range(4):
        held = _held_out(pairs, SEED + split)
        seen = np.flatnonzero(~held)
        head, kind, question = questions(matrix[seen], [pairs[i] for i in seen], parts)
        shares = fit.rounded(fit.Model([*heads, head, kind], question))[0].shares(matrix)
        need = shares[:, 1] + 2 * shares[:, 2]
        for source in sorted(set(sources)):
            at = np.flatnonzero(held & (sources == source))
            bounds = figures.interval(
                lambda i, at=at, need=need: figures.apgr(need[at[i]], weak[at[i]], strong[at[i]]), len(at), SEED
            )
            figure = figures.apgr(need[at], weak[at], strong[at])
            found.setdefault(source, []).append((figure, figures.apgr(sizes[at], weak[at], strong[at]), bounds))
    print("APGR of held-out pairs, mean of 4 splits (mean 95 % interval of a split); length alone beside it")
    for source, splits in found.items():
        mean, length = (np.mean([split[i] for split in splits]) for i in range(2))
        low, high = np.mean([split[2] for split in splits], axis=0)
        print(f"  {source:12} {mean:.3f} [{low:.3f}, {high:.3f}]  length {length:.3f}")


def _held_out(pairs: Sequence[rows.Paired], seed: int) -> np.ndarray:
    dice = np.random.default_rng(seed)
    subjects = sorted({pair.domain for pair in pairs if pair.source == "mmlu"})
    unseen = set(dice.permutation(subjects)[:UNSEEN_SUBJECTS])
    share = dice.random(len(pairs)) < HELD_SHARE
    whole = np.array([pair.source == "mmlu" and pair.domain in unseen for pair in pairs])
    return share | whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--dry-run", action="store_true", help="print the figures, write nothing")
    parser.add_argument("--folding", type=int, default=SEED, help="a seed of your own for who is held out with whom")
    options = parser.parse_args()
    if options.folding != SEED and not options.dry_run:
        parser.error("--folding tells how far the figures depend on it: give --dry-run with it")
    agents = part(rows.tiered(options.data / "agent_prompts.jsonl"), AGENT_WEIGHT)
    peers = part(rows.tiered(options.data / "peer_tiers.jsonl", "source"), PEER_WEIGHT)
    corpus = part(mixed.fitted(), CORPUS_WEIGHT)
    pairs = rows.paired(options.data)
    matrix = rows.matrix(pair.prompt for pair in pairs)
    parts = (agents, peers, corpus)
    asked = questions(matrix, pairs, parts)
    teacher = Teacher(corpus.labels, corpus.matrix)
    taught = teacher.taught(np.ones(len(corpus.labels), dtype=bool))
    heads = tier_heads(parts, taught)
    held = cross_validated(agents, (peers, corpus), asked, folds(len(agents.labels), options.folding), lambda _: taught)
    groups = folds(len(corpus.labels), options.folding)
    held_corpus = cross_validated(corpus, (agents, peers), asked, groups, teacher.taught)
    curve = fit_curve((held, held_corpus))
    line = pick_line(held, curve)
    print(f"limits {figures.limits()}, line {line}, curve {curve}")
    report(f"agent prompts, {FOLDS}-fold, the corpus always fitted", held, curve, line)
    report(f"corpus, {FOLDS}-fold, the agent prompts always fitted", held_corpus, curve, line)
    report_groups(held_corpus)
    sources = np.array([row.group for row in peers.labels])
    held_peers = cross_validated(peers, (agents, corpus), asked, sources, lambda _: taught)
    report("peer assertions, each source by a model that did not see it", held_peers, curve, line)
    report_groups(held_peers)
    report_pairs(matrix, pairs, parts, heads)
    model = fit.Model([*heads, *asked[:2]], asked[2])
    data = fit.packed(model, figures.limits(), line, curve)
    follow_ups = [row for row in rows.corpus() if row.group == mixed.FOLLOW_UPS]
    unfitted = Held(follow_ups, fit.rounded(model)[0].shares(rows.matrix(row.prompt for row in follow_ups)))
    stays.report([(one.labels, one.said()[0]) for one in (held, held_corpus, unfitted)])
    if not options.dry_run:
        target = rows.ROOT / "routing" / "weights.bin"
        target.write_bytes(data)
        print(f"wrote {target.relative_to(rows.ROOT)}: {len(data)} bytes")


if __name__ == "__main__":
    main()
