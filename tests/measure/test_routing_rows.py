"""What is taken from a file of labelled prompts, and what is said of a line that cannot be."""

import json

import pytest

from orchestrate.measure import routing_rows
from orchestrate.measure.routing_rows import Asked, Models, Paired, Tiered
from state.errors import UserError

TIER = '{"prompt": "a", "tier": "haiku"}'
PAIR = '{"prompt": "a", "weak": 0, "strong": 1}'
SCORES = '{"prompt": "a", "scores": {"small": 0.25, "large": 1, "other": 0}}'
WANTED = '{"prompt", "tier"} or {"prompt", "weak", "strong"}'


@pytest.fixture
def read(tmp_path):
    """Read lines out of a file: (dataset, path)."""

    def run(*lines, models=None):
        path = tmp_path / "rows.jsonl"
        path.write_bytes(b"\n".join(line.encode() if isinstance(line, str) else line for line in lines))
        return routing_rows.read(path, models)

    return run


def test_tiers_accept_themselves_and_what_the_file_lets_pass(read):
    found = read(
        '{"prompt": "a", "tier": "sonnet", "accept": ["opus"], "stratum": "x", "context": {"turn": 2}}',
        "",
        '{"prompt": "", "tier": "haiku", "stratum": "y", "context": null}',
    )
    place = "rows.jsonl:{}"
    assert [one._replace(place=one.place.rpartition("/")[2]) for one in found.asked] == [
        Asked("a", {"turn": 2}, "x", place.format(1)),
        Asked("", {}, "y", place.format(3)),
    ]
    assert found.tiers == [Tiered("sonnet", frozenset(["sonnet", "opus"])), Tiered("haiku", frozenset(["haiku"]))]
    assert (found.name, found.grouped_by, found.pairs) == ("rows", "stratum", [])


def test_pairs_are_numbers_and_truths(read):
    found = read(PAIR, '{"prompt": "b", "weak": true, "strong": 8.5}')
    assert (found.pairs, found.tiers, found.grouped_by) == ([Paired(0, 1), Paired(1, 8.5)], [], None)


def test_scores_need_two_names(read):
    assert read(SCORES, models=Models("small", "large")).pairs == [Paired(0.25, 1)]


@pytest.mark.parametrize(
    ("fields", "grouped_by"),
    [
        ([{"bench": "x", "domain": "m"}, {"bench": "y", "domain": "n"}], "bench"),
        ([{"bench": "x", "domain": "m"}, {"bench": "x", "domain": "n"}], "domain"),
        ([{"source": "x"}, {"source": 3}], None),
        ([{"stratum": "x", "source": "m"}, {"source": "n"}], "source"),
    ],
)
def test_rows_are_grouped_by_the_first_field_that_differs(read, fields, grouped_by):
    assert read(*(json.dumps({"prompt": "a", "tier": "opus", **more}) for more in fields)).grouped_by == grouped_by


def test_a_mark_at_the_head_of_a_file_is_no_garbage(read):
    assert len(read(b"\xef\xbb\xbf" + TIER.encode()).asked) == 1


def test_a_group_is_shown_without_control_characters_and_short():
    assert routing_rows.shown("a\x1b[31m\n" + "b" * 60) == "a?[31m?" + "b" * 33


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("secret", f"no JSON: each line must be one object of {WANTED}"),
        (b'{"prompt": "\xff secret"}', f"no JSON: each line must be one object of {WANTED}"),
        ('["secret"]', f"no object: each line must be {WANTED}"),
        ('{"prompt": "secret"}', f"no label: each line must be {WANTED}"),
        ('{"prompt": ["secret"], "tier": "haiku"}', "prompt must be a text"),
        ('{"prompt": "secret", "tier": "secret"}', "tier must be one of haiku, sonnet, opus"),
        ('{"prompt": "secret", "tier": ["haiku"]}', "tier must be one of haiku, sonnet, opus"),
        (
            '{"prompt": "secret", "tier": "haiku", "accept": ["secret"]}',
            "accept must be a list of haiku, sonnet, opus",
        ),
        ('{"prompt": "secret", "tier": "haiku", "accept": "haiku"}', "accept must be a list of haiku, sonnet, opus"),
        ('{"prompt": "secret", "tier": "haiku", "context": "secret"}', "context must be an object"),
        ('{"prompt": "secret", "weak": 1}', "strong must be a number"),
        ('{"prompt": "secret", "weak": "secret", "strong": 1}', "weak must be a number"),
        (SCORES, "scores of several models: say which two with --weak MODEL --strong MODEL"),
        (PAIR, "another kind of label than in the first row: put each kind in its own file"),
    ],
)
def test_garbage_is_told_with_its_place_and_never_shown(read, tmp_path, line, told):
    with pytest.raises(UserError) as raised:
        read(TIER, "", line)
    assert str(raised.value) == f"{tmp_path}/rows.jsonl:3: {told}"


def test_a_model_without_a_score_is_told(read, tmp_path):
    with pytest.raises(UserError) as raised:
        read(SCORES, models=Models("small", "none"))
    assert str(raised.value) == f"{tmp_path}/rows.jsonl:1: none must be a number"


@pytest.mark.parametrize("lines", [[], ["", "  "]])
def test_an_empty_file_is_told(read, tmp_path, lines):
    with pytest.raises(UserError) as raised:
        read(*lines)
    assert str(raised.value) == f"{tmp_path}/rows.jsonl: no rows: give lines of {WANTED}"


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(UserError) as raised:
        routing_rows.read(tmp_path / "none.jsonl")
    assert str(raised.value) == f"{tmp_path}/none.jsonl: No such file or directory: name a file of {WANTED}"
