"""What a person sees of a running agent: on a real terminal, and where there is none."""

import fcntl
import io
import json
import os
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest

from orchestrate.agents.progress import Progress
from orchestrate.agents.stream import Tally

MODEL = "claude-haiku-4-5-20251001"
ERASE = "\r\x1b[K"


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def after(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def terminal():
    """A real terminal of 60 columns: what writes to it, and what it has been sent since the last look."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    with os.fdopen(slave, "w") as out:

        def seen():
            out.write("\0")  # what comes before it has arrived when it has
            out.flush()
            data = b""
            while not data.endswith(b"\0"):
                data += os.read(master, 1 << 16)
            return data[:-1].decode().replace("\r\n", "\n")

        yield out, seen
    os.close(master)


def said(tally, turn, tool=None, tokens=1000, model=MODEL):
    """One message of the agent."""
    content = [{"type": "tool_use", "id": f"t{turn}", "name": tool, "input": {}}] if tool else []
    usage = {"input_tokens": tokens, "output_tokens": 100, "cache_read_input_tokens": 20}
    message = {"id": f"m{turn}", "model": model, "content": content, "usage": usage}
    tally.feed(json.dumps({"type": "assistant", "message": message}).encode())
    return tally


def test_without_a_terminal_there_are_plain_lines_now_and_then(clock):
    out, tally = io.StringIO(), Tally()
    progress = Progress(out, "haiku-general", {}, clock)
    progress.start("haiku")
    clock.after(5)
    progress.update(said(tally, 1, "Bash"))
    progress.tick()
    clock.after(26)
    progress.tick()
    clock.after(29)
    progress.tick()
    clock.after(5)
    progress.update(said(tally, 2, "Read", 12_000))
    progress.end("ok", tally)
    assert out.getvalue().splitlines() == [
        "haiku-general: started on haiku",
        f"haiku-general: 0:31, {MODEL}, 1 turn, 1.1k tokens, Bash",
        f"haiku-general: 1:05, {MODEL}, 2 turns, 13k tokens, Read",
        f"haiku-general: ok after 1:05, {MODEL}, 2 turns, 13k tokens, Read",
    ]


def test_on_a_terminal_one_line_is_drawn_over(clock, terminal):
    out, seen = terminal
    progress, tally = Progress(out, "haiku-general", {"NO_COLOR": "1"}, clock), Tally()
    progress.start("haiku")
    assert seen() == f"{ERASE}haiku-general  0:00  haiku  0 turns  0 tokens"
    clock.after(3)
    progress.update(said(tally, 1, "Bash", model="opus"))
    assert seen() == f"{ERASE}haiku-general  0:03  opus  1 turn  1.1k tokens  Bash"
    clock.after(1)
    progress.tick()
    assert seen() == f"{ERASE}haiku-general  0:04  opus  1 turn  1.1k tokens  Bash"
    progress.end("ok", tally)
    assert seen() == f"{ERASE}haiku-general: ok after 0:04, opus, 1 turn, 1.1k tokens, Bash\n"


def test_it_is_not_drawn_for_every_line_that_an_agent_says(clock, terminal):
    out, seen = terminal
    progress, tally = Progress(out, "a", {"NO_COLOR": "1"}, clock), Tally()
    progress.start("haiku")
    seen()
    for turn in range(20):
        clock.after(0.0625)
        progress.update(said(tally, turn))
    assert seen().count(ERASE) == 10


@pytest.mark.parametrize(("kind", "colour"), [("ok", "\x1b[32m"), ("timeout", "\x1b[31m")])
def test_the_end_is_coloured_on_a_terminal(clock, terminal, kind, colour):
    out, seen = terminal
    progress = Progress(out, "a", {}, clock)
    progress.start("haiku")
    progress.end(kind, Tally())
    assert seen() == (
        f"{ERASE}\x1b[2ma  0:00  haiku  0 turns  0 tokens\x1b[0m"
        f"{ERASE}{colour}a: {kind} after 0:00, haiku, 0 turns, 0 tokens\x1b[0m\n"
    )


def test_a_terminal_that_cannot_move_its_cursor_gets_plain_lines(clock, terminal):
    out, seen = terminal
    Progress(out, "a", {"TERM": "dumb"}, clock).start("haiku")
    assert seen() == "a: started on haiku\n"


def test_the_line_stays_within_the_terminal(clock, terminal):
    out, seen = terminal
    progress = Progress(out, "a" * 80, {"NO_COLOR": "1"}, clock)
    progress.start("haiku")
    assert seen() == ERASE + "a" * 59


def test_a_name_cannot_move_the_cursor(clock, terminal):
    out, seen = terminal
    Progress(out, "a\x1b[2J\r\n", {"NO_COLOR": "1"}, clock).start("haiku\x07")
    assert seen() == f"{ERASE}a?[2J??  0:00  haiku?  0 turns  0 tokens"


def test_the_answer_has_the_terminal_to_itself(clock, terminal):
    out, seen = terminal
    progress = Progress(out, "a", {"NO_COLOR": "1"}, clock)
    progress.start("haiku")
    seen()
    with progress.aside():
        out.write("the answer\n")
    progress.note("retry in 2 s: overloaded")
    line = "a  0:00  haiku  0 turns  0 tokens"
    assert seen() == f"{ERASE}the answer\n{ERASE}{line}{ERASE}a: retry in 2 s: overloaded\n{ERASE}{line}"


def test_another_attempt_counts_anew_and_the_time_goes_on(clock):
    out, tally = io.StringIO(), Tally()
    progress = Progress(out, "a", {}, clock)
    progress.start("haiku")
    clock.after(30)
    progress.update(said(tally, 1, "Bash"))
    progress.note("falling back to sonnet: overloaded")
    progress.start("sonnet")
    clock.after(31)
    progress.end("ok", Tally())
    assert out.getvalue().splitlines() == [
        "a: started on haiku",
        f"a: 0:30, {MODEL}, 1 turn, 1.1k tokens, Bash",
        "a: falling back to sonnet: overloaded",
        "a: started on sonnet",
        "a: ok after 1:01, sonnet, 0 turns, 0 tokens",
    ]


@pytest.mark.parametrize(
    ("seconds", "tokens", "expected"),
    [
        (59.9, 0, "0:59, m, 0 turns, 0 tokens"),
        (60, 899, "1:00, m, 1 turn, 1.0k tokens"),
        (3599, 8_850, "59:59, m, 1 turn, 9.0k tokens"),
        (3600, 999_880, "1:00:00, m, 1 turn, 1.0M tokens"),
        (36_061, 12_345_678, "10:01:01, m, 1 turn, 12M tokens"),
    ],
)
def test_figures_are_short(clock, seconds, tokens, expected):
    out, tally = io.StringIO(), Tally()
    progress = Progress(out, "a", {}, clock)
    progress.start("m")
    clock.after(seconds)
    progress.end("ok", said(tally, 1, tokens=tokens, model="m") if tokens else tally)
    assert out.getvalue().splitlines()[1] == f"a: ok after {expected}"


def test_silence_is_drawn_too(clock):
    drawn = threading.Event()

    class Out(io.StringIO):
        def write(self, text):
            if "0:40" in text:
                drawn.set()
            return super().write(text)

    progress = Progress(Out(), "a", {}, clock, tick_s=0.01)
    progress.start("haiku")
    clock.after(40)
    with progress.ticking():
        assert drawn.wait(60)


CLOSED = """\
import sys
from orchestrate.agents.progress import Progress
from orchestrate.agents.stream import Tally
progress = Progress(sys.stderr, "a", {})
progress.start("haiku")
with progress.ticking():
    progress.note("retry")
progress.end("ok", Tally())
print("went on")
"""


@pytest.mark.parametrize("closing", ["2>&-", "2>/dev/full"])
def test_a_stderr_that_takes_nothing_stops_no_run(closing):
    repo = Path(__file__).resolve().parents[2]
    line = ["/bin/sh", "-c", f'"$0" -c "$1" {closing}', sys.executable, CLOSED]
    done = subprocess.run(line, capture_output=True, text=True, cwd=repo, check=False)
    assert (done.returncode, done.stdout) == (0, "went on\n")


def test_without_a_place_to_write_to_it_is_silent(clock, capfd):
    progress = Progress(None, "a", {}, clock)
    progress.start("haiku")
    progress.update(Tally())
    progress.end("ok", Tally())
    assert capfd.readouterr() == ("", "")
