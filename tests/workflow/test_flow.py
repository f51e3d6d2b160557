"""How a run goes, seen from within: items, workflows within workflows, what it is told to end by, what is handed on."""

import asyncio
import json
import os
import time
from collections import Counter
from pathlib import Path

import pytest
from ending import are_gone

from orchestrate.commands.workflow_run import outputs
from orchestrate.workflow import launching, loading, runs, telling
from orchestrate.workflow.world import World
from state import journal
from state.paths import Place

INNER = """
workflow:
  name: inner
  inputs: {nth: 0}
  steps:
    - {id: one, command: [sh, -c, "echo $0 >> one.log; echo $0", "{nth}"], output: said}
    - id: two
      command: [sh, -c, "echo $0 >> two.log; test -e mended || test $0 != 2 || exit 3; echo made $0", "{said}"]
      depends_on: one
"""
OUTER = """
workflow:
  name: outer
  inputs: {numbers: {default: ["1", "2", "3"]}}
  steps:
    - {id: each, workflow: inner, foreach: numbers, with: {nth: "{item}"}, output: all}
    - {id: last, command: [echo, "{all}"], depends_on: each, output: end}
"""


def logged(desk, name):
    path = Path(desk.place.root, f"{name}.log")
    return sorted(path.read_text().split()) if path.exists() else []


@pytest.fixture
def outer(desk):
    found = desk()
    found.flows.put("inner.yaml", INNER, user=True)
    return found


def mend(desk):
    Path(desk.place.root, "mended").touch()


def test_each_item_is_a_workflow_of_its_own_and_is_told_to_have_begun_and_ended(outer):
    mend(outer)
    header = outer.done(OUTER)
    assert outer.statuses(header) == {
        "each": "finished", "last": "finished",
        **{f"each/{number}{below}": "finished" for number in range(3) for below in ("", "/one", "/two")},
    }  # fmt: skip
    assert runs.kept(runs.unit_folder(header, "last", 1), 1).value == '["made 1", "made 2", "made 3"]'


def test_an_item_that_fails_leaves_the_others_and_resume_does_it_alone_again(outer):
    header = outer.done(OUTER)
    assert (header.status, header.detail) == ("failed", "each: 1 of 3 items: item 1: two: exit code 3")
    found = outer.statuses(header)
    assert (found["each/0"], found["each/1"], found["each/2"], found["last"]) == (
        "finished", "failed", "finished", "waiting",
    )  # fmt: skip
    mend(outer)
    assert outer.again(header).status == "finished"
    assert (logged(outer, "one"), logged(outer, "two")) == (["1", "2", "3"], ["1", "2", "2", "3"])
    assert set(outer.statuses(header).values()) == {"finished"}


@pytest.mark.parametrize(("asked", "again"), [({"alone": "each"}, 2), ({"since": "each"}, 2), ({"since": "last"}, 1)])
def test_a_step_with_items_is_done_anew_as_a_whole_or_not_at_all(outer, asked, again):
    mend(outer)
    header = outer.done(OUTER)
    assert outer.again(header, **asked).status == "finished"
    assert (logged(outer, "one"), logged(outer, "two")) == (sorted("123" * again), sorted("123" * again))


def test_what_was_recorded_counts_in_the_order_of_the_steps_however_it_comes(desk):
    """A later life is given the result of b before the one of a, which c uses and does not wait for by itself."""
    at = desk()
    text = """
workflow:
  name: w
  steps:
    - {id: a, command: [echo, one], output: made}
    - {id: b, command: [echo, two], depends_on: a}
    - {id: c, command: [echo, "{made}"], depends_on: b}
"""
    recorded = {"a": runs.Result("finished", "one", generation=1), "b": runs.Result("finished", "two", generation=1)}

    async def durably(name, body):
        for _ in range(200 if name == "a" else 0):
            await asyncio.sleep(0)
        return recorded[name].as_dict() if name in recorded else await body()

    header = at.run(at.begin(text), durably=durably)
    assert (header.status, header.detail) == ("finished", "")
    assert runs.kept(runs.unit_folder(header, "c", 1), 1).value == "one"


