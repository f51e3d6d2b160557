"""Five prompts through the real hook, in a throwaway home: nothing of the user's is read or written."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import click

from orchestrate import hookline
from state import journal
from state.errors import UserError
from state.paths import LOG, locate, session_dir

BUDGET_MS = 500
TRIES = 3  # a hook gives up in silence when the machine is too busy for it
SESSION = "demo"


class Sample(NamedTuple):
    prompt: str
    env: dict[str, str]


AT_HOME = {"CLAUDE_CODE_ENTRYPOINT": "cli", "CLAUDE_CODE_SESSION_ATTENDED": "1"}
SAMPLES = (
    Sample("Fix typo in README.md", AT_HOME),
    Sample("Add CSV export to the orders page: endpoint, button, tests for empty and large orders", AT_HOME),
    Sample("Two workers sometimes both win the lease after a network split. Find the race and prove the fix", AT_HOME),
    Sample("yes, do the second one", AT_HOME),
    Sample("Rename usrCnt to userCount in stats.py", {"CLAUDE_BATCH_MODE": "1"}),
)


class Seen(NamedTuple):
    payload: dict[str, object]
    took_ms: float


@click.command()
def command() -> None:
    """Send five prompts through the hook as Claude Code would, then print today's report.

    \b
    Examples:
      $ orchestrate demo
    """
    with tempfile.TemporaryDirectory(prefix="orchestrate-demo-") as folder:
        home, project = Path(folder, "home"), Path(folder, "project")
        (project / ".git").mkdir(parents=True)
        home.mkdir()
        for number, sample in enumerate(SAMPLES):
            _show(sample, _send(sample, f"demo-{number}", home, project))
        _report(home, project)
    _connect()


def _send(sample: Sample, prompt_id: str, home: Path, project: Path) -> Seen:
    payload = {
        "hook_event_name": "UserPromptSubmit",
        "session_id": SESSION,
        "prompt_id": prompt_id,
        "cwd": str(project),
        "prompt": sample.prompt,
    }
    # No agent is started: there is no client of this name.
    unwilling = {"ORCHESTRATOR_CLAUDE_BINARY": "/no/client/in/a/demo"}
    env = {"HOME": str(home), "PATH": os.environ.get("PATH", os.defpath), **unwilling, **sample.env}
    line = hookline.command(*hookline.here())
    for _ in range(TRIES):
        started = time.monotonic()
        subprocess.run(["sh", "-c", line], input=json.dumps(payload).encode(), env=env, capture_output=True, check=True)
        took_ms = (time.monotonic() - started) * 1000
        decided = _recorded(f"{session_dir(locate(str(project), env), SESSION)}/{LOG}", prompt_id)
        if decided is not None:
            return Seen(decided, took_ms)
    raise UserError(
        f"the hook left no record {TRIES} times: try again when the machine is less busy, or see `orchestrate doctor`"
    )


def _recorded(log: str, prompt_id: str) -> dict[str, object] | None:
    """What the hook's own line tells of this prompt; one that gave up leaves none."""
    lines = journal.tail(log, 1 << 16)
    last = json.loads(lines[-1]) if lines else {}
    return last["payload"] if last.get("prompt_id") == prompt_id else None


def _show(sample: Sample, seen: Seen) -> None:
    decided = seen.payload
    mode = f"{decided['mode']}: {decided['mode_reason']}"
    if decided["mode_chosen"] != decided["mode"]:
        mode += f" ({decided['mode_chosen']} wanted, degraded: {decided['degraded']})"
    click.secho(f"> {sample.prompt}", bold=True)
    click.echo(f"  context   {decided['context']}")
    click.echo(f"  mode      {mode}")
    click.echo(f"  decision  {decided['action']} {decided['agent']}  (confidence {decided['confidence']})")
    click.echo(f"  reason    {decided['reason']}")
    click.echo(f"  took      {seen.took_ms:.0f} ms of {BUDGET_MS} ms, the start of the process included\n")


def _report(home: Path, project: Path) -> None:
    env = {**os.environ, "HOME": str(home), "ORCHESTRATOR_ROOT": str(project)}
    python, package_home = hookline.here()
    code = f"import sys;sys.path.insert(0,{package_home!r});from orchestrate.cli import main;main()"
    report = subprocess.run(
        [python, "-P", "-c", code, "metrics", "report"], env=env, capture_output=True, text=True, check=True
    )
    click.echo(report.stdout)


def _connect() -> None:
    if shutil.which("claude"):
        click.echo("Connect it to Claude Code:  orchestrate install")
    else:
        click.echo(
            "`claude` is not on PATH: everything above works without it; when it is there, run orchestrate install."
        )
