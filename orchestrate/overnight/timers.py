"""A timer of this user's own that starts the night, or goes on with sessions: what it runs, and under what.

Each kind of timer (KINDS) says what it is made of; `timer_book` puts it there and takes it away again.
"""

import os
import sys
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import NamedTuple

import orchestrate
from state.errors import UserError

NIGHT, RESUME = "orchestrate-overnight", "orchestrate-resume"
LOG = "overnight.log"
# Where programs are found, and which configuration of the client is meant. A key is a secret, and is written nowhere.
_KEPT = ("PATH", "CLAUDE_CONFIG_DIR", "LANG", "TZ")
_STEERING = ("\n", "\r", "\0")


class Timer(NamedTuple):
    name: str
    title: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    at: time | None  # each day, by the local clock
    every_min: int | None
    log: str  # a file, where the kind keeps no journal of its own


class Parts(NamedTuple):
    """`files` by path; the commands that set the timer going once they are there, and that end it before they go."""

    files: Mapping[Path, bytes]
    begin: tuple[tuple[str, ...], ...]
    end: tuple[tuple[str, ...], ...]
    hint: str = ""


def night(env: Mapping[str, str], user: str, at: time, until: str | None) -> Timer:
    shown = f"{at:%H:%M}"
    words = ["overnight", "timed", "--at", shown, *(["--until", until] if until else [])]
    kept = {"CLAUDE_OVERNIGHT": "1", **_kept(env)}
    return _checked(Timer(NIGHT, "the night of orchestrate", _argv(words), kept, at, None, f"{user}/{LOG}"))


def resume(env: Mapping[str, str], user: str, every_min: int) -> Timer:
    words = ["overnight", "resume", "run", "--once"]
    title = "orchestrate goes on with sessions after a limit"
    return _checked(Timer(RESUME, title, _argv(words), _kept(env), None, every_min, f"{user}/{LOG}"))


def _argv(words: list[str]) -> tuple[str, ...]:
    """By the interpreter that runs now, whatever PATH says then."""
    home = str(Path(orchestrate.__path__[0]).resolve().parent)
    code = f"import sys;sys.path.insert(0,{home!r});from orchestrate.cli import main;main()"
    return (str(Path(sys.executable).absolute()), "-E", "-P", "-c", code, *words)


def _kept(env: Mapping[str, str]) -> dict[str, str]:
    kept = {name: env[name] for name in _KEPT if env.get(name)}
    if "PATH" in kept:
        kept["PATH"] = os.pathsep.join(dict.fromkeys(kept["PATH"].split(os.pathsep)))
    return kept


def _checked(timer: Timer) -> Timer:
    for text in (*timer.argv, *timer.env.values(), timer.log):
        if any(sign in text for sign in _STEERING):
            raise UserError(f"{text!r}: a timer holds no line break: start from another folder, or with another PATH")
    return timer