def test_an_item_that_cannot_begin_leaves_the_others_to_end(outer):
    mend(outer)
    header = outer.done(OUTER, numbers='["1", "x", "3"]')
    assert header.detail == "each: 1 of 3 items: item 1: --var nth: expected a number like its default 0"
    assert logged(outer, "two") == ["1", "3"]


def test_a_bug_of_ours_fails_its_step_and_is_told_whole(desk, capfd):
    class Broken(World):
        def settings(self, place, overlay):
            raise KeyError("sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789")

    at = desk()
    header = at.begin("workflow: {name: w, steps: [{id: a, command: [echo, a]}]}")
    header = at.run(header, world=Broken)
    log = f"{at.place.user}/engine/runner.log"
    said = f"a bug of orchestrate's own, KeyError: '[redacted:anthropic-key]': the traceback is in {log}"
    assert (header.status, header.exit_code, header.detail) == ("failed", 1, f"a: {said}")
    told = capfd.readouterr().err
    assert f" {header.run}/a: Traceback (most recent call last):\n" in told
    assert told.endswith("KeyError: '[redacted:anthropic-key]'\n")
    assert "sk-ant" not in told


WAITING = """
workflow:
  name: w
  steps:
    - {id: a, agent: haiku-general, prompt: a, foreach: [x, y]}
    - {id: b, command: [echo, b], depends_on: a}
"""


@pytest.fixture
def waiting(desk, fifo):
    """Two agents at work, each with a child in a session of its own; `fifo` has said their pids."""
    at = desk("tools", FIFO=fifo.path)
    return at, at.begin(WAITING), lambda: [int(word) for word in fifo.words(4)]


def test_cancel_ends_the_children_and_marks_the_step(waiting):
    at, header, pids = waiting
    seen = []

    def during(flow, end):
        seen.extend(pids())
        flow.cancel()

    header = at.run(header, during)
    assert are_gone(seen) and len(seen) == 4
    assert (header.status, header.exit_code) == ("cancelled", 130)
    assert at.statuses(header) == {"a": "cancelled", "b": "waiting"}
    assert runs.kept(runs.unit_folder(header, "a/0", 1), 1) is None
    at.env["FAKE"] = "ok"
    assert at.again(header).status == "finished"


def test_a_run_whose_task_is_cancelled_leaves_no_child_behind(waiting):
    at, header, pids = waiting
    seen = []

    def during(flow, end):
        seen.extend(pids())
        end()

    assert at.run(header, during).status == "running"  # nobody has called it off: it is begun again
    assert are_gone(seen) and len(seen) == 4


def test_what_a_runner_takes_down_as_it_goes_is_not_told_to_have_ended(waiting):
    at, header, pids = waiting
    seen = []

    def during(flow, end):
        seen.extend(pids())
        flow.is_ending = True
        flow.stop("the runner ends")
        assert are_gone(seen)
        end()

    assert at.run(header, during).status == "running"
    assert at.statuses(header) == {"a": "running", "b": "waiting"}
    assert not list(Path(header.folder, "steps").rglob("result.json"))


def test_a_run_that_is_called_off_between_two_lives_marks_the_step_that_was_in_flight(waiting):
    at, header, pids = waiting

    def during(flow, end):
        pids()
        flow.is_ending = True
        flow.stop("the runner ends")
        end()

    at.run(header, during)
    launching.cancel(header)
    header = at.run(header)
    assert (header.status, at.statuses(header)) == ("cancelled", {"a": "cancelled", "b": "waiting"})


EVERY_KIND = """
workflow:
  name: w
  inputs: {nothing: {default: []}}
  steps:
    - {id: plain, command: [echo, plain], output: made}
    - {id: items, command: [echo, "{item}"], foreach: ["1", "2"], depends_on: plain}
    - {id: below, workflow: inner, with: {nth: "1"}, depends_on: items}
    - {id: each, workflow: inner, with: {nth: "{item}"}, foreach: ["2", "3"], depends_on: below}
    - {id: none, workflow: inner, with: {nth: "{item}"}, foreach: nothing, depends_on: each}
    - {id: gate, gate: made == "plain", depends_on: none}
    - {id: skipped, command: [echo, no], when: made == "other", depends_on: gate}
"""


