"""A larger model, which reads sentences beside the facts and the words, labels prompts that nobody labelled.

The router learns from its answers: what it knows of words that the corpus has once or never goes into their weights.
"""

from collections.abc import Sequence

import fit
import mixed
import numpy as np
import rows
from scipy import sparse

SENTENCE_VALUE = 2.0


class Teacher:
    """Knows the corpus alone."""

    def __init__(self, corpus: Sequence[rows.Tiered], matrix: sparse.csr_matrix) -> None:
        prompts = [row.prompt for row in corpus]
        mixes = mixed.mixes(prompts)
        known, new = mixed.embeddings(prompts, mixes)
        self.corpus = corpus
        self.known = sparse.hstack([matrix, SENTENCE_VALUE * known]).tocsr()
        self.mixed = rows.matrix(mix.prompt for mix in mixes)
        self.new = sparse.hstack([self.mixed, SENTENCE_VALUE * new]).tocsr()
        self.parents = np.array([mix.parents for mix in mixes])

    def taught(self, seen: np.ndarray) -> fit.Taught:
        """By what it learns of these prompts of the corpus, about mixes of them alone."""
        learned = [row for row, is_seen in zip(self.corpus, seen, strict=True) if is_seen]
        heads = fit.tier_heads(self.known[np.flatnonzero(seen)], learned, np.ones(len(learned)))
        asked = np.flatnonzero(seen[self.parents].all(axis=1))
        shares = [fit.sigmoid(self.new[asked] @ head) for head in heads]
        return fit.Taught(self.mixed[asked], np.stack(shares, axis=1))
