"""What an agent is told: by a file and by its environment, within limits, and handed down to what it starts in turn."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrate.agents import context, runs
from orchestrate.agents.fitting import MARK, fit
from orchestrate.agents.record import Facts
from state import journal
from state.errors import FAILED, NOT_FOUND, USAGE, UserError
from state.paths import LOG, Place, session_dir

NOW = 1795255500.25
FACTS = Facts("s1", "p1", "haiku-general", "haiku", "haiku", "cafe", 21)
REPO = Path(__file__).resolve().parents[2]


@pytest.fixture
def begin(place):
    def make(now=NOW):
        return runs.begin(place, FACTS, now, pytest.fail)

    return make


@pytest.fixture
def finished(begin):
    """A run that has finished with an answer: its id."""

    def make(answer="done", agent="sonnet-general"):
        run = begin()
        Path(run.folder, "answer.md").write_text(answer)
        record = {"run": run.id, "agent": agent, "outcome": "ok", "answer": answer[:10]}
        Path(run.folder, "run.json").write_text(json.dumps(record))
        return run.id

    return make


def told(passed):
    return json.loads(Path(passed.env["ORCHESTRATOR_CONTEXT_FILE"]).read_text())


def decide(place, prompt_id, **payload):
    entity, kind = ("prompt", prompt_id), "orchestration.prompt.decided"
    journal.record(place, journal.event(place, kind, "s1", prompt_id, entity, payload, NOW))


def test_the_file_tells_all_there_is(place, begin, finished, tmp_path):
    decide(place, "p0", hash="beef", agent="opus-general", tier="opus", decision="direct", mode="directive", text="x")
    earlier = finished("the whole answer")
    notes = tmp_path / "notes.txt"
    notes.write_bytes(b"caf\xe9\n")
    known = context.gather(place, "s1", "Fix it", [earlier], [str(notes)], {"BASE": "main"})
    run = begin()
    passed = context.hand_over(run, known, {"PATH": "/bin"})
    assert passed == (
        {"ORCHESTRATOR_CTX_BASE": "main", "ORCHESTRATOR_CONTEXT_FILE": f"{run.folder}/context.json"},
        [],
    )
    assert told(passed) == {
        "v": 1,
        "run": run.id,
        "session": "s1",
        "prompt_id": "p1",
        "request": "Fix it",
        "routing_history": [
            {
                "timestamp": "2026-11-21T10:05:00.250Z",
                "hash": "beef",
                "agent": "opus-general",
                "tier": "opus",
                "decision": "direct",
                "mode": "directive",
            }
        ],
        "results": [{"run": earlier, "agent": "sonnet-general", "outcome": "ok", "answer": "the whole answer"}],
        "files": [{"path": str(notes), "text": "caf\ufffd\n"}],
        "values": {"BASE": "main"},
        "ancestors": [],
        "truncated": False,
    }
    assert Path(run.folder, "context.json").stat().st_mode & 0o777 == 0o600


def test_the_history_is_the_last_twenty_decisions(place, begin):
    for number in range(25):
        decide(place, f"p{number}", hash=str(number))
    journal.append(f"{session_dir(place, 's1')}/{LOG}", b'{"type": half a line')
    document = told(context.hand_over(begin(), context.gather(place, "s1", "x"), {}))
    assert [row["hash"] for row in document["routing_history"]] == [str(number) for number in range(5, 25)]


@pytest.mark.parametrize(
    ("asked", "message", "code"),
    [
        ({"results": ["r-1999"]}, "run 'r-1999': there is none in {state}/runs", NOT_FOUND),
        ({"paths": ["/nowhere/x"]}, "/nowhere/x: there is no such file", NOT_FOUND),
        ({"paths": ["/"]}, "cannot read /: is a directory: a folder stands where a file is needed", FAILED),
        (
            {"values": {"base": "x"}},
            "'base': a value's name is capitals, digits and single underscores, as BASE_BRANCH",
            USAGE,
        ),
        (
            {"values": {"A__B": "x"}},
            "'A__B': a value's name is capitals, digits and single underscores, as BASE_BRANCH",
            USAGE,
        ),
    ],
)
def test_what_there_is_not_is_told_before_the_run(place, asked, message, code):
    with pytest.raises(UserError) as raised:
        context.gather(place, "s1", "x", **asked)
    assert (str(raised.value), raised.value.code) == (message.format(state=place.state), code)


def test_a_run_that_goes_on_has_no_result_to_pass_on(place, begin):
    run = begin()
    with pytest.raises(UserError) as raised:
        context.gather(place, "s1", "x", [run.id])
    assert str(raised.value) == f"run {run.id}: it has no result yet: wait for it, or name another"


def test_what_a_parent_gave_is_handed_down_and_ones_own_wins(place, begin, finished):
    first, second = finished("one"), finished("two")
    parent = begin()
    values = {"BASE": "main", "DEPTH": "1"}
    given = context.hand_over(parent, context.gather(place, "s1", "parent", [first], values=values), {})
    child = begin()
    known = context.gather(place, "s1", "child", [second], values={"BASE": "dev"})
    passed = context.hand_over(child, known, {**given.env, "HOME": "/home/me"})
    assert {name: value for name, value in passed.env.items() if name != context.FILE} == {
        "ORCHESTRATOR_CTX_BASE": "dev",
        "ORCHESTRATOR_CTX_DEPTH": "1",
    }
    document = told(passed)
    assert (document["request"], document["values"]) == ("child", {"BASE": "dev", "DEPTH": "1"})
    assert [result["answer"] for result in document["results"]] == ["two", "one"]
    assert document["ancestors"] == [parent.id]


CHILD = """\
import json, os, subprocess, sys
from orchestrate.agents import context, runs
from orchestrate.agents.record import Facts
from state.paths import locate

