"""Whether what a job has made is good: the commands that say so, run in its worktree when its agent is done."""

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from orchestrate import worktrees
from orchestrate.agents import check
from orchestrate.agents.check import Checked
from orchestrate.agents.stop import Stop

GREEN, RED, NOT_RUN, NONE, STOPPED = "green", "red", "not run", "none", "stopped"


class Found(NamedTuple):
    """`why` in a few words, where it is not green."""

    verdict: str
    why: str
    ran: tuple[Checked, ...]


def run(
    commands: Sequence[Sequence[str]], path: str, env: Mapping[str, str], total_s: float, user: str, stop: Stop
) -> Found:
    """In order, up to the first that is not green."""
    if not commands:
        return Found(NONE, "no check is configured", ())
    ran: list[Checked] = []
    for command in commands:
        marker = f"overnight-{os.urandom(6).hex()}"
        checked = check.run(command, worktrees.environment(env), path, total_s, marker, user, stop)
        ran.append(checked)
        if not checked.is_green:
            return _not_green(checked, tuple(ran))
    return Found(GREEN, "", tuple(ran))


def _not_green(checked: Checked, ran: tuple[Checked, ...]) -> Found:
    if checked.ended.aborted:
        return Found(STOPPED, "stopped on request", ran)
    if checked.fault:
        return Found(NOT_RUN, checked.fault, ran)
    last = f": {checked.last_line[:200]}" if checked.last_line else ""
    return Found(RED, f"the check {checked.command!r} is red ({checked.result}){last}", ran)
