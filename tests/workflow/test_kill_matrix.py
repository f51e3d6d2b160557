"""kill -9 of the runner, of a step's agent and of both, at the beginning and at the end of every agent of a run."""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest
from machine import Machine, dag

from orchestrate.workflow import runs

WHOM = ("runner", "child", "both")
POINTS_LEAST = 60


class Shape(NamedTuple):
    """`edges`: what each agent comes after, by the first word of its prompt; `units`: where its result is kept."""

    text: str
    edges: dict
    answers: dict
    units: dict
    steps: dict  # what is told as finished, and how often
    inner: str = ""

    @property
    def points(self):
        return [f"{when} {word}" for word in self.edges for when in ("start", "end")]

    def beside(self, word):
        """The agents that may work at the same time."""
        return [one for one in self.edges if one != word and one not in self.before(word) | self.after(word)]

    def before(self, word):
        return set(self.edges[word]).union(*(self.before(one) for one in self.edges[word]))

    def after(self, word):
        return {one for one in self.edges if word in self.before(one)}


def plain(edges):
    answers = {}
    for word, before in edges.items():
        answers[word] = f"{word}({' '.join(answers[one] for one in before)})"
    return Shape(dag(edges), edges, answers, {word: word for word in edges}, dict.fromkeys(edges, 1))


EACH = """
workflow:
  name: each
  defaults: {agent: haiku-general, retry: 2}
  steps:
    - {id: a, prompt: a, output: a}
    - {id: b, prompt: "{item} {a}", foreach: [b0, b1, b2], depends_on: a, output: b}
    - {id: c, prompt: "c {a}", depends_on: b, output: c}
    - {id: d, command: [echo, "{b} {c}"], depends_on: c}
"""
OUTER = """
workflow:
  name: outer
  steps:
    - {id: a, agent: haiku-general, retry: 2, prompt: a, output: a}
    - {id: one, workflow: inner, with: {x: "1", told: "{a}"}, depends_on: a, output: one}
    - {id: each, workflow: inner, with: {x: "{item}", told: "{a}"}, foreach: ["2", "3"], depends_on: a}
    - {id: c, agent: haiku-general, retry: 2, prompt: "c {one}", depends_on: [one, each]}
"""
INNER = """
workflow:
  name: inner
  inputs: [x, told]
  steps:
    - {id: p, agent: haiku-general, retry: 2, prompt: "p{x} {told}", output: made}
    - {id: q, agent: haiku-general, retry: 2, prompt: "q{x} {made}", depends_on: p}
"""
_INNER_TOLD = ("one/p", "one/q", "each/0", "each/0/p", "each/0/q", "each/1", "each/1/p", "each/1/q")
SHAPES = {
    "linear": plain({"a": (), "b": ("a",), "c": ("b",), "d": ("c",)}),
    "diamond": plain({"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}),
    "fan-out": plain({"a": (), "b": ("a",), "c": ("a",), "d": ("a",), "e": ("a",), "f": ("b", "c", "d", "e")}),
    "foreach": Shape(
        EACH,
        {"a": (), "b0": ("a",), "b1": ("a",), "b2": ("a",), "c": ("b0", "b1", "b2")},
        {"a": "a()", "b0": "b0(a())", "b1": "b1(a())", "b2": "b2(a())", "c": "c(a())"},
        {"a": "a", "b0": "b/0", "b1": "b/1", "b2": "b/2", "c": "c"},
        dict.fromkeys("abcd", 1),
    ),
    "nested": Shape(
        OUTER,
        {
            "a": (), "p1": ("a",), "q1": ("p1",), "p2": ("a",), "q2": ("p2",), "p3": ("a",), "q3": ("p3",),
            "c": ("q1", "q2", "q3"),
        },
        {
            "a": "a()", "p1": "p1(a())", "q1": "q1(p1(a()))", "p2": "p2(a())", "q2": "q2(p2(a()))", "p3": "p3(a())",
            "q3": "q3(p3(a()))", "c": "c(q1(p1(a())))",
        },
        {
            "a": "a", "p1": "one/p", "q1": "one/q", "p2": "each/0/p", "q2": "each/0/q", "p3": "each/1/p",
            "q3": "each/1/q", "c": "c",
        },
        dict.fromkeys(("a", "one", "each", "c", *_INNER_TOLD), 1),
        INNER,
    ),
}  # fmt: skip


def killed(folder, shape, whom, url):
    machine = Machine(folder, url)
    if shape.inner:
        machine.own_workflow("inner.yaml", shape.inner)
    path = machine.workflow(shape.text)
    (machine.desk / "kill").write_text("".join(f"{point} {whom}\n" for point in shape.points))
    header = machine.begin(path)
    machine.run_until_idle(most=60)
    return machine, header


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.database)])
def databases(request):
    """A database for each machine: on a shared one they would help each other out."""
    if request.param == "sqlite":
        return lambda name: ""
    cluster = request.getfixturevalue("cluster")

    def made(name):
        with cluster.connect() as db:
            db.execute(f'CREATE DATABASE "{name}"')
        return cluster.url_of(name)

    return made


def test_there_are_enough_points_to_kill_at():
    plain_ones = [SHAPES[name] for name in ("linear", "diamond", "fan-out")]
    assert sum(len(shape.points) * len(WHOM) for shape in plain_ones) >= POINTS_LEAST


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", SHAPES)
def test_whatever_is_killed_each_step_is_done_once(tmp_path, databases, name):
    shape = SHAPES[name]

    def cell(whom):
        return killed(tmp_path / whom, shape, whom, databases(f"kill-{name}-{whom}-{tmp_path.name}"))

    with ThreadPoolExecutor(len(WHOM)) as pool:
        done = dict(zip(WHOM, pool.map(cell, WHOM), strict=True))
    for whom, (machine, header) in done.items():
        check(machine, header, shape, whom)


def check(machine, header, shape, whom):
    assert machine.header(header).status == "finished", whom
    assert machine.told(header, "finished") == shape.steps, whom
    log = machine.log()
    assert [words for words in log if words[0] == "beside"] == [], whom
    hit = {name.name.split("-")[2] for name in machine.desk.glob("killed-*")}
    assert hit == set(shape.edges), whom
    for word, count in machine.starts().items():
        # Each of its own two ends begins it once more; so does each kill of the runner that it was in flight at.
        own = len(list(machine.desk.glob(f"killed-*-{word}")))
        beside = 0 if whom == "child" else 2 * len(shape.beside(word))
        assert 1 + own <= count <= 1 + own + beside, (whom, word)
    for word, before in shape.edges.items():
        first = min(int(words[3]) for words in log if words[:2] == ["start", word])
        for one in before:
            last = max(int(words[3]) for words in log if words[:2] == ["start", one])
            assert last < first, (whom, word, one)  # nothing that has finished is begun again
    kept = {word: runs.kept(runs.unit_folder(header, unit, 1), 1).value for word, unit in shape.units.items()}
    assert kept == shape.answers, whom
