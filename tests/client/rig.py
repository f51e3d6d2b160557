"""The pinned real client in a world of its own: a home, a project, a fake API, and no network but loopback."""

import json
import os
import select
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

import terminal
from fake_api import AGENT_HEADER, text_of

REPO = Path(__file__).resolve().parent.parent.parent
CELL = Path(__file__).with_name("cell.py")
CLIENT = Path(os.environ.get("ORCHESTRATE_CLIENT_DIR", REPO / ".cache" / "client")) / "node_modules" / ".bin" / "claude"
# The user namespace lets those who are not root make a network namespace.
UNSHARE = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]


@cache
def lacking():
    """What this machine lacks to run the real client, or "" when it can."""
    if not CLIENT.exists():
        return "the pinned client is not installed (`make client`)"
    if not shutil.which("unshare"):
        return "`unshare` is not installed (util-linux)"
    if subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode:
        return "this user may not make a network namespace (`unshare --net`)"
    return ""


class Run(NamedTuple):
    """What one run of the client gave; `requests` are those of all runs that shared its cell."""

    rc: int
    lines: list[dict]
    stderr: str
    requests: list[dict]

    @property
    def init(self):
        return next(line for line in self.lines if line["type"] == "system" and line["subtype"] == "init")

    @property
    def result(self):
        return next(line for line in reversed(self.lines) if line["type"] == "result")

    @property
    def heard(self):
        """All that the main thread's model was told in the messages of its first request."""
        main = next(request for request in self.requests if AGENT_HEADER not in request["headers"])
        return "\n".join(text_of(message["content"]) for message in main["body"]["messages"])


class Asked(NamedTuple):
    """What one call of `orchestrate-request` gave; `requests` as in Run."""

    rc: int
    stdout: str
    stderr: str
    requests: list[dict]

    @property
    def record(self):
        return json.loads(self.stdout)


