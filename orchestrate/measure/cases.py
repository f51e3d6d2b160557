"""What is measured: the floor, the hook in each form that it is started in, and a hook written naively."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from orchestrate import hookline, payloads
from orchestrate.measure.runner import Case
from state.paths import LOG, Place, locate, session_dir

FLOOR = "floor"
NAIVE = "naive imports"
PACKAGES = ("click", "pydantic_settings", "filelock", "orjson", "structlog", "psutil")
_LOCALE = ("LANG", "LC_ALL", "LC_CTYPE")
_BY_MODULES = "import sys;sys.path.insert(0,sys.argv[1]);from orchestrate.entry import main;main()"
_TURN = '{"type":"assistant","message":{"id":"msg_%05d","model":"claude-opus-5-5","content":"%s"}}\n'
_FAILED = b'"type":"orchestration.hook.failed"'
_TURNS = 300  # more than the hook reads of a transcript


class Sandbox(NamedTuple):
    """A home, a project with a transcript, the package whose hooks are measured and the interpreter that runs it."""

    python: str
    package: str
    home: Path
    project: Path

    @property
    def env(self) -> Mapping[str, str]:
        return {
            "HOME": str(self.home),
            "PATH": os.defpath,
            "CLAUDE_CODE_ENTRYPOINT": "cli",
            "CLAUDE_CODE_SESSION_ATTENDED": "1",
            "CLAUDE_PROJECT_DIR": str(self.project),
            **{name: os.environ[name] for name in _LOCALE if name in os.environ},
        }

    @property
    def transcript(self) -> Path:
        return self.project / "transcript.jsonl"

    @property
    def place(self) -> Place:
        return locate(str(self.project), dict(self.env))

    def log(self, session: str = payloads.SESSION) -> Path:
        return Path(session_dir(self.place, session), LOG)

    def records(self) -> int:
        """How many calls left a record of what they handled, in all sessions."""
        logs = [log.read_bytes() for log in Path(self.place.state).glob(f"sessions/*/{LOG}")]
        return sum(log.count(b"\n") - log.count(_FAILED) for log in logs)


def sandbox(folder: Path, package: str | None = None) -> Sandbox:
    """`package`: the folder that holds the package to measure, else the one that runs now."""
    python, here = hookline.here()
    made = Sandbox(python, package or here, folder / "home", folder / "project")
    made.home.mkdir(parents=True)
    (made.project / ".git").mkdir(parents=True)
    made.transcript.write_text("".join(_TURN % (turn, "x" * 250) for turn in range(_TURNS)))
    return made


def floor(box: Sandbox) -> Case:
    """The least that a Python program costs on this machine."""
    return Case(FLOOR, [box.python, "-I", "-S", "-c", "pass"], os.devnull, box.env)


def hook(
    box: Sandbox, name: str, session: str = payloads.SESSION, prompt: str | None = None, label: str | None = None
) -> Case:
    """`name`: one of payloads.NAMES; `label`: what to call the case, else the same."""
    label = label or name
    file = box.home.parent / f"{label}.json"
    file.write_bytes(payloads.line(name, str(box.project), str(box.transcript), session, prompt))
    return Case(label, hookline.arguments(box.python, box.package), str(file), box.env)


def by_shell(case: Case, box: Sandbox) -> Case:
    """The same hook as Claude Code starts it."""
    return case._replace(argv=["/bin/sh", "-c", hookline.command(box.python, box.package)])


def by_modules(case: Case, box: Sandbox) -> Case:
    """The same hook without the bundle."""
    return case._replace(argv=[box.python, "-I", "-S", "-c", _BY_MODULES, box.package])


def naive(box: Sandbox) -> Case:
    """The packages that the cold side uses, imported by a hook."""
    code = f"import sys;sys.path[:]={sys.path!r};import {', '.join(PACKAGES)}"
    return Case(NAIVE, [box.python, "-I", "-c", code], os.devnull, box.env)
