import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from routing import facts, score
from routing.facts import NAMES, expanded
from routing.features import BUCKETS, CAP_BYTES, SLOTS, WORD_LIMIT, Text, scored
from routing.routing_core import decide

ROUTING = Path(score.__file__).parent
HOT = """
import sys
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
from routing.routing_core import decide
told = decide("Fix typo in README.md").as_dict()
new = sorted(set(sys.modules) - before)
import json
print(json.dumps([told, new]))
"""


def run_alone(root):
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", HOT, str(root)], capture_output=True, text=True, check=True
    )
    assert ended.stderr == ""
    return json.loads(ended.stdout)


def test_deciding_imports_nothing_but_itself():
    told, new = run_alone(ROUTING.parent)
    assert new == [
        "routing",
        "routing.facts",
        "routing.features",
        "routing.routing_core",
        "routing.rules",
        "routing.score",
    ]
    assert told == decide("Fix typo in README.md").as_dict()


def test_it_works_wherever_it_lies(tmp_path):
    shutil.copytree(ROUTING, tmp_path / "Übung here" / "routing")
    told, _ = run_alone(tmp_path / "Übung here")
    assert told == decide("Fix typo in README.md").as_dict()


def test_the_weights_are_small_and_fit():
    data = (ROUTING / "weights.bin").read_bytes()
    assert len(data) <= 64 * 1024
    weights = score.Weights(data)
    assert [len(head) for head in weights.dense] == [len(NAMES)] * len(score.HEADS)
    assert [len(head) for head in weights.hashed] == [BUCKETS] * len(score.HASHED)
    assert len(weights.lexicon.slots) == SLOTS
    assert weights.curve == sorted(weights.curve)
    assert 0.0 <= weights.curve[0] < weights.line < weights.curve[-1] <= 1.0


def test_every_dense_feature_has_a_value():
    verdict = score.judge(Text("fix the typo in README.md"), score.load(str(ROUTING / "weights.bin")))
    assert [i for i, value in enumerate(verdict.values()) if value] == expanded(verdict.facts)
    assert [NAMES[i] for i in expanded(verdict.facts) if NAMES[i] in ("length", "files named")] == [
        "length",
        "length",
        "files named",
    ]


@pytest.mark.parametrize("spoil", [lambda data: data[:-1], lambda data: data.replace(b"weights-3", b"weights-9", 1)])
def test_weights_of_another_version_are_refused(spoil):
    with pytest.raises(ValueError, match="does not fit this version"):
        score.Weights(spoil((ROUTING / "weights.bin").read_bytes()))


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0.1), (0.25, 0.2), (0.5, 0.3), (0.75, 0.6), (1.0, 0.9)])
def test_confidence_is_read_between_the_points(share, expected):
    assert score.confidence(share, [0.1, 0.3, 0.9]) == pytest.approx(expected)


@pytest.mark.parametrize("prompt", ["x" * 1_000_000, "é" * 1_000_000, "\u597d" * 5000, "a" * 8192, "\ud800" * 8193])
def test_no_more_than_the_cap_is_read(prompt):
    assert len(scored(prompt)) == CAP_BYTES


@pytest.mark.parametrize("accent", ["", "é "])
def test_a_prompt_of_megabytes_costs_what_the_cap_costs(accent):
    text = accent + "please add a small dropdown for all of the users in src/app/users.py, and then run the tests "
    large, small = best(text * 110_000, text * 86)
    assert large <= 3 * small


def best(*prompts):
    """The least that each took, in turn: whoever else has the machine has it for all of them."""
    times = [[] for _ in prompts]
    for _ in range(15):
        for prompt, taken in zip(prompts, times, strict=True):
            start = time.thread_time_ns()
            decide(prompt)
            taken.append(time.thread_time_ns() - start)
    return map(min, times)


def seen(prompt):
    """The names of the facts that hold, a step of a thermometer each."""
    verdict = score.judge(Text(prompt), score.load(str(ROUTING / "weights.bin")))
    return [NAMES[fact] for fact in expanded(verdict.facts)]


def test_of_a_script_without_spaces_as_much_is_read_as_of_words_and_the_end_too():
    prompt = "".join(chr(0x4E00 + i) for i in range(2500))
    pairs = [pair.decode() for pair in facts._wide_pairs(Text(prompt))]
    assert len(pairs) == 2 * WORD_LIMIT - 1
    assert (pairs[0], pairs[-1]) == (prompt[:2], prompt[-2:])


@pytest.mark.parametrize(("words", "steps"), [(2, 0), (3, 1), (4, 1), (5, 2), (200, 10), (201, 11), (300, 11)])
def test_a_limit_is_passed_by_more_than_it(words, steps):
    assert seen("word " * words).count("length") == steps


@pytest.mark.parametrize(
    ("prompt", "fact", "holds"),
    [
        ("look\n- one\n- two", "lists items", True),
        ("look\n* one", "lists items", True),
        ("look\n1. one", "lists items", True),
        ("- one", "lists items", False),
        ("look\n-one", "lists items", False),
        ("look\n1.", "lists items", False),
        ("which?\nA. one\nB. two", "offers answers to choose from", True),
        ("which?\nB) two", "offers answers to choose from", True),
        ("which?\n(B) two", "offers answers to choose from", True),
        ("which? (A) one (B) two", "offers answers to choose from", True),
        ("B. two", "offers answers to choose from", False),
        ("which?\nB.two", "offers answers to choose from", False),
    ],
)
def test_a_line_counts_by_how_it_starts(prompt, fact, holds):
    assert (fact in seen(prompt)) == holds


@pytest.mark.parametrize(
    ("prompt", "pasted"),
    [
        ("fix it\nat index 3 it fails", True),
        ("fix it\nFile the report", True),
        ("fix it\nas it is", False),
        ("fix it\n> said so", True),
        ("fix it\n~ said so in the end", False),
        ("fix it\n{}[]();", True),
        ("fix it\n\tsaid so", True),
        ("fix it\n \n", False),
    ],
)
def test_a_line_that_looks_like_code_or_a_log_is_pasted(prompt, pasted):
    assert Text(prompt).pasted == pasted


def test_a_step_of_a_thermometer_weighs_what_all_below_it_weigh():
    weights = score.load(str(ROUTING / "weights.bin"))
    short, long = (score.judge(Text("word " * count), weights) for count in (3, 300))
    steps = [facts[-1] for facts in ([f for f in one.facts if NAMES[f] == "length"] for one in (short, long))]
    assert steps[1] - steps[0] == 10
    assert [len([f for f in expanded(one.facts) if NAMES[f] == "length"]) for one in (short, long)] == [1, 11]
