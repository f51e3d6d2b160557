"""The processes of this machine where there is no /proc: the functions of `proc_linux`."""

import os

import psutil

from orchestrate.agents.proc_linux import Process, listed


def everyone() -> list[Process]:
    return listed(psutil.pids, find)


def find(pid: int) -> Process | None:
    try:
        found = psutil.Process(pid)
        with found.oneshot():
            is_dead = found.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
            return Process(pid, found.ppid(), os.getsid(pid), found.create_time(), is_dead)
    except (psutil.Error, OSError):  # ended meanwhile, or another user's
        return None


def children(pid: int) -> list[int]:
    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.Error:
        return []


def is_marked(pid: int, entry: str) -> bool:
    name, _, value = entry.partition("=")
    try:
        return psutil.Process(pid).environ().get(name) == value
    except (psutil.Error, OSError):
        return False


def boot() -> str:
    return "one"  # a start time is a date there: it does not repeat
