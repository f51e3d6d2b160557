"""The client at a terminal, with somebody there who types and reads. Nothing here sleeps: each wait ends with an event.

    with world.interactive(rules=[...], args=["--plugin-dir", folder], NAME="value") as tty:
        tty.type("Fix typo in README.md")   # into the input box, and Return
        tty.wait_for("● ok")                # till the screen shows it; fails with the screen after `within_s`
        tty.wait_gone("esc to interrupt")
        tty.press("escape")                 # a key of KEYS, or any characters
        tty.wait_asked(2)                   # till the API was asked that often
        assert tty.leave() == 0             # /exit and the exit code
        tty.close()                         # or this: the window is closed; without either `with` sends SIGTERM

`tty.lines` is the screen as a list, `tty.text` the same on one line with single spaces (what wait_for looks into, so
a text may be wrapped), `tty.box` what stands in the input box, `tty.requests` what the API was asked, as in rig.Run,
`tty.pid` the client's. `world.interactive` begins when the input box is there; trust, onboarding and the API key are
answered beforehand by the user's config (`at_home`), which keeps whatever else stands there.
"""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from contextlib import contextmanager
from pathlib import Path

from screen import Screen

LIVE_CELL = Path(__file__).with_name("live_cell.py")
WIDTH, HEIGHT = 140, 50
WITHIN_S = 60
LOOK_S = 0.5  # at what is not told at the terminal
KEYS = {
    "enter": "\r",
    "escape": "\x1b",
    "ctrl-c": "\x03",
    "ctrl-d": "\x04",
    "ctrl-u": "\x15",
    "tab": "\t",
    "shift-tab": "\x1b[Z",
    "up": "\x1b[A",
    "down": "\x1b[B",
}
BOX = re.compile(r"^\u276f(.*?)\n\u2500{9}", re.S | re.M)  # from the prompt mark to a rule


def at_home(config, project, key):
    """Write what the client keeps of a user who knows it, trusts the project and pays by that key."""
    file = config / ".claude.json"
    kept = json.loads(file.read_text()) if file.exists() else {}
    kept |= {"hasCompletedOnboarding": True, "hasSeenAutoDefaultNotice": True, "theme": "dark"}
    kept["customApiKeyResponses"] = {"approved": [key[-20:]], "rejected": []}
    trusted = kept.setdefault("projects", {}).setdefault(str(project), {})
    trusted |= {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}
    file.write_text(json.dumps(kept))


@contextmanager
def opened(launcher, job):
    """A Terminal at which the job of live_cell.py runs; `launcher`: the command that makes its namespace."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    argv = [*launcher, sys.executable, str(LIVE_CELL), str(theirs)]
    cell = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[theirs])
    os.close(theirs)
    tty = Terminal(ours, cell.stdout.fileno())
    try:
        cell.stdin.write(json.dumps(job).encode() + b"\n")
        cell.stdin.flush()
        yield tty
        cell.stdin.close()
        tty.wait_end()
    finally:
        cell.stdin.close()
        tty.close()
        cell.wait(WITHIN_S)
        cell.stdout.close()


class Terminal:
    def __init__(self, screen, told):
        self._screen = Screen(WIDTH, HEIGHT)
        self._readers = {screen: self._show, told: self._hear}
        self._keyboard = screen
        self._rest = b""
        self.pid = self.rc = None
        self.requests = []

    @property
    def lines(self):
        return self._screen.lines

    @property
    def text(self):
        return _on_one_line("\n".join(self.lines))

    @property
    def box(self):
        """None while there is no input box."""
        *_, last = [None, *BOX.findall("\n".join(self.lines))]
        return last if last is None else _on_one_line(last)

    def type(self, text):
        """One line, in place of what stands in the box. Each key is seen on the screen before the next follows: what
        comes in one piece is taken as pasted."""
        wanted = _on_one_line(text)
        while (stands := self._added(text, wanted)) != wanted:  # the client has put an interrupted prompt back
            self.press("ctrl-u")
            self.until(lambda stands=stands: self.box != stands, f"{stands!r} out of the input box")
        self.press("enter")

    def _added(self, text, wanted):
        self.press(text)
        self.until(lambda: (self.box or "").endswith(wanted), f"{text!r} in the input box")
        return self.box

    def press(self, key):
        os.write(self._keyboard, KEYS.get(key, key).encode())

    def wait_for(self, text, within_s=WITHIN_S):
        self.until(lambda: _on_one_line(text) in self.text, f"{text!r} on the screen", within_s)

    def wait_gone(self, text, within_s=WITHIN_S):
        self.until(lambda: _on_one_line(text) not in self.text, f"no {text!r} on the screen", within_s)

    def wait_asked(self, times, within_s=WITHIN_S):
        self.until(lambda: len(self.requests) >= times, f"{times} requests, not {len(self.requests)}", within_s)

    def wait_end(self, within_s=WITHIN_S):
        self.until(lambda: self.rc is not None, "the client to end", within_s)
        return self.rc

    def leave(self):
        self.type("/exit")
        return self.wait_end()

    def close(self):
        if self._keyboard is not None:
            self._readers.pop(self._keyboard, None)
            os.close(self._keyboard)
            self._keyboard = None

    def until(self, holds, what, within_s=WITHIN_S):
        """Read the terminal and what the cell tells until `holds()`, which may also look at what others write."""
        deadline = time.monotonic() + within_s
        while not holds():
            left = deadline - time.monotonic()
            readable, _, _ = select.select(list(self._readers), [], [], min(max(left, 0), LOOK_S))
            assert readable or left > 0, f"waited {within_s} s for {what}; the screen shows:\n" + "\n".join(self.lines)
            for fd in readable:
                self._read(fd)

    def _read(self, fd):
        try:
            data = os.read(fd, 65536)
        except OSError:  # how Linux ends a terminal whose other side is closed
            data = b""
        if data:
            self._readers[fd](data)
        else:
            del self._readers[fd]

    def _show(self, data):
        self._screen.feed(data)

    def _hear(self, data):
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in map(json.loads, lines):
            self.pid = line.get("pid", self.pid)
            self.rc = line.get("rc", self.rc)
            self.requests += [line["request"]] if "request" in line else []


def _on_one_line(text):
    return " ".join(text.split())
