"""Runs a hook's command line as the client does, in a home and a project that exist for this call only."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from orchestrate import payloads

BUDGET_MS = 500
TRIES = 3  # a machine that is busy for a moment is no slow hook: one in time is enough
TIMEOUT_S = 30.0
_ANSWER_MOST = 10_000


class Result(NamedTuple):
    event: str
    exit_code: int
    took_ms: float
    stdout: str
    stderr: str

    @property
    def problem(self) -> str | None:
        if self.exit_code:
            return f"ended with {self.exit_code}"
        if self.took_ms >= BUDGET_MS:
            return f"took more than {BUDGET_MS} ms"
        if len(self.stdout) > _ANSWER_MOST:
            return "the answer is longer than the client reads"
        return None if _is_answer(self.stdout) else "the answer is not a JSON object"


class Room(NamedTuple):
    home: Path
    project: Path
    env: dict[str, str]

    def run(self, event: str, command: str, plugin: Path | None = None) -> Result:
        stdin = json.dumps(payloads.fields(event, str(self.project))) + "\n"
        env = self.env if plugin is None else {**self.env, "CLAUDE_PLUGIN_ROOT": str(plugin)}
        result = run(event, command, stdin.encode(), env, self.project)
        for _ in range(TRIES - 1):
            if result.exit_code or result.took_ms < BUDGET_MS:
                break
            result = run(event, command, stdin.encode(), env, self.project)
        return result


@contextmanager
def room(path: str, interpreter: Path | None) -> Iterator[Room]:
    """`path`: the search path; `interpreter`: the record that the wrappers read."""
    with tempfile.TemporaryDirectory(prefix="orchestrate-") as folder:
        base = Path(folder).resolve()
        home, project = base / "home", base / "project"
        (project / ".git").mkdir(parents=True)
        home.mkdir()
        if interpreter is not None and interpreter.is_file():
            record = home / ".orchestrator/install" / interpreter.name
            record.parent.mkdir(parents=True)
            shutil.copyfile(interpreter, record)
        yield Room(home, project, {"HOME": str(home), "PATH": path, "CLAUDE_PROJECT_DIR": str(project)})


def run(
    event: str, command: str, stdin: bytes, env: Mapping[str, str], cwd: Path, timeout_s: float = TIMEOUT_S
) -> Result:
    """In a session of its own, which goes as a whole when it takes too long: as the client does it."""
    started = time.perf_counter()
    with subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env,
        cwd=cwd,
        start_new_session=True,
    ) as child:
        try:
            out, err = child.communicate(stdin, timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            out, err = child.communicate()
    took_ms = (time.perf_counter() - started) * 1000
    return Result(event, child.returncode, took_ms, _text(out), _text(err))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _is_answer(text: str) -> bool:
    if not text:
        return True
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
