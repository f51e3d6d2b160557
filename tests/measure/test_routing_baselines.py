"""What the router has to beat, and other routers where they are installed."""

import itertools
import random
import sys

import pytest

from orchestrate.measure import routing_baselines, routing_peers
from orchestrate.measure.routing_answers import Answer
from orchestrate.measure.routing_baselines import Limits
from orchestrate.measure.routing_rows import Asked, Paired, Tiered
from state.errors import UserError

TIERS = ("haiku", "sonnet", "opus")
LITELLM = """
class Tier:
    def __init__(self, value): self.value = value

class ComplexityRouter:
    def __init__(self, model_name, litellm_router_instance): pass
    def classify(self, prompt):
        return Tier("SIMPLE" if len(prompt) < 5 else "REASONING"), len(prompt) / 10, ["signal"]
"""
RULES = """
def classify_by_rules(prompt):
    return {"route": "deep" if "why" in prompt else "fast", "confidence": 0.7}
"""


def asked(*prompts):
    return [Asked(prompt, {}, "", "file:1") for prompt in prompts]


def right(rows, limits):
    return sum(routing_baselines.tier_of(length, limits) == tier for length, tier in rows)


@pytest.mark.parametrize(
    ("rows", "limits"),
    [
        ([], Limits(0, 1 << 60)),
        ([(5, "haiku"), (10, "sonnet"), (20, "opus")], Limits(10, 20)),
        ([(5, "haiku"), (10, "haiku")], Limits(11, 11)),
        ([(5, "opus"), (10, "opus")], Limits(0, 0)),
        ([(5, "sonnet"), (10, "sonnet")], Limits(0, 11)),
        ([(5, "haiku"), (5, "haiku"), (5, "opus")], Limits(6, 6)),
    ],
)
def test_limits_put_most_rows_right(rows, limits):
    assert routing_baselines.fit(rows) == limits


@pytest.mark.parametrize("seed", range(20))
def test_no_other_limits_are_better(seed):
    draw = random.Random(seed)
    rows = [(draw.randint(0, 8), draw.choice(TIERS)) for _ in range(draw.randint(1, 30))]
    best = max(right(rows, Limits(*pair)) for pair in itertools.combinations_with_replacement(range(11), 2))
    assert right(rows, routing_baselines.fit(rows)) == best


def test_length_is_fitted_on_other_rows_than_it_is_tried_on():
    """With random labels, limits that had seen a row would do better than chance."""
    draw = random.Random(1)
    prompts = ["x" * (place + 1) for place in range(300)]
    labels = [Tiered(draw.choice(TIERS), frozenset()) for _ in prompts]
    answers = routing_baselines.by_length(asked(*prompts), labels)
    assert sum(a.tier == one.tier for a, one in zip(answers, labels, strict=True)) / 300 == pytest.approx(
        1 / 3, abs=0.06
    )
    lone = routing_baselines.by_length(asked("a", "bb"), [Tiered("haiku", frozenset()), Tiered("opus", frozenset())])
    assert [answer.tier for answer in lone] != ["haiku", "opus"]


def test_length_finds_tiers_that_are_lengths():
    prompts = ["x" * length for length in (10, 100, 300) for _ in range(30)]
    labels = [Tiered(TIERS[(len(one) > 50) + (len(one) > 200)], frozenset()) for one in prompts]
    answers = routing_baselines.by_length(asked(*prompts), labels)
    assert [answer.tier for answer in answers] == [label.tier for label in labels]
    assert [answer.score for answer in answers] == [len(prompt) for prompt in prompts]


def test_without_labels_length_is_an_order():
    assert routing_baselines.by_length(asked("a", "bbb"), []) == [Answer("sonnet", 1.0), Answer("sonnet", 3.0)]


def test_shuffled_labels_are_worth_chance():
    labels = [Tiered(tier, frozenset([tier])) for tier in TIERS * 100]
    answers = [Answer(label.tier, 0.0, 0.9) for label in labels]
    found = routing_baselines.shuffled_labels(labels, answers)
    assert found.accuracy == pytest.approx(1 / 3, abs=0.03)
    assert found == routing_baselines.shuffled_labels(labels, answers)


def test_shuffled_pairs_are_worth_chance():
    assert routing_baselines.shuffled_pairs([Paired(0, 1)] * 100 + [Paired(1, 1)] * 100).apgr == pytest.approx(
        0.5, abs=0.05
    )
    assert routing_baselines.shuffled_pairs([Paired(1, 0)]) is None


def test_peers_that_are_not_here_say_so():
    assert [(peer.name, peer.note, peer.answers(asked("a"))) for peer in routing_peers.peers(None)] == [
        ("litellm complexity", "not installed", []),
        ("0xrdan rules", "not given: --peer PATH of a checkout", []),
    ]


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package of the name of LiteLLM with the same door, as an installer leaves it."""
    folder = tmp_path / "site"
    inner = folder / "litellm" / "router_strategy" / "complexity_router"
    inner.mkdir(parents=True)
    for package in (inner, inner.parent, inner.parent.parent):
        (package / "__init__.py").touch()
    (folder / "litellm-9.9.dist-info").mkdir()
    (folder / "litellm-9.9.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: litellm\nVersion: 9.9\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    yield inner / "complexity_router.py"
    for name in [name for name in sys.modules if name.split(".")[0] == "litellm"]:
        del sys.modules[name]


def test_litellm_decides_where_it_is_installed(installed):
    installed.write_text(LITELLM)
    peer = routing_peers.litellm()
    assert (peer.name, peer.note) == ("litellm complexity", "version 9.9")
    assert peer.answers(asked("hi", "a long one")) == [Answer("haiku", 0.2), Answer("opus", 1.0)]


def test_a_litellm_that_cannot_be_imported_says_why(installed):
    installed.write_text("import a_package_that_nobody_has")
    peer = routing_peers.litellm()
    assert (peer.note, peer.decide) == ("not importable: no a_package_that_nobody_has", None)


def test_the_rules_of_a_checkout_decide(tmp_path):
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks" / "classify-prompt.py").write_text(RULES)
    peer = routing_peers.claude_router(tmp_path)
    assert peer.note == "rules only, no model"
    assert peer.answers(asked("why", "show")) == [Answer("opus", 2.0), Answer("haiku", 0.0)]


def test_a_folder_that_is_no_checkout_is_told(tmp_path):
    with pytest.raises(UserError) as raised:
        routing_peers.claude_router(tmp_path)
    assert str(raised.value) == (
        f"{tmp_path}/hooks/classify-prompt.py: no such file: --peer takes a checkout of 0xrdan/claude-router"
    )