place = locate(os.getcwd(), os.environ)
run = runs.begin(place, Facts("s1", "p1", "a", "haiku", "haiku", "h", 1), 1795255500.25, print)
passed = context.hand_over(run, context.gather(place, "s1", "grandchild"), os.environ)
shown = "import os; print(os.environ['ORCHESTRATOR_CTX_BASE'], os.environ['ORCHESTRATOR_CONTEXT_FILE'])"
subprocess.run([sys.executable, "-c", shown], env={**os.environ, **passed.env}, check=True)
"""


def test_a_grandchild_knows_what_its_grandparent_was_told(place, begin, finished):
    run = begin()
    known = context.gather(place, "s1", "child", [finished("from before")], values={"BASE": "main"})
    env = {**os.environ, **context.hand_over(run, known, {}).env, "PYTHONPATH": str(REPO)}
    done = subprocess.run(
        [sys.executable, "-c", CHILD], env=env, cwd=place.root, capture_output=True, text=True, check=True
    )
    base, path = done.stdout.split()
    document = json.loads(Path(path).read_text())
    assert (base, document["request"], document["ancestors"]) == ("main", "grandchild", [run.id])
    assert [result["answer"] for result in document["results"]] == ["from before"]


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{half", b"\x00"])
def test_a_parents_file_that_is_none_is_told_and_passed_over(place, begin, tmp_path, content):
    path = tmp_path / "context.json"
    if content is not None:
        path.write_bytes(content)
    passed = context.hand_over(begin(), context.gather(place, "s1", "x"), {context.FILE: str(path)})
    assert passed.warnings == [f"ORCHESTRATOR_CONTEXT_FILE: {path}: no context in it that could be passed on"]
    assert told(passed)["request"] == "x"


@pytest.mark.parametrize(
    "given",
    [
        {"results": "x", "files": 1, "values": [1], "ancestors": {}, "run": 7, "truncated": "yes"},
        {"results": [1, None], "files": ["a"], "values": {"A": 1}},
    ],
)
def test_a_parents_file_of_another_form_gives_what_it_can(place, begin, tmp_path, given):
    path = tmp_path / "context.json"
    path.write_text(json.dumps(given))
    document = told(context.hand_over(begin(), context.gather(place, "s1", "x"), {context.FILE: str(path)}))
    keys = ("results", "files", "values", "ancestors", "truncated")
    assert [document[key] for key in keys] == [[], [], {}, [], False]


def test_where_the_file_cannot_be_written_the_run_goes_on(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    place = Place("/", "p", str(blocked), None, False)
    run = runs.Run(place, FACTS, "r-1", pytest.fail)
    passed = context.hand_over(run, context.gather(place, "s1", "x", values={"A": "1"}), {})
    assert passed == (
        {"ORCHESTRATOR_CTX_A": "1"},
        [
            f"the agent gets no context file: cannot write {blocked}/runs/r-1: not a directory: "
            "a file stands where a folder is needed"
        ],
    )


@pytest.mark.slow
def test_a_context_over_ten_mebibytes_is_cut_and_says_so(place, begin, finished):
    small, big = finished("small"), finished('"é' * (3 << 20))
    run = begin()
    passed = context.hand_over(run, context.gather(place, "s1", "x", [small, big]), {})
    document = told(passed)
    assert passed.warnings == ["the agent's context file is limited to 10485760 bytes: cut: results.1.answer"]
    assert (document["truncated"], document["results"][0]["answer"]) == (True, "small")
    kept, mark = document["results"][1]["answer"].split("\n")
    assert (mark, set(kept)) == ("[truncated]", {'"', "é"})
    size = Path(run.folder, "context.json").stat().st_size
    assert (10 << 20) - 16 < size <= 10 << 20


def test_a_great_many_small_things_leave_the_request(begin, place, tmp_path):
    given = tmp_path / "context.json"
    given.write_text(json.dumps({"values": {f"V{number}": "x" for number in range(2_000)}}))
    run = begin()
    passed = context.hand_over(run, context.gather(place, "s1", "y" * 5_000), {context.FILE: str(given)}, 10_000)
    document = told(passed)
    assert passed.warnings == [
        "the agent's context file is limited to 10000 bytes: cut: results, files, values, ancestors"
    ]
    told_of = [document[key] for key in ("run", "request", "values", "truncated")]
    assert told_of == [run.id, "y" * 5_000, {}, True]


def test_values_over_64_kibibytes_are_cut_and_say_so(place, begin):
    known = context.gather(place, "s1", "x", values={"SMALL": "1", "BIG": "é" * 40_000})
    passed = context.hand_over(begin(), known, {"ORCHESTRATOR_CTX_OLD": "z" * 40_000})
    names = "ORCHESTRATOR_CTX_OLD, ORCHESTRATOR_CTX_BIG"
    assert passed.warnings == [f"the agent's context environment is limited to 65536 bytes: cut: {names}"]
    values = {name: value for name, value in passed.env.items() if name != context.FILE}
    size = sum(len(name) + len(value.encode()) + 2 for name, value in values.items())
    assert 65536 - 4 < size <= 65536
    assert [value.endswith(MARK) for value in values.values()] == [True, False, True]
    assert told(passed)["values"]["BIG"] == "é" * 40_000


def test_more_names_than_the_environment_holds_keep_no_values():
    values = {f"ORCHESTRATOR_CTX_{number:030d}": "x" * 50 for number in range(2_000)}
    assert context.fit_environment(values) == (dict.fromkeys(values, ""), list(values))


def test_values_that_no_environment_takes_are_mended(place):
    known = context.gather(place, "s1", "x", values={"A": "a\0b", "B": "\ud800"})
    assert known.values == {"A": "ab", "B": "?"}


@pytest.mark.parametrize(
    ("value", "limit", "expected", "cut"),
    [
        ({"a": "x" * 20}, 100, {"a": "x" * 20}, []),
        ({"a": "x" * 90}, 60, {"a": "x" * 39 + MARK}, ["a"]),
        ({"a": ["x" * 90, 1, None], "b": "y"}, 60, {"a": ["x" * 22 + MARK, 1, None], "b": "y"}, ["a.0"]),
        ({"a": "x" * 90, "b": {"c": "y" * 90}}, 100, {"a": "x" * 26 + MARK, "b": {"c": "y" * 26 + MARK}}, ["a", "b.c"]),
        ({"a": "x" * 90}, 5, {"a": MARK}, ["a"]),
        ("é" * 20, 60, "é" * 7 + MARK, [""]),
    ],
)
def test_the_longest_texts_are_cut_until_it_fits(value, limit, expected, cut):
    short, names = fit(value, limit)
    assert (short, names) == (expected, cut)
