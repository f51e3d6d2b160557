"""What who watches a run sees: a table on a terminal, lines where there is none, events as JSON."""

import codecs
import fcntl
import io
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from pathlib import Path
from types import SimpleNamespace

import pytest
from machine import Machine
from rich.console import Console

from orchestrate.workflow import live_view, progress
from orchestrate.workflow.progress import Board

CHAIN = """
workflow:
  name: chain
  steps:
    - {id: ask, agent: haiku-general, prompt: ask, output: said}
    - {id: hold, command: [sh, -c, "read x < go; echo $x"], depends_on: ask, output: word}
    - {id: tell, agent: haiku-general, prompt: "tell {word}", depends_on: hold}
"""
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def at(second, kind, **payload):
    return {"ts": f"2026-11-21T10:00:{second:02d}.000Z", "type": f"orchestration.{kind}", **payload}


@pytest.fixture
def board(flows):
    return Board(flows.load(flows.put("w.yaml", CHAIN, user=True)), {"ask": 8.0, "hold": 60.0, "tell": 65.0})


@pytest.fixture
def clocks(monkeypatch):
    """The wall's starts at 10:00:05 and can jump, the other one at 1000 s."""
    found = SimpleNamespace(wall=progress.seconds("2026-11-21T10:00:05.000Z"), steady=1000.0)
    fake = SimpleNamespace(time=lambda: found.wall, monotonic=lambda: found.steady)
    monkeypatch.setattr(progress, "time", fake)
    return found


HEADER = SimpleNamespace(workflow="chain", run="w-1")


def drawn(board, now, width=100):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(live_view.table(HEADER, board, now))
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def test_the_table_shows_step_agent_model_time_tokens_and_what_is_left(board, clocks):
    board.take(at(1, "step.started", step="ask", agent="haiku-general"))
    board.take(at(2, "step.progress", step="ask", agent="haiku-general", model="claude-haiku-5-5", tokens=1234))
    clocks.steady += 3
    assert drawn(board, clocks.steady) == [
        "chain w-1 0 of 3 steps, about 2:06 left",
        "step agent model elapsed tokens",
        "ask running haiku-general claude-haiku-5-5 0:07 1.2k",
        "hold waiting",
        "tell waiting haiku-general",
    ]
    board.take(at(9, "step.finished", step="ask", model="claude-haiku-5-5", tokens=2000, took_s=8.0, detail=""))
    board.take(at(9, "step.started", step="hold"))
    assert drawn(board, clocks.steady)[:4] == [
        "chain w-1 1 of 3 steps, about 2:05 left",
        "step agent model elapsed tokens",
        "ask finished haiku-general claude-haiku-5-5 0:08 2.0k",
        "hold running 0:00",
    ]


def test_a_long_name_leaves_room_for_time_and_tokens(flows, clocks):
    text = CHAIN.replace("ask", "a-" + "very-" * 10 + "long-one")
    board = Board(flows.load(flows.put("w.yaml", text, user=True)), {})
    step = next(iter(board.rows))
    told = {"step": step, "agent": "haiku-general"}
    board.take(at(1, "step.started", **told))
    board.take(at(2, "step.progress", model="claude-haiku-5-5", tokens=1234, note="attempt 1: killed: again", **told))
    name, status, _, _, took, tokens, *_ = drawn(board, clocks.steady, 80)[2].split()
    assert (name[:7], name[-1], status, took, tokens) == ("a-very-", "…", "running", "0:04", "1.2k")


def test_nothing_is_said_of_what_is_left_where_no_earlier_run_tells(board, clocks):
    board.usual = {"ask": 8.0}
    assert drawn(board, clocks.steady)[0] == "chain w-1 0 of 3 steps"


@pytest.mark.parametrize("jump_s", [-86_400, 86_400])
def test_a_wall_clock_that_jumps_changes_nothing_that_is_shown(board, clocks, jump_s):
    row = board.take(at(1, "step.started", step="ask"))
    clocks.wall += jump_s
    clocks.steady += 3
    assert row.elapsed_s(clocks.steady) == 7


