"""A job as its user gives it, checked."""

import os
import re
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from math import isfinite
from pathlib import Path

from orchestrate.agents import definitions
from orchestrate.overnight import job
from orchestrate.overnight.job import New
from state.errors import NOT_FOUND, USAGE, UserError
from state.paths import Place

TEXT_MOST_BYTES = 65_536
MINUTES_MOST = 1440.0
TIERS = ("haiku", "sonnet", "opus")
_UNSOUND = re.compile("[\0\ud800-\udfff]")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")


def text(given: str) -> str:
    if not given.strip():
        raise UserError("TEXT: is empty: say what is to be done", USAGE)
    if _UNSOUND.search(given):
        raise UserError("TEXT: holds a NUL, or is not UTF-8", USAGE)
    if len(given.encode()) > TEXT_MOST_BYTES:
        raise UserError(f"TEXT: is longer than {TEXT_MOST_BYTES} bytes: put it into a file of the project", USAGE)
    return given


def folder(name: str) -> str:
    if not os.path.isdir(name):  # noqa: PTH112  Path.is_dir raises for a name that is too long
        raise UserError(f"{name}: no such folder: name the root of a project with --project", NOT_FOUND)
    return name


def project(root: str) -> str:
    """A job works in a worktree of its own, so that there has to be a repository."""
    if not Path(folder(root), ".git").exists():
        raise UserError(f"{root}: is no git repository: a job works in a worktree of its own, so `git init` it first")
    return root


def number(option: str, value: float | None) -> float | None:
    """NaN is within any bounds."""
    if value is not None and not isfinite(value):
        raise UserError(f"{option}: {value}: expected a number", USAGE)
    return value


def moment(option: str, iso: str | None) -> float | None:
    if iso is None:
        return None
    found = datetime.fromisoformat(iso).timestamp()
    if option == "--deadline" and found <= time.time():
        raise UserError(f"{option}: {iso} is over already: a job with it would never run", USAGE)
    return found


def checks(given: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(command for one in given for command in job.checks(one, "--check"))


def agent(place: Place, env: Mapping[str, str], name: str | None) -> tuple[str | None, str | None]:
    """An agent that the project has, or a tier."""
    if name is None or name in TIERS:
        return None, name
    if not _NAME.fullmatch(name):
        raise UserError(f"--agent: {name!r} is no name of an agent, and no tier ({', '.join(TIERS)})", USAGE)
    definitions.find(place, env, name)
    return name, None


def sound(new: New) -> New:
    if new.deadline is not None and new.not_before is not None and new.deadline <= new.not_before:
        raise UserError("--deadline: is before --not-before: the job would never run", USAGE)
    return new
