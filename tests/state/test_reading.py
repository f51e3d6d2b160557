"""However much is wrong with a file, what is told of it stays readable, and what it costs stays small."""

from state import yaml_nodes
from state.reading import Reading, flag
from state.yaml_nodes import Bounds


def read(text):
    reading = Reading("f.yaml")
    root = yaml_nodes.compose("f.yaml", text, Bounds(size_bytes=1 << 20, nodes=10_000, depth=10))
    return reading, reading.group(root, "", {"known": flag, "empty": flag})


def test_keys_are_taken_and_mistakes_told_with_their_lines():
    reading, taken = read("known: true\nempty:\nknwon: 1\n? [a]\n: 1\n")
    assert taken == {"known": True}
    assert reading.told() == [
        "f.yaml:3: knwon: no such key (did you mean known?)",
        "f.yaml:4: ?: no such key (have: known, empty)",
    ]


def test_only_the_first_hundred_mistakes_are_told_and_few_with_a_hint():
    reading, _ = read("".join(f"knowm{n}: 1\n" for n in range(150)))
    told = reading.told()
    assert len(told) == 101
    assert told[-1] == "f.yaml: and 50 mistakes more"
    assert len([line for line in told if "did you mean known?" in line]) == 21
