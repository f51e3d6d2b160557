"""The command that says whether an answer is good, run in the project once the agent is done."""

import shlex
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from orchestrate.agents import process
from orchestrate.agents.outcome import Ended
from orchestrate.agents.pipes import Tail
from orchestrate.agents.policy import Evidence
from orchestrate.agents.process import ProcessLimits
from orchestrate.agents.record import Check
from orchestrate.agents.stop import Stop
from state import command_line
from state.errors import USAGE, UserError

TAIL_CHARS = 4_000


class Checked(NamedTuple):
    command: str
    code: int | None  # as a shell tells it, 128 and more for a signal; None: not started, or ended by us
    tail: str  # the last of what it printed, without secrets
    ended: Ended

    @property
    def is_green(self) -> bool:
        return self.code == 0

    @property
    def fault(self) -> str | None:
        """Why it says nothing of the answer."""
        return f"the check {self.command!r} is {self.ended.missing}" if self.ended.missing else None

    @property
    def evidence(self) -> Evidence:
        return Evidence(no_check=self.fault) if self.fault else Evidence(red_check=f"{self.command}: {self.result}")

    @property
    def result(self) -> str:
        return "it took too long" if self.code is None else f"exit code {self.code}"

    @property
    def last_line(self) -> str:
        lines = self.tail.split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def as_json(self) -> Check:
        return {"command": self.command, "code": self.code, "tail": self.tail}

    def for_the_next(self) -> str:
        """What a stronger agent is told; by stdin, as all of the request."""
        return (
            "Another model has worked on this already; what it left is in the project. "
            f"The check `{self.command}` failed then ({self.result}). Find out why, and do what is needed for it to "
            f"succeed. The end of its output:\n\n{self.tail}"
        )


def words(text: str) -> list[str]:
    """No shell: who wants one says `sh -c`."""
    try:
        found = command_line.words(text)
    except ValueError as error:
        raise UserError(f"--check: {text!r}: {error}", USAGE) from None
    if not found:
        raise UserError("--check: give a command, as --check 'pytest -q'", USAGE)
    return found


def run(
    argv: Sequence[str], env: Mapping[str, str], root: str, total_s: float, marker: str, user: str, stop: Stop
) -> Checked:
    """`env` is the user's own: a check is no agent, and no deeper than we are."""
    from state.redact import redact  # noqa: PLC0415  16 ms that only a check owes

    out = Tail()
    limits = ProcessLimits(total_s=total_s)
    finish = process.run(argv, env, root, b"", lambda line: out.feed(line + b"\n"), limits, marker, user, stop)
    ended = finish.ended
    code = 128 + ended.signal if ended.signal is not None else ended.code
    was_stopped = ended.aborted or ended.timed_out
    tail = _tail(redact(out.text()), redact(finish.stderr))
    return Checked(redact(shlex.join(argv)), None if was_stopped else code, tail, ended)


def _tail(out: str, err: str) -> str:
    """The ends of both, stderr last: neither crowds the other out."""
    half = TAIL_CHARS // 2
    err_most = max(half, TAIL_CHARS - len(out))
    out_most = max(half, TAIL_CHARS - len(err))
    return out[-out_most:] + err[-err_most:]