@pytest.mark.parametrize("last", ["plain", "items", "below", "each", "none", "gate", "skipped"])
def test_a_runner_that_is_killed_before_the_engine_has_an_end_does_not_tell_it_twice(outer, last):
    mend(outer)
    header = outer.begin(EVERY_KIND)
    assert outer.run(header, durably=killed_at(last)).status == "running"
    assert outer.run(header).status == "finished"
    told = Counter(event["step"] for _, event in runs.events(header) if "status" in event and "step" in event)
    parts = [f"{name}{below}" for name in ("below", "each/0", "each/1") for below in ("", "/one", "/two")]
    steps = ["plain", "items", "each", "none", "gate", "skipped"]
    assert told == dict.fromkeys([*steps, *parts], 1)


def killed_at(last):
    """The engine does not hear what this step has come to."""

    async def durably(name, body):
        made = await body()
        if name == last:
            raise asyncio.CancelledError
        return made

    return durably


def ends(header):
    return [event["type"] for _, event in runs.events(header) if event["type"] in telling.ENDS]


def test_a_step_that_was_called_off_is_not_told_so_twice(waiting):
    at, header, pids = waiting

    def during(flow, end):
        pids()
        launching.cancel(header)
        flow.cancel()

    assert at.run(header, during, durably=killed_at("a")).status == "running"
    assert at.run(header).status == "cancelled"
    told = [event["step"] for _, event in runs.events(header) if event["type"] == f"{telling.STEP}.cancelled"]
    assert told == ["a"]


def test_a_runner_that_is_killed_before_it_has_told_the_end_of_a_run_leaves_that_to_the_next(desk, monkeypatch):
    at = desk()
    header = at.begin("workflow: {name: w, steps: [{id: a, command: [echo, a]}]}")

    def killed(path, line, append=journal.append):
        if telling.ENDS[0].encode() in line:
            raise asyncio.CancelledError
        append(path, line)

    with monkeypatch.context() as patched:
        patched.setattr(journal, "append", killed)
        header = at.run(header)
    assert (header.status, ends(header)) == ("finished", [])
    for _ in range(2):  # and once more, for the engine may not have heard of that either
        assert at.run(header) == header
        assert ends(header) == [telling.ENDS[0]]
    assert sum(event["type"] == f"{telling.RUN}.resumed" for _, event in runs.events(header)) == 0


def test_what_has_failed_is_shown_so_when_another_runner_goes_on(desk):
    at = desk()
    text = """
workflow:
  name: w
  steps:
    - {id: a, command: ["false"], on_error: continue}
    - {id: b, command: ["true"], depends_on: a}
"""
    header = at.begin(text)
    assert at.run(header, durably=killed_at("b")).status == "running"
    assert at.run(header).status == "finished"
    assert at.statuses(header) == {"a": "failed", "b": "finished"}


STOPPED = """
workflow:
  name: w
  steps:
    - {id: below, workflow: inner, with: {nth: "1"}, output: made}
    - {id: fails, command: [sh, -c, "test -e mended || read x < one.fifo; test -e mended"]}
"""
HELD_INNER = """
workflow:
  name: inner
  inputs: {nth: 0}
  steps:
    - {id: one, command: [sh, -c, "echo > one.fifo; read x < go.fifo"]}
    - {id: two, command: [echo, "made {nth}"], depends_on: one}
"""


def test_a_workflow_within_one_that_was_stopped_has_not_finished(desk):
    """What failed is another step of the outer one; resume does what was left out below."""
    at = desk()
    at.flows.put("inner.yaml", HELD_INNER, user=True)
    for name in ("one", "go"):
        os.mkfifo(Path(at.place.root, f"{name}.fifo"))
    header = at.begin(STOPPED)

    def during(flow, end):
        while not flow.scope.failed:
            time.sleep(0.01)
        Path(at.place.root, "go.fifo").write_text("on\n")

    header = at.run(header, during)
    assert (header.status, at.statuses(header)["below"]) == ("failed", "waiting")
    Path(at.place.root, "mended").touch()
    assert at.again(header).status == "finished"
    assert outputs(header) == {"made": "made 1", "fails": ""}


