"""The line by which Claude Code starts a hook: no PATH look-up; silence and exit code 0 when anything is gone."""

import shlex
import sys
from pathlib import Path
from typing import NamedTuple

import orchestrate

# `python missing.py` exits 2, and 2 blocks the user's prompt: so the code is given with -c, and every import is
# guarded. The bundle of the hot modules comes first; without it, or when a source has changed, they are imported.
# Short on purpose: to read and compile a line of this costs a hook 30,000 instructions.
BOOT = """\
import sys
try:
 h=sys.argv[1]
 try:
  import marshal
  from _frozen_importlib_external import MAGIC_NUMBER as m
  f=open(h+"/orchestrate/_hot/"+sys.implementation.cache_tag,"rb",0)
  d=marshal.loads(f.read(32768))
  exec(marshal.loads(d[m]))
 except Exception:sys.path.insert(0,h)
 from orchestrate.entry import main
 main()
except BaseException:pass
"""


class Event(NamedTuple):
    matcher: str | None
    timeout_s: int


EVENTS = {
    "SessionStart": Event(None, 5),
    "UserPromptSubmit": Event(None, 600),  # an agent may answer in its place; a directive has its own limit of 2 s
    "PreToolUse": Event("Agent|Task|Workflow", 5),
    "PostToolUse": Event("Agent|Task", 5),
    "SubagentStart": Event(None, 5),
    "SubagentStop": Event(None, 5),
    "Stop": Event(None, 5),
    "StopFailure": Event(None, 5),
    "SessionEnd": Event(None, 5),
}
# Beside them where the setting bugs.offer is on: a hook for every Bash call is a cost that nobody owes unasked.
OFFERS = {
    "PostToolUse": Event("Agent|Task|Bash", 5),
    "PostToolUseFailure": Event("Bash|mcp__.*", 5),
}


def command(python: str, home: str) -> str:
    interpreter = shlex.quote(python)
    # No `exec`: an interpreter that cannot start, or dies, must end with 0 too.
    return f"[ -x {interpreter} ] && {interpreter} -I -S -c {shlex.quote(BOOT)} {shlex.quote(home)} || exit 0"


def arguments(python: str, home: str) -> list[str]:
    """The same without a shell."""
    return [python, "-I", "-S", "-c", BOOT, home]


def here() -> tuple[str, str]:
    """The interpreter and the folder of the package that run now."""
    return sys.executable, str(Path(orchestrate.__path__[0]).resolve().parent)
