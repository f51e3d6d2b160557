"""What waits for what, as a table of graphs."""

import time

import pytest
from tiers import some

from orchestrate.workflow import dag
from orchestrate.workflow.spec import Step


def steps(text):
    """`b:a c:a,b` - each step with what it waits for; `b!f` has a fallback."""
    made = []
    for word in text.split():
        name, _, waits = word.partition(":")
        name, _, fallback = name.partition("!")
        made.append(Step(name, "agent", depends_on=tuple(filter(None, waits.split(","))), fallback=fallback))
    return made


GRAPHS = {
    "nothing": ("", []),
    "one": ("a", [["a"]]),
    "a chain": ("a b:a c:b", [["a"], ["b"], ["c"]]),
    "a chain told backwards": ("c:b b:a a", [["a"], ["b"], ["c"]]),
    "a diamond": ("a b:a c:a d:b,c", [["a"], ["b", "c"], ["d"]]),
    "two by themselves": ("a x b:a y:x", [["a", "x"], ["b", "y"]]),
    "a short cut": ("a b:a c:a,b", [["a"], ["b"], ["c"]]),
    "fan out, fan in": ("a b1:a b2:a b3:a c:b1,b2,b3", [["a"], ["b1", "b2", "b3"], ["c"]]),
    "a fallback runs between": ("a!f f b:a", [["a"], ["f"], ["b"]]),
    "a fallback that waits itself": ("a!f f:a b:a,f", [["a"], ["f"], ["b"]]),
    "a fallback of a fallback": ("a!f f!g g b:a", [["a"], ["f"], ["g"], ["b"]]),
    "a need that there is not": ("a:zz b:a", [["a"], ["b"]]),
    "told twice": ("a b:a,a", [["a"], ["b"]]),
}


@pytest.mark.parametrize(("text", "levels"), GRAPHS.values(), ids=GRAPHS)
def test_levels(text, levels):
    assert dag.levels(steps(text)) == levels


@pytest.mark.parametrize(
    ("most", "waves"),
    [
        (None, [["a"], ["b1", "b2", "b3"], ["c"]]),
        (2, [["a"], ["b1", "b2"], ["b3"], ["c"]]),
        (1, [["a"], ["b1"], ["b2"], ["b3"], ["c"]]),
    ],
)
def test_waves_are_levels_cut_to_size(most, waves):
    assert dag.waves(steps("a b1:a b2:a b3:a c:b1,b2,b3"), most) == waves


CYCLES = {
    "none": ("a b:a c:a,b", []),
    "itself": ("a:a", [["a", "a"]]),
    "two": ("a:b b:a", [["a", "b", "a"]]),
    "three, and one after": ("a:c b:a c:b d:a", [["a", "c", "b", "a"]]),
    "two cycles": ("a:b b:a c:d d:c e", [["a", "b", "a"], ["c", "d", "c"]]),
    "a fallback before its step": ("a!f:b f b:f", [["a", "b", "f", "a"]]),
}


@pytest.mark.parametrize(("text", "cycles"), CYCLES.values(), ids=CYCLES)
def test_cycles_are_whole(text, cycles):
    assert dag.cycles(steps(text)) == cycles


def test_what_stands_in_a_cycle_has_no_level():
    assert dag.levels(steps("a b:c c:b d:c")) == [["a"]]


def test_what_has_ended_before_a_step():
    assert dag.before(steps("a b:a c:a d:b e")) == {"a": 0, "b": 0b1, "c": 0b1, "d": 0b11, "e": 0}


def never(name, *waits, fallback=""):
    return Step(name, "agent", depends_on=waits, when="1 == 2", fallback=fallback)


@pytest.mark.parametrize(
    ("made", "reasons"),
    [
        (steps("a b:a"), {}),
        ([never("a")], {"a": "when: 1 == 2 is never true"}),
        (
            [never("a"), *steps("b:a c:b")],
            {
                "a": "when: 1 == 2 is never true",
                "b": "it waits for a alone, which never runs",
                "c": "it waits for b alone, which never runs",
            },
        ),
        ([never("a"), *steps("x b:a,x")], {"a": "when: 1 == 2 is never true"}),
        (
            [never("a"), never("b"), *steps("c:a,b")],
            {
                "a": "when: 1 == 2 is never true",
                "b": "when: 1 == 2 is never true",
                "c": "it waits for a, b alone, which never run",
            },
        ),
        (
            [never("a", fallback="f"), *steps("f")],
            {"a": "when: 1 == 2 is never true", "f": "it stands in for a, which never runs"},
        ),
        ([Step("a", "agent", when="x == 1")], {}),
        ([Step("a", "agent", when="1 == 1")], {}),
    ],
)
def test_steps_that_never_run_are_known_with_the_reason(made, reasons):
    assert dag.unreachable(made) == reasons


@pytest.mark.parametrize(
    "made",
    some(
        [
            [Step(str(n), "agent", depends_on=(str(n - 1),) if n else ()) for n in range(10_000)],
            [Step(str(n), "agent", depends_on=(str((n - 1) % 10_000),)) for n in range(10_000)],
            [Step(str(n), "agent", depends_on=("0",) if n else ()) for n in range(10_000)],
        ],
        1,
    ),
    ids=["a chain", "a circle", "a fan"],
)
def test_ten_thousand_steps_are_nothing(made):
    began = time.process_time()
    dag.levels(made), dag.cycles(made), dag.before(made), dag.unreachable(made)
    assert time.process_time() - began < 1
