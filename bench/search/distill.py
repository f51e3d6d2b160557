"""Makes orchestrate/memory/vectors.bin: what a word means, as a static table taken from a sentence model.

    python bench/search/distill.py FOLDER_OF_THE_MODEL orchestrate/memory/vectors.bin

The folder holds `model.safetensors` and `vocab.txt` of all-MiniLM-L6-v2 (Apache-2.0). Each entry of its vocabulary
goes through the model on its own; the results lose what all have in common, keep their strongest directions, weigh less
the more frequent the entry is, and are kept with four bits for each number. Needs numpy, and nothing shipped does.
"""

import json
import math
import re
import struct
import sys
import zlib
from pathlib import Path

import numpy as np

DIMENSIONS = 96
ENTRIES = 18_000
COMMON = 3  # directions that nearly all entries share, and that tell nothing apart
FREQUENT = 3e-4  # the share of a text from which on an entry weighs less
BATCH = 512
HEADS = 12
PLAIN = re.compile(r"(##)?[a-z][a-z0-9]*")


def weights(folder):
    raw = (folder / "model.safetensors").read_bytes()
    (size,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + size])
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(
            raw[8 + size + at["data_offsets"][0] : 8 + size + at["data_offsets"][1]], np.float32
        ).reshape(at["shape"])
        for name, at in header.items()
        if at["dtype"] == "F32"
    }


def normed(x, w, name):
    mean, deviation = x.mean(-1, keepdims=True), x.std(-1, keepdims=True)
    return (x - mean) / np.sqrt(deviation**2 + 1e-12) * w[f"{name}.weight"] + w[f"{name}.bias"]


def linear(x, w, name):
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def gelu(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def layer(x, w, name):
    batch, length, size = x.shape
    parts = [
        linear(x, w, f"{name}.attention.self.{part}").reshape(batch, length, HEADS, size // HEADS).transpose(0, 2, 1, 3)
        for part in ("query", "key", "value")
    ]
    scores = parts[0] @ parts[1].transpose(0, 1, 3, 2) / math.sqrt(size // HEADS)
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    seen = (scores / scores.sum(-1, keepdims=True)) @ parts[2]
    seen = seen.transpose(0, 2, 1, 3).reshape(batch, length, size)
    x = normed(x + linear(seen, w, f"{name}.attention.output.dense"), w, f"{name}.attention.output.LayerNorm")
    inner = gelu(linear(x, w, f"{name}.intermediate.dense"))
    return normed(x + linear(inner, w, f"{name}.output.dense"), w, f"{name}.output.LayerNorm")


def encoded(ids, w):
    """The mean over [CLS], the entry and [SEP]."""
    words = np.stack([np.full_like(ids, 101), ids, np.full_like(ids, 102)], 1)
    x = w["embeddings.word_embeddings.weight"][words]
    x = x + w["embeddings.position_embeddings.weight"][:3] + w["embeddings.token_type_embeddings.weight"][0]
    x = normed(x, w, "embeddings.LayerNorm")
    for number in range(6):
        x = layer(x, w, f"encoder.layer.{number}")
    return x.mean(1)


def reduced(vectors, dimensions):
    """The strongest directions, each entry weighted by its rank: the vocabulary is ordered by frequency."""
    vectors = vectors - vectors.mean(0)
    _, _, directions = np.linalg.svd(vectors, full_matrices=False)
    return vectors @ directions[COMMON : COMMON + dimensions].T


def main(folder, target, entries=ENTRIES, dimensions=DIMENSIONS):
    vocabulary = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
    ids = [number for number, word in enumerate(vocabulary) if PLAIN.fullmatch(word)][:entries]
    w = weights(folder)
    rows = []
    for at in range(0, len(ids), BATCH):
        rows.append(encoded(np.array(ids[at : at + BATCH]), w))
        print(f"{at} of {len(ids)}", file=sys.stderr)
    table = reduced(np.concatenate(rows), dimensions)
    rank = np.arange(len(ids)) + 1
    share = 1 / rank / np.log(len(ids))
    table = table / np.linalg.norm(table, axis=1, keepdims=True).clip(1e-9) ** 0.5
    table = table * (FREQUENT / (FREQUENT + share))[:, None]
    scale = np.abs(table).max(1, keepdims=True).clip(1e-9)
    nibbles = (np.round(table / scale * 7).astype(np.int8) + 8).astype(np.uint8)
    packed = (nibbles[:, 0::2] << 4 | nibbles[:, 1::2]).tobytes()
    levels = np.clip(np.round(scale[:, 0] / scale.max() * 255), 1, 255).astype(np.uint8).tobytes()
    words = "\n".join(vocabulary[number] for number in ids).encode()
    body = zlib.compress(struct.pack("<HII", dimensions, len(ids), len(words)) + words + levels + packed, 9)
    target.write_bytes(body)
    print(f"{target}: {len(ids)} entries of {dimensions}, {len(body)} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:]))
