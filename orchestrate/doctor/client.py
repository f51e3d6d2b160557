"""The user's own client, started in a world that holds nothing of the user's: no settings, no login, no network."""

import re
import shutil
import tempfile
import uuid
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from orchestrate.agents import process
from orchestrate.agents.outcome import Ended
from orchestrate.agents.process import ProcessLimits

VERSION_S = 10.0
KEY = "not-a-key-but-a-self-check"
_GRACE_S = 2.0
_SAID_CHARS = 200
_VERSION = re.compile(r"^(\d+)\.(\d+)\.(\d+)\b")
_QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_MAX_RETRIES": "0",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_TELEMETRY": "1",
    "IS_SANDBOX": "1",
}


class Client(NamedTuple):
    program: str
    path: str | None  # None: there is none
    version: tuple[int, ...] | None = None
    problem: str = ""  # why it told no version


class World(NamedTuple):
    home: Path
    project: Path
    env: dict[str, str]

    @property
    def config(self) -> Path:
        return self.home / ".claude"


class Ran(NamedTuple):
    """`problem`: how it ended, where that was not by itself and with 0."""

    said: str
    problem: str


def find(program: str, env: Mapping[str, str]) -> Client:
    return Client(program, shutil.which(program, path=env.get("PATH")))


def with_version(client: Client, env: Mapping[str, str], timeout_s: float = VERSION_S) -> Client:
    if client.path is None:
        return client
    with world(env) as here:
        ran = run([client.path, "--version"], here, "", timeout_s)
    told = _VERSION.match(ran.said)
    if told:
        return client._replace(version=tuple(map(int, told.groups())))
    return client._replace(problem=ran.problem or f"it answers --version by {ran.said!r}")


@contextmanager
def world(env: Mapping[str, str]) -> Iterator[World]:
    """Of the user's environment only the search path and the language go in."""
    with tempfile.TemporaryDirectory(prefix="orchestrate-check-", ignore_cleanup_errors=True) as folder:
        base = Path(folder).resolve()
        here = World(base / "home", base / "project", {})
        for made in (here.config, here.project / ".git", base / "tmp"):
            made.mkdir(parents=True)
        here.env.update(
            {name: env[name] for name in ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT") if name in env},
            HOME=str(here.home),
            CLAUDE_CONFIG_DIR=str(here.config),
            TMPDIR=str(base / "tmp"),
            ANTHROPIC_API_KEY=KEY,
            ANTHROPIC_BASE_URL="http://127.0.0.1:9",  # nobody there
            **_QUIET,
        )
        yield here


def run(argv: Sequence[str], here: World, stdin: str, timeout_s: float) -> Ran:
    """Bounded; whatever it started goes with it."""
    said: deque[bytes] = deque(maxlen=3)
    limits = ProcessLimits(total_s=timeout_s, grace_s=_GRACE_S)
    # An interrupt reaches us as the end of the child.
    finish = process.run(
        argv, here.env, str(here.project), stdin.encode(), said.append, limits, f"doctor-{uuid.uuid4().hex}"
    )
    ended = finish.ended
    if ended.aborted:
        raise KeyboardInterrupt
    words = _printable(b"\n".join(said).decode("utf-8", "replace"))
    return Ran(words, _problem(ended, timeout_s, words, _printable(finish.stderr)))


def _problem(ended: Ended, timeout_s: float, words: str, story: str) -> str:
    if ended.missing:
        return f"it is {ended.missing}"
    if ended.timed_out:
        return f"it was not done after {timeout_s:g} s"
    if ended.signal or ended.code:
        last = story or words
        how = f"signal {ended.signal}" if ended.signal else f"exit code {ended.code}"
        return f"it ended by {how}" + (f": {last}" if last else "")
    return ""


def _printable(text: str) -> str:
    """Its last words on one line, fit for a terminal."""
    shown = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return shown if len(shown) <= _SAID_CHARS else f"...{shown[-_SAID_CHARS:]}"
