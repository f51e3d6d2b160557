"""Who runs on this machine, from whichever source is cheap here."""

import sys

if sys.platform == "linux":
    from orchestrate.agents.proc_linux import Process, boot, children, everyone, find, is_marked
else:
    from orchestrate.agents.proc_psutil import Process, boot, children, everyone, find, is_marked

__all__ = ["Process", "boot", "children", "everyone", "find", "is_marked", "is_running"]


def is_running(pid: int, started: float) -> bool:
    found = find(pid)
    return found is not None and not found.is_dead and found.started == started
