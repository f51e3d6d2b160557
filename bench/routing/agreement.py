"""How far two labellers of the corpus agree: `python bench/routing/agreement.py`."""

import json
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
SECOND = HERE / "second_labels.jsonl"


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def agreement():
    """(lines labelled twice, same tier, Cohen's kappa)."""
    first = {row["id"]: row["tier"] for path in sorted((HERE / "corpus").glob("*.jsonl")) for row in rows(path)}
    pairs = [(first[row["id"]], row["tier"]) for row in rows(SECOND)]
    same = sum(one == other for one, other in pairs)
    ones, others = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    chance = sum(ones[tier] * others[tier] for tier in ones) / len(pairs) ** 2
    return len(pairs), same, (same / len(pairs) - chance) / (1 - chance)


if __name__ == "__main__":
    count, same, kappa = agreement()
    print(f"{count} labelled twice, {same} alike ({same / count:.1%}), kappa {kappa:.3f}")