MEET = """
workflow:
  name: w
  steps:
    - {id: a, command: [mkfifo, meet]}
    - {id: b, command: [sh, -c, "echo there > meet"], depends_on: a, timeout: LIMIT}
    - {id: c, command: [sh, -c, "read x < meet; echo $x"], depends_on: a, timeout: LIMIT}
    - {id: d, command: [echo, d], depends_on: [b, c]}
"""


def times(header):
    found = {}
    for _, event in runs.events(header):
        if event["type"] in ("orchestration.step.started", "orchestration.step.finished"):
            found[event["type"].rpartition(".")[2], event["step"]] = event["ts"]
    return found


def test_steps_that_wait_for_nothing_more_work_at_the_same_time(desk):
    at = desk()
    header = at.done(MEET.replace("LIMIT", "60s"))
    told = times(header)
    assert header.status == "finished"
    assert max(told["started", "b"], told["started", "c"]) <= min(told["finished", "b"], told["finished", "c"])
    assert max(told["finished", "b"], told["finished", "c"]) <= told["started", "d"]


@pytest.mark.slow
def test_no_more_than_asked_for_work_at_the_same_time(desk):
    at = desk()
    path = at.flows.put("own.yaml", MEET.replace("LIMIT", "1s"), user=True)
    header = at.run(launching.begin(at.place, loading.load(path, at.place), {}, at.env, 1))
    assert (header.status, header.exit_code, header.detail) == ("failed", 124, "b: it took longer than 1 s")


@pytest.mark.parametrize("jump_s", [-86_400, 86_400])
def test_a_clock_that_jumps_changes_no_duration(desk, fifo, monkeypatch, jump_s):
    at = desk(FIFO=fifo.path)
    text = 'workflow: {name: w, steps: [{id: a, command: [sh, -c, "echo up > $FIFO; read x < go"]}]}'
    os.mkfifo(Path(at.place.root, "go"))
    real = time.time

    def during(flow, end):
        fifo.words(1)
        monkeypatch.setattr(time, "time", lambda: real() + jump_s)
        Path(at.place.root, "go").write_text("on\n")

    header = at.run(at.begin(text), during)
    monkeypatch.setattr(time, "time", real)
    assert header.status == "finished"
    assert 0 < at.rows(header)["a"].took_s < 30


def test_a_long_result_is_handed_over_as_a_file(desk):
    at = desk()
    text = """
workflow:
  name: w
  steps:
    - {id: a, command: [sh, -c, "head -c 20000 /dev/zero | tr '\\\\0' x"], output: made}
    - {id: b, agent: haiku-general, prompt: "Read {made}", depends_on: a}
"""
    header = at.done(text)
    path = f"{header.folder}/steps/b/1/values/made.txt"
    assert (header.status, Path(path).read_text()) == ("finished", "x" * 20_000)
    assert (at.folder / "stdin").read_text() == f"Read [made: 20,000 characters, in the file {path}]"


HANDED = """
workflow:
  name: w
  steps:
    - {id: patch, command: [sh, -c, "echo hi > new.txt; echo changed"], worktree: true}
    - {id: first, agent: haiku-general, prompt: first, depends_on: patch, output: said}
    - {id: next, agent: sonnet-general, prompt: "{said}", depends_on: [patch, first]}
"""


def test_answers_files_and_what_is_known_of_the_project_reach_later_agents(desk):
    from made_repo import Repo

    from orchestrate.memory import knowledge
    from state.store import open_store
    from state.telling import Teller

    at = desk()
    Path(at.place.root, ".git").rmdir()
    Repo(Path(at.place.root))
    with open_store(at.place) as store:
        knowledge.record(store, Teller("user", "-", "c"), knowledge.Discovery("api.auth", "tokens end after 15 min"))
    header = at.done(HANDED)
    assert header.status == "finished", header.detail
    record = runs.kept(runs.unit_folder(header, "next", 1), 1)
    told = json.loads(Path(record.runs[0], "context.json").read_text())
    assert [(one["answer"], one["agent"]) for one in told["results"]] == [("done by haiku", "haiku-general")]
    names = [Path(one["path"]).name for one in told["files"]]
    assert names == ["output.txt", "changes.patch", "knowledge.json"]
    assert "+hi" in told["files"][1]["text"] and "tokens end after 15 min" in told["files"][2]["text"]
    seen = (at.folder / "env").read_text().splitlines()
    assert {f"ORCHESTRATOR_CTX_WORKFLOW_RUN={header.run}", "ORCHESTRATOR_CTX_WORKFLOW_STEP=next"} <= set(seen)


