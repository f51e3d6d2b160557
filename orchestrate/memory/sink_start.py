"""After a command that told something: have it delivered, by a process that nobody waits for."""

import os
import sys
from contextlib import suppress
from pathlib import Path

from state import sinks_where
from state.paths import Place


def after_command(place: Place) -> None:
    if not sinks_where.is_any(place) or os.environ.get("ORCHESTRATOR_DISABLED") == "1":
        return
    import subprocess  # noqa: PLC0415  5 ms that a command without sinks does not owe

    home = str(Path(__file__).resolve().parents[2])
    code = f"import sys;sys.path.insert(0,{home!r});from orchestrate.cli import main;main()"
    words = ["events", "sinks", "deliver", "--detached", "--project-root", place.root]
    with suppress(OSError):  # no process to be had: the next command starts one
        subprocess.Popen(
            [sys.executable, "-E", "-P", "-c", code, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