class World:
    """A user's machine: `home`, Claude Code's `config` folder and one `project`."""

    def __init__(self, root):
        self.home = root / "home"
        self.config = self.home / ".claude"
        self.project = root / "project"
        for folder in (self.config, self.project / ".git"):
            folder.mkdir(parents=True)

    @property
    def env(self):
        return {
            "HOME": str(self.home),
            "CLAUDE_CONFIG_DIR": str(self.config),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
        }

    @property
    def client_env(self):
        return {
            **self.env,
            "PATH": f"{CLIENT.parent}:{Path(sys.executable).parent}:{self.env['PATH']}",
            "ANTHROPIC_BASE_URL": "http://127.0.0.1:8080",
            "ANTHROPIC_API_KEY": "not-a-key",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_MAX_RETRIES": "0",
            "CLAUDE_CODE_SESSIONEND_HOOKS_TIMEOUT_MS": "60000",  # it waits 5 s at most where nobody says
            "DISABLE_AUTOUPDATER": "1",
            "DISABLE_TELEMETRY": "1",
            "IS_SANDBOX": "1",
        }

    def claude(self, prompt, rules=(), args=(), **env):
        """Type one prompt into a headless session."""
        return self.side_by_side([prompt], rules, args, **env)[0]

    def side_by_side(self, prompts, rules=(), args=(), **env):
        """One headless session per prompt, all at once."""
        argv = [str(CLIENT), "-p", "--output-format", "stream-json", "--verbose", "--model", "opus", *args]
        results, requests = self._cell([(argv, prompt) for prompt in prompts], rules, env)
        return [
            Run(done["rc"], [json.loads(line) for line in done["stdout"].splitlines()], done["stderr"], requests)
            for done in results
        ]

    @contextmanager
    def interactive(self, rules=(), args=(), **env):
        """A session with somebody at the terminal: see terminal.py."""
        terminal.at_home(self.config, self.project, self.client_env["ANTHROPIC_API_KEY"])
        argv = [str(CLIENT), "--model", "opus", *args]
        env = {**self.client_env, "TERM": "xterm-256color", **env}
        job = {"rules": list(rules), "argv": argv, "env": env, "cwd": str(self.project)}
        with terminal.opened(UNSHARE, job) as tty:
            tty.until(lambda: tty.box is not None, "the input box")
            yield tty

    def client(self, *args):
        """Another command of the client, such as `plugin install`: a Run without lines of JSON."""
        (done,), requests = self._cell([([str(CLIENT), *args], "")], (), {})
        return Run(done["rc"], [{"type": "text", "text": done["stdout"]}], done["stderr"], requests)

    def request(self, *words, rules=(), stdin="", **env):
        """`orchestrate-request WORDS`, with the client on PATH. `signal` and `signal_at`: as in the cell."""
        return self.requests_side_by_side([words], rules, stdin, **env)[0]

    def requests_side_by_side(self, calls, rules=(), stdin="", signal=None, signal_at=1, **env):
        """One `orchestrate-request` per tuple of words, all at once."""
        argvs = [(["orchestrate-request", *words], stdin) for words in calls]
        results, requests = self._cell(argvs, rules, env, signal, signal_at)
        return [Asked(done["rc"], done["stdout"], done["stderr"], requests) for done in results]

    def shell(self, line, rules=(), **env):
        """A line for the shell, with the client and our commands on PATH."""
        (done,), requests = self._cell([(["/bin/sh", "-c", line], "")], rules, env)
        return Asked(done["rc"], done["stdout"], done["stderr"], requests)

    def orchestrate(self, *args, **env):
        """Our command line, run in the project."""
        argv = [sys.executable, "-m", "orchestrate", *args]
        done = subprocess.run(
            argv, env={**self.env, **env}, cwd=self.project, text=True, capture_output=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"orchestrate {' '.join(args)}: {done.stderr}"
        return done.stdout

    def events(self, verb=None, session=None):
        """All events of the project's session logs, as written: of one type, without the prefix that all types share,
        and of one session, if told."""
        logs = sorted(self.home.glob(f".orchestrator/projects/*/sessions/{session or '*'}/log.jsonl"))
        lines = [line for log in logs for line in log.read_text().splitlines(keepends=True)]
        events = [json.loads(line) for line in lines if line.endswith("\n")]  # one may just be written
        return [event for event in events if verb is None or event["type"] == f"orchestration.{verb}"]

    def kinds(self):
        return [event["type"].partition(".")[2] for event in self.events()]

    def processes(self):
        """The pids of all that lives in this world."""
        mark = f"HOME={self.home}".encode()
        return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if mark in _environment(path)]

    def ends_within(self, seconds, among=None):
        """Whether all of them, or those of `among`, end by themselves."""
        deadline = time.monotonic() + seconds
        while pids := [pid for pid in self.processes() if among is None or pid in among]:
            for pid in pids:
                with suppress(ProcessLookupError):
                    _await_end(pid, deadline - time.monotonic())
            if time.monotonic() >= deadline:
                return False
        return True

    def _cell(self, calls, rules, env, signal=None, signal_at=1):
        """Run each (argv, stdin): (what each gave, what the API was asked)."""
        commands = [
            {"argv": list(argv), "env": {**self.client_env, **env}, "cwd": str(self.project), "stdin": stdin}
            for argv, stdin in calls
        ]
        job = json.dumps({"rules": list(rules), "commands": commands, "signal": signal, "signal_at": signal_at})
        done = subprocess.run(
            [*UNSHARE, sys.executable, str(CELL)], input=job, text=True, capture_output=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stderr
        outcome = json.loads(done.stdout)
        return outcome["results"], outcome["requests"]


def _await_end(pid, within_s):
    fd = os.pidfd_open(pid)
    try:
        select.select([fd], [], [], max(within_s, 0))
    finally:
        os.close(fd)


def _environment(path):
    try:
        return path.read_bytes().split(b"\0")
    except OSError:  # it has ended meanwhile, or is another user's
        return []