@pytest.mark.slow
def test_the_budget_and_the_time_of_a_step_are_its_agents(desk):
    at = desk("talks", ORCHESTRATOR_RUN__ATTEMPTS="1")
    header = at.done(
        "workflow: {name: w, steps: [{id: a, agent: haiku-general, prompt: a, budget: 0.25, timeout: 4s}]}"
    )
    assert (header.exit_code, header.detail) == (124, "a: timeout: stopped: it took too long")
    assert "--max-budget-usd 0.25" in (at.folder / "argv").read_text()


def test_a_step_works_in_the_repository_that_it_names(desk, tmp_path):
    at = desk()
    other = tmp_path / "other"
    (other / ".git").mkdir(parents=True)
    header = at.done(f"workflow: {{name: w, steps: [{{id: a, command: [touch, here], repo: {other}}}]}}")
    assert (header.status, (other / "here").exists()) == ("finished", True)


def test_the_router_chooses_for_each_step_on_its_own(desk):
    at = desk()
    deep = "Design the locking protocol of a distributed database and prove that it cannot deadlock"
    header = at.done(
        "workflow: {name: w, steps: [{id: a, route: auto, prompt: Fix typo in README.md}, "
        f"{{id: b, route: auto, prompt: {deep}}}]}}"
    )
    rows = at.rows(header)
    assert [(rows[name].agent, rows[name].model) for name in "ab"] == [
        ("haiku-general", "claude-haiku-5-5"), ("opus-general", "claude-opus-5-5"),
    ]  # fmt: skip


@pytest.mark.parametrize(("word", "is_users"), [("../beside.yaml", True), ("link/../beside.yaml", False)])
def test_a_file_beside_the_project_is_the_users_unless_a_link_leads_to_it(desk, tmp_path, monkeypatch, word, is_users):
    at = desk()
    (tmp_path / "away").mkdir()
    Path(at.place.root, "link").symlink_to(tmp_path / "away")
    (tmp_path / "beside.yaml").write_text("workflow: {name: w, steps: [{id: a, command: [echo, a]}]}")
    monkeypatch.chdir(at.place.root)
    assert (loading.load(word, at.place).needs_trust == ()) == is_users


COPIED = """
workflow:
  name: w
  steps:
    - id: a
      command: [sh, -c, "ls >> $DIR/saw; echo hi > new.txt; mkdir $DIR/once && echo up > $FIFO && sleep 60; :"]
      worktree: true
"""


def test_a_step_that_was_interrupted_finds_its_copy_as_new(desk, fifo):
    from made_repo import Repo

    at = desk(FIFO=fifo.path)
    at.env["DIR"] = str(at.folder)
    Path(at.place.root, ".git").rmdir()
    Repo(Path(at.place.root))

    def during(flow, end):
        fifo.words(1)
        flow.is_ending = True
        flow.stop("the runner ends")
        end()

    header = at.run(at.begin(COPIED), during)
    first = (at.folder / "saw").read_text()
    assert (header.status, "new.txt" in first) == ("running", False)
    header = at.run(header)
    assert (header.status, (at.folder / "saw").read_text()) == ("finished", 2 * first)
    patch = Path(header.folder, "steps", "a", "1", "changes.patch").read_text()
    assert patch.count("+hi") == 1


def test_a_run_that_moved_with_its_project_s_state_is_taken_up_where_it_is(outer, tmp_path):
    header = outer.done(OUTER)
    assert header.status == runs.FAILED
    elsewhere = tmp_path / "elsewhere"
    Path(header.state).rename(elsewhere)
    found = runs.find(Place(outer.place.root, outer.place.project, str(elsewhere), outer.place.user, True), header.run)
    mend(outer)
    assert outer.again(found).status == runs.FINISHED
    assert logged(outer, "one") == ["1", "2", "3"]
    assert not Path(header.state).exists()