def test_a_step_s_name_cannot_move_the_cursor(board, clocks):
    board.take(at(1, "step.started", step="ask", agent="x\x1b[2Jy"))
    assert "\x1b" not in "".join(drawn(board, clocks.steady))


@pytest.fixture
def machine(tmp_path):
    made = Machine(tmp_path / "m", idle_s="20")
    os.mkfifo(made.project / "go")
    yield made
    made.end()


class Screen:
    """A terminal of 100 columns; what is written on it arrives, or the test waits."""

    def __init__(self):
        self.ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.seen = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()  # a character may come in two parts

    def until(self, pattern):
        while not re.search(pattern, ESCAPES.sub("", self.seen), re.S):
            assert select.select([self.ours], [], [], 60)[0], self.seen
            self.seen += self._decoder.decode(os.read(self.ours, 65_536))
        return ESCAPES.sub("", self.seen)


def start(machine, *words, **options):
    program = Path(sys.executable).with_name("orchestrate")
    env = {**machine.env, "TERM": "xterm"}
    return subprocess.Popen(
        [program, "workflow", "run", machine.workflow(CHAIN), *words],
        env=env, cwd=machine.project, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


@pytest.mark.slow
def test_on_a_terminal_the_table_is_drawn_anew_while_the_run_goes_on(machine):
    for number in range(2):  # the first run tells how long the second will take
        screen = Screen()
        with start(machine, stderr=screen.theirs) as run:
            working = screen.until(r"hold\s+running\s+\d+:\d\d\s")
            (machine.project / "go").write_text("on\n")
            done = screen.until(r"3 of 3 steps.*tell\s+finished")  # a terminal that nobody reads is full in the end
            answer = run.stdout.read()
        assert (run.returncode, answer) == (0, "tell(on)\n")
        assert re.search(r"ask\s+finished\s+haiku-general\s+claude-haiku-5-5\s.*\d", working)
        assert bool(re.search(r"1 of 3 steps, about \d+:\d\d left", working)) == bool(number)
        assert "\x1b[" in screen.seen and "Traceback" not in done


@pytest.mark.slow
def test_without_a_terminal_lines_tell_it(machine):
    with start(machine, "--progress", stderr=subprocess.PIPE) as run:
        lines = []
        for line in run.stderr:
            lines.append(line.rstrip())
            if line.startswith("hold: running"):
                (machine.project / "go").write_text("on\n")
        assert run.stdout.read() == "tell(on)\n"
    first, *rest = lines
    assert re.fullmatch(r"orchestrate: w-[0-9a-f-]+: chain, 3 steps", first)
    assert rest[0] == "ask: running, haiku-general"
    assert [re.sub(r" after \d+:\d\d", "", line) for line in rest if "finished" in line] == [
        "ask: finished, haiku-general, claude-haiku-5-5, 15 tokens",
        "hold: finished",
        "tell: finished, haiku-general, claude-haiku-5-5, 15 tokens",
    ]
    assert len(rest) == len(set(rest))  # none twice
    assert "\x1b" not in "".join(lines)


@pytest.mark.slow
def test_as_json_each_event_is_a_line(machine):
    with start(machine, "--json", stderr=subprocess.PIPE) as run:
        told = []
        for line in run.stdout:
            told.append(json.loads(line))
            if told[-1].get("step") == "hold" and told[-1]["type"].endswith("started"):
                (machine.project / "go").write_text("on\n")
        assert run.stderr.read() == ""
    kinds = [(event["type"].removeprefix("orchestration."), event.get("step")) for event in told]
    assert [kind for kind in kinds if kind[0] != "step.progress"] == [
        ("workflow.started", None),
        *[(f"step.{verb}", step) for step in ("ask", "hold", "tell") for verb in ("started", "finished")],
        ("workflow.finished", None),
        ("result", None),
    ]
    assert {event["run"] for event in told} == {told[0]["run"]}
    ends = {event["step"]: event for event in told if event["type"] == "orchestration.step.finished"}
    assert (ends["ask"]["model"], ends["ask"]["tokens"], ends["ask"]["took_s"] > 0) == ("claude-haiku-5-5", 15, True)
    assert [("step.progress", "ask") in kinds, told[-1]["outputs"]] == [True, {"tell": "tell(on)"}]
