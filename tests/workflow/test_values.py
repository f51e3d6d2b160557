"""`{name}` in prompts: what is filled in, what never is again, and what is told of a wrong name."""

import pytest

from orchestrate.workflow import values
from orchestrate.workflow.spec import Input, Step, Workflow
from orchestrate.workflow.values import File, Filled
from state.errors import UserError

GIVEN = {"topic": "mitochondria", "n": 3, "deep": True, "none": None, "list": ["a", "é"], "evil": "{topic} {{x}} {"}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("", ""),
        ("on {topic}.", "on mitochondria."),
        ("{topic}{topic}", "mitochondriamitochondria"),
        ("{n} {deep} [{none}] {list}", '3 true [] ["a", "é"]'),
        ("a {{brace}} {{{topic}}}", "a {brace} {mitochondria}"),
        ("{evil}", "{topic} {{x}} {"),
        ("{{topic}}", "{topic}"),
        ("\\{topic} %s $topic", "\\mitochondria %s $topic"),
    ],
)
def test_values_are_filled_in_once(template, text):
    assert values.fill(template, GIVEN) == Filled(text, ())


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{nope}", "no value named {nope} (have: deep, evil, list, n, none, topic)"),
        ("a {", "a brace stands alone near 'a {': a value reads {name}, a brace itself {{ or }}"),
        ("a } b", "a brace stands alone near 'a } b': a value reads {name}, a brace itself {{ or }}"),
        ('{"a": 1}', "a brace stands alone near '{\"a\": 1}': a value reads {name}, a brace itself {{ or }}"),
        (
            "{topic.__class__}",
            "a brace stands alone near '{topic.__class_': a value reads {name}, a brace itself {{ or }}",
        ),
        ("{topic!r}", "a brace stands alone near '{topic!r}': a value reads {name}, a brace itself {{ or }}"),
        ("{}", "a brace stands alone near '{}': a value reads {name}, a brace itself {{ or }}"),
    ],
)
def test_what_cannot_be_filled_in_is_told(template, message):
    with pytest.raises(UserError) as caught:
        values.fill(template, GIVEN)
    assert str(caught.value) == message


def test_a_long_value_is_handed_over_as_a_file():
    filled = values.fill("Read {long}, {topic} and {long}", {**GIVEN, "long": "{topic}" * 3000}, "/runs/r/in")
    told = "[long: 21,000 characters, in the file /runs/r/in/long.txt]"
    assert filled.text == f"Read {told}, mitochondria and {told}"
    assert filled.files == (File("/runs/r/in/long.txt", "{topic}" * 3000),)
    assert values.fill("{long}", {"long": "x" * 16_000}, "/f") == Filled("x" * 16_000, ())


def test_a_long_argument_is_the_path_of_its_file():
    long = {"long": "x" * 20_000}
    assert values.argument("{long}", long, "/f") == Filled("/f/long.txt", (File("/f/long.txt", "x" * 20_000),))
    assert values.argument("--topic={topic}", GIVEN, "/f") == Filled("--topic=mitochondria", ())


@pytest.mark.parametrize(
    ("value", "items"),
    [
        (["a", 1], ["a", 1]),
        ('["a", {"b": 1}]', ["a", {"b": 1}]),
        (" one \n\n two\n", ["one", "two"]),
        ("[not json\nx", ["[not json", "x"]),
        ("[" * 100_000, ["[" * 100_000]),
        ("", []),
        (None, []),
        ('{"a": 1}', ['{"a": 1}']),
    ],
)
def test_items_are_a_list_json_of_one_or_lines(value, items):
    assert values.items(Step("s", "agent", foreach="found"), {"found": value}) == items


def test_items_of_its_own_are_filled_in():
    assert values.items(Step("s", "agent", foreach=("x", "{topic}")), GIVEN) == ["x", "mitochondria"]


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"found": list(range(1001))}, "step s: foreach: 1001 items: at most 1000 are taken"),
        ({}, "step s: foreach: no value named 'found' (there are none)"),
    ],
)
def test_items_that_cannot_be_are_told(found, message):
    with pytest.raises(UserError) as caught:
        values.items(Step("s", "agent", foreach="found"), found)
    assert str(caught.value) == message


INPUTS = (
    Input("topic"),
    Input("depth", 3, required=False),
    Input("dry", False, required=False),
    Input("tags", ["a"], required=False),
    Input("note", "x", required=False),
    Input("extra", None, required=False),
)
FLOW = Workflow("flow", INPUTS, {}, (), "f", "")


def test_inputs_are_what_was_told_or_their_defaults():
    defaults = {"depth": 3, "dry": False, "tags": ["a"], "note": "x", "extra": None}
    assert values.given(FLOW, {"topic": "t"}) == {"topic": "t", **defaults}
    told = {"topic": "1", "depth": "7.5", "dry": "true", "tags": '["b"]', "note": "2", "extra": "e"}
    typed = {"topic": "1", "depth": 7.5, "dry": True, "tags": ["b"], "note": "2", "extra": "e"}
    assert values.given(FLOW, told) == typed


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({}, "flow: no value for topic: give --var topic=…"),
        ({"topics": "x"}, "flow: no input named 'topics' (have: depth, dry, extra, note, tags, topic)"),
        ({"topic": "x", "depth": "deep"}, "--var depth: expected a number like its default 3"),
        ({"topic": "x", "depth": "true"}, "--var depth: expected a number like its default 3"),
        ({"topic": "x", "dry": "1"}, "--var dry: expected true or false like its default false"),
        ({"topic": "x", "tags": "a,b"}, '--var tags: expected JSON like its default ["a"]'),
        ({"topic": "x", "tags": "[" * 100_000}, '--var tags: expected JSON like its default ["a"]'),
    ],
)
def test_a_wrong_input_is_told(told, message):
    with pytest.raises(UserError) as caught:
        values.given(FLOW, told)
    assert (str(caught.value), caught.value.code) == (message, 2)
