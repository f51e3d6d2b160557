"""What the agent of a job has made, written down as soon as it is done: who is cut off then need not pay twice."""

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from state import codec, files
from state.errors import UserError

FILE = "made.json"


class Made(NamedTuple):
    base: str  # the commit that it began from
    run: str
    decided: str  # the id of the event
    model: str
    answer: str  # the file that holds it
    decisions: tuple[str, ...]  # that the agent has left to the user
    took_s: float
    commit: str | None = None  # None: nothing was changed
    is_committed: bool = False


def keep(folder: str, job: str, made: Made) -> None:
    told: dict[str, object] = {"v": 1, "job": job, **made._asdict()}
    files.replace(f"{folder}/{FILE}", codec.dumps(told))


def read(folder: str, job: str) -> Made | None:
    """None also where its worktree is gone, or anything is not as it was kept."""
    try:
        told = codec.loads(files.read(f"{folder}/{FILE}") or b"null")
    except (UserError, ValueError):
        return None
    if not isinstance(told, dict) or told.pop("v", None) != 1 or told.pop("job", None) != job:
        return None
    if told.keys() != set(Made._fields) or not Path(folder, "tree", ".git").is_dir():
        return None
    return Made(**{**told, "decisions": tuple(told["decisions"])})


def forget(folder: str) -> None:
    with suppress(OSError):
        Path(folder, FILE).unlink()
