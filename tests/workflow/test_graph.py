"""The DAG as text: what is drawn, and that it fits."""

import time
from random import Random

import pytest

from orchestrate.workflow import graph
from orchestrate.workflow.spec import Step, Workflow


def flow(text, **more):
    """`b:a c:a,b` - each step with what it waits for."""
    made = []
    for word in text.split():
        name, _, waits = word.partition(":")
        made.append(Step(name, "agent", agent="x", depends_on=tuple(filter(None, waits.split(","))), **more))
    return Workflow("w", (), {}, tuple(made), "w.yaml", "")


def drawn(workflow):
    return [line.removesuffix("x").rstrip() for line in graph.text(workflow)]


DRAWINGS = {
    "one": ("a", ["1  ●  a"]),
    "a chain": ("a b:a c:b", ["1  ●  a", "2  ●  b", "3  ●  c"]),
    "by themselves": ("a b c", ["1  ●    a", "     ●  b", "   ●    c"]),
    "a diamond": (
        "a b:a c:a d:b,c",
        [
            "1  ●    a",
            "   ├─╮",
            "2  │ ●  b",
            "   ● │  c",
            "   ├─╯",
            "3  ●    d",
        ],
    ),
    "a fan of three": (
        "a b:a c:a d:a e:b,c,d",
        [
            "1  ●      a",
            "   ├─╮",
            "2  │ ●    b",
            "   ├─│─╮",
            "   │ │ ●  c",
            "   ● │ │  d",
            "   ├─┴─╯",
            "3  ●      e",
        ],
    ),
    "a short cut": (
        "a b:a c:a,b",
        [
            "1  ●    a",
            "   ├─╮",
            "2  │ ●  b",
            "   ├─╯",
            "3  ●    c",
        ],
    ),
    "two that cross": (
        "a b c:a,b d:a,b",
        [
            "1  ●      a",
            "   │ ●    b",
            "   ├─┼─╮",
            "2  │ │ ●  c",
            "   ├─╯",
            "   ●      d",
        ],
    ),
}


@pytest.mark.parametrize(("text", "lines"), DRAWINGS.values(), ids=DRAWINGS)
def test_a_graph_is_drawn_with_its_levels_and_lanes(text, lines):
    assert drawn(flow(text)) == lines


def made_at_random(seed):
    random = Random(seed)
    ids = "abcdefghij"
    waits = [random.sample(ids[:at], min(at, random.choice([0, 1, 1, 2, 3]))) for at in range(len(ids))]
    return " ".join(f"{name}:{','.join(them)}" for name, them in zip(ids, waits, strict=True))


@pytest.mark.parametrize("text", [*(text for text, _ in DRAWINGS.values()), *map(made_at_random, range(100))])
def test_every_dependency_is_a_way_through_the_drawing(text):
    """Read back: from a step's mark down along the lines one comes to whoever waits for it, and to nobody else."""
    workflow = flow(text)
    wanted = {(other, step.id) for step in workflow.steps for other in step.depends_on}
    assert ways(graph.text(workflow)) == wanted


def ways(lines):
    """A lane carries a name down; a row of connectors brings the names of the lanes it joins to the next mark."""
    lanes, joined, found = {}, None, set()
    for line in lines:
        cells = {at // 2: char for at, char in enumerate(line[3:]) if at % 2 == 0 and char in "●│├┼┴┬╯╰╮╭┤"}
        lanes = {lane: name for lane, name in lanes.items() if lane in cells}
        mark = next((lane for lane, char in cells.items() if char == "●"), None)
        if mark is None:
            joined = {lane: lanes[lane] for lane, char in cells.items() if char in "├┼┴╯╰┤"}
            targets = {lane for lane, char in cells.items() if char in "├┼┤╮╭┬"}
            lanes = {lane: name for lane, name in lanes.items() if cells[lane] in "│├┼┤"}
        else:
            name = line[3 + mark * 2 + 1 :].replace("│", " ").split()[0]
            assert joined is None or mark in targets
            above = [lanes[mark]] if mark in lanes else []
            found |= {(other, name) for other in (above if joined is None else joined.values())}
            lanes[mark], joined = name, None
    return found


def test_a_step_says_what_it_does():
    steps = [
        Step("a", "agent", agent="haiku-general", when="x == 'y'"),
        Step("b", "route", foreach=("x", "y")),
        Step("c", "command", command=("make", "all\ntests"), fallback="a"),
        Step("d", "gate", gate="len(x) > 0"),
        Step("e", "workflow", workflow="/p/ship.yaml", foreach="found"),
    ]
    assert [graph.what(step) for step in steps] == [
        "haiku-general · when x == 'y'",
        "by the router · for each of 2",
        "$ make all tests · if it fails: a",
        "gate: len(x) > 0",
        "workflow ship.yaml · for each found",
    ]


@pytest.mark.parametrize("text", ["a b:a c:a,b", " ".join(["a", *(f"b{n}:a" for n in range(40))]) + " z:b1,b2"])
def test_no_line_is_wider_than_the_page(text):
    workflow = flow(text, when="x == '" + "y" * 200 + "'")
    for width in (40, 80):
        assert max(map(len, graph.text(workflow, width))) <= width


def test_too_many_lanes_are_written_out():
    many = [f"b{n}" for n in range(40)]
    lines = graph.text(flow(" ".join(["a", *(f"{name}:a" for name in many), f"z:{','.join(many)}"])))
    assert lines[:2] == ["   1  ● a  x", "   2  ● b0 ← a  x"]
    assert lines[-1].startswith("   3  ● z ← b0, b1, b2, ")
    assert len(lines) == 42


def test_where_lines_cannot_be_printed_others_stand_for_them():
    lines = [graph.plain(line) for line in graph.text(flow("a b:a c:a d:b,c"))]
    assert [line.rstrip("x ") for line in lines] == [
        "1  *    a",
        "   +-+",
        "2  | *  b",
        "   * |  c",
        "   +-+",
        "3  *    d",
    ]


@pytest.mark.slow
def test_ten_thousand_steps_are_drawn_in_no_time():
    workflow = flow(" ".join(["s0", *(f"s{n}:s{(n - 1) // 3}" for n in range(1, 10_000))]))
    began = time.process_time()
    assert len(graph.text(workflow)) >= 10_000
    assert time.process_time() - began < 2
