"""A line of the user's crontab, known by the remark at its end: all other lines stay as they are, to the byte."""

import shlex

from orchestrate.overnight.timers import NIGHT, RESUME, Timer
from state.errors import UserError

NAMES = (NIGHT, RESUME)
LINE_MOST = 990  # characters that every cron takes


def line(timer: Timer) -> str:
    entries = [f"{name}={shlex.quote(value)}" for name, value in timer.env.items()]
    command = " ".join([*entries, shlex.join(timer.argv), ">>", shlex.quote(timer.log), "2>&1"])
    # To cron a percent sign is the end of the command.
    found = f"{_when(timer)} {command}".replace("%", "\\%") + f" {_mark(timer.name)}"
    if len(found) > LINE_MOST:
        raise UserError(f"crontab: the line has {len(found)} characters, cron takes {LINE_MOST}: use a shorter PATH")
    return found


def added(crontab: str, timer: Timer) -> str:
    """In the place of the line that stands there, else at the end."""
    new = line(timer) + "\n"
    lines = crontab.splitlines(keepends=True)
    places = [number for number, old in enumerate(lines) if _is_ours(old, timer.name)]
    if places:
        kept = [new if number == places[0] else old for number, old in enumerate(lines) if number not in places[1:]]
        return "".join(kept)
    is_whole = not crontab or crontab.endswith("\n")
    return crontab + ("" if is_whole else "\n") + new


def removed(crontab: str, name: str) -> str:
    return "".join(old for old in crontab.splitlines(keepends=True) if not _is_ours(old, name))


def is_ours_alone(crontab: str) -> bool:
    lines = crontab.splitlines()
    return bool(lines) and all(any(_is_ours(found, name) for name in NAMES) for found in lines)


def _when(timer: Timer) -> str:
    if timer.at is not None:
        return f"{timer.at.minute} {timer.at.hour} * * *"
    return f"*/{timer.every_min} * * * *"


def _is_ours(found: str, name: str) -> bool:
    return found.rstrip("\r\n").endswith(f" {_mark(name)}") and not found.lstrip().startswith("#")


def _mark(name: str) -> str:
    return f"# {name}"
